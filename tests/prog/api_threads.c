/* SPDX-License-Identifier: MIT */
/* Threads allocate, resize, fill, hand over and free blocks of one pool; every block
 * keeps its owner's pattern, and at the end the pool is as empty as it was. */
/* libs: -Lbuild -lrtpreload */
#include <pthread.h>
#include <rtmem.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api_check.h"

#define THREADS 4
#define ROUNDS	60000
#define SLOTS	64

static rtm_pool *pool;
static void *hand_over[SLOTS]; /* atomic: a block belongs to whoever exchanged it out */

struct block {
	uint32_t size, seed;
};

static unsigned char pattern(const struct block *b, size_t i)
{
	return (unsigned char)(b->seed + i * 31);
}

static void fill(struct block *b, size_t size, uint32_t seed)
{
	b->size = (uint32_t)size;
	b->seed = seed;
	for (size_t i = sizeof(*b); i < size; i++)
		((unsigned char *)b)[i] = pattern(b, i);
}

static void verify(const struct block *b, size_t size)
{
	for (size_t i = sizeof(*b); i < size; i++)
		if (((const unsigned char *)b)[i] != pattern(b, i)) {
			CHECK(!"pattern");
			return;
		}
}

static void *allocate(uint32_t r, size_t size)
{
	switch (r % 8) {
	case 0:
		return rtm_memalign(pool, 16UL << (r >> 8) % 6, size);
	case 1:
		return rtm_alloc_nowait(pool, size);
	case 2:
		return rtm_calloc(pool, 1, size);
	}
	return rtm_alloc(pool, size);
}

static void release(struct block *b, uint32_t r)
{
	verify(b, b->size);
	CHECK(rtm_size_for(b) == (ssize_t)b->size);
	if (r & 1)
		free(b);
	else
		CHECK(rtm_free(b) == B_OK);
}

static void one_round(uint32_t r, uint32_t seed)
{
	size_t size = sizeof(struct block) + (r >> 16) % (r & 0x8000 ? 4096 : 128);
	void **slot = &hand_over[r % SLOTS];
	struct block *b = allocate(r >> 4, size);
	void *data;

	if (!b)
		return;
	fill(b, size, seed);
	if (r & 0x4000) {
		size_t had = size;

		size = sizeof(*b) + (r >> 20) % 2048;
		data = b;
		if (rtm_realloc(&data, size) != B_OK)
			size = had;
		b = data;
		verify(b, size < had ? size : had);
		fill(b, size, seed);
	}
	b = __atomic_exchange_n(slot, b, __ATOMIC_ACQ_REL);
	if (b)
		release(b, r >> 3);
}

static void *worker(void *arg)
{
	uint32_t r = (uint32_t)(uintptr_t)arg * 2654435761u + 1;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		r ^= r << 13;
		r ^= r >> 17;
		r ^= r << 5;
		one_round(r, i);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	struct rtm_stats st;
	size_t before;

	CHECK(rtm_create_pool(&pool, 512 << 10, "threads") == B_OK);
	before = rtm_available(pool);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, worker, (void *)(i + 1)) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < SLOTS; i++)
		if (hand_over[i])
			release(hand_over[i], 0);
	/* blocks left by who would have had to wait are taken back by the next
	 * allocations */
	for (int i = 0; i < 200000 && rtm_available(pool) != before; i++)
		rtm_free(rtm_alloc(pool, 1));
	CHECK(rtm_available(pool) == before);
	CHECK(rtm_get_stats(pool, &st, sizeof(st)) == B_OK && st.used == 0);
	CHECK(rtm_delete_pool(pool) == B_OK);
	return api_failed;
}
