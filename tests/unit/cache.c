/* SPDX-License-Identifier: MIT */
/*
 * cache.c - one thread's cache in front of its heap: what it serves, what it refuses, and
 * that nothing stays behind in it
 */
#include <stdio.h>

#include "cache_unit.h"

#define SIZE	 (4UL << 20)
#define LIVE_MAX 2000

static size_t used(void)
{
	return cache_heap(cache)->used;
}

/* One block of nearly all there is fits. */
static void check_whole(void)
{
	void *p;

	everything_back();
	p = take(SIZE - 4096);
	CHECK(p && give(p) == HEAP_OK);
	everything_back();
}

static void every_size(void)
{
	for (size_t n = 0; n <= 80000; n += n < 2000 ? 1 : 97) {
		void *p = take(n), *q;

		CHECK(p && (uintptr_t)p % 16 == 0);
		CHECK(block_usable_of(p) >= n && block_usable_of(p) <= n + 40 + n / 16);
		memset(p, 0x5a, block_usable_of(p));
		CHECK(give(p) == HEAP_OK);
		q = take(n);
		CHECK(n > CACHE_LARGE || q == p);
		CHECK(give(q) == HEAP_OK);
	}
	check_whole();
}

/* A hit does not concern the heap; a miss is counted. */
static void a_miss_is_a_miss(void)
{
	static const size_t sizes[] = {100, 2000, 60000};

	cache_detach(cache); /* all its credit */
	cache_attach(cache, pool, TAG_NOBODY, false, NULL);
	for (size_t i = 0; i < 3; i++) {
		uint64_t misses = cache_misses(cache);
		size_t had;
		void *p = take(sizes[i]);

		CHECK(p && cache_misses(cache) == misses + 1);
		had = used();
		CHECK(give(p) == HEAP_OK && used() == had);
		CHECK(take(sizes[i]) == p && cache_misses(cache) == misses + 1);
		CHECK(give(p) == HEAP_OK && used() == had);
	}
	CHECK(!take(SIZE * 2) && !take(SIZE_MAX - 100) && !take(BLOCK_MAX));
	CHECK(!cache_alloc_aligned(cache, 4096, SIZE_MAX - 5000));
	check_whole();
}

static void aligned(void)
{
	for (size_t align = 16; align <= 1UL << 18; align *= 2) {
		for (size_t n = 1; n < 100000; n = n * 3 + 7) {
			void *p = cache_alloc_aligned(cache, align, n);

			CHECK(p && (uintptr_t)p % align == 0 && block_usable_of(p) >= n);
			CHECK(give(p) == HEAP_OK);
		}
		cache_flush(cache);
	}
	CHECK(!cache_alloc_aligned(cache, 8UL << 20, 100));
	check_whole();
}

/* What the pool has no block for is asked elsewhere, with what was asked for. */
static size_t asked, asked_align;
static char elsewhere[64];

static void *from_elsewhere(struct cache *c, size_t n, size_t align)
{
	CHECK(c == cache);
	asked = n;
	asked_align = align;
	return elsewhere;
}

static void when_full(void)
{
	cache->full = from_elsewhere;
	CHECK(take(SIZE * 2) == elsewhere && asked == SIZE * 2 && asked_align == 16);
	CHECK(take(SIZE_MAX) == elsewhere && asked == SIZE_MAX);
	CHECK(cache_alloc_aligned(cache, 64, SIZE * 2) == elsewhere && asked_align == 64);
	CHECK(cache_alloc_aligned(cache, 64, SIZE_MAX) == elsewhere && asked_align == 64);
	CHECK(!cache_owns(cache, elsewhere));
	cache_detach(cache);
	cache_attach(cache, pool, TAG_NOBODY, false, NULL);
	CHECK(!take(SIZE * 2));
	check_whole();
}

/* ---- misuse ---- */

static void misuse(void)
{
	char *s = take(200), *q = take(5000), *r = take(100000);
	int foreign = 0;

	CHECK(give(s + 16) == HEAP_NOT_A_BLOCK);
	CHECK(give(s + 1) == HEAP_NOT_A_BLOCK);
	CHECK(give(q + 4096) == HEAP_NOT_A_BLOCK);
	CHECK(give((char *)pool->lo + pool->area.committed - 64) == HEAP_NOT_A_BLOCK);
	CHECK(!cache_owns(cache, &foreign) && !cache_owns(cache, (void *)pool->lo));
	CHECK(!cache_owns(cache, (char *)pool->lo + pool->area.committed));
	CHECK(give(s) == HEAP_OK && give(s) == HEAP_DOUBLE_FREE);
	CHECK(give(q) == HEAP_OK && give(q) == HEAP_DOUBLE_FREE);
	CHECK(give(r) == HEAP_OK && give(r) == HEAP_DOUBLE_FREE);
	CHECK(pool_return(pool, s) == HEAP_DOUBLE_FREE);
	CHECK(pool_free(pool, s) == HEAP_DOUBLE_FREE);
	check_whole();
}

/* The header of the next block is written over: 1 to 8 bytes. */
static void past_the_end(void)
{
	for (size_t k = 1; k <= 8; k++) {
		char *s = take(104), *q;
		uint64_t header;

		cache_flush(cache);
		heap_take_back(cache_heap(cache), 100);
		q = s + 112;
		memcpy(&header, q - 8, 8);
		memset(s + 104, 0x41, k);
		CHECK(!cache_is_live(cache, q, block_size(block_of(q))));
		CHECK(give(q) == HEAP_NOT_A_BLOCK || give(q) == HEAP_DOUBLE_FREE);
		memcpy(q - 8, &header, 8);
		CHECK(give(s) == HEAP_OK);
	}
	check_whole();
}

/* What was asked for before does not follow a block to its next owner. */
static void size_is_forgotten(void)
{
	for (size_t size = 33; size <= 3000; size += 37) {
		for (int way = 0; way < 3; way++) {
			void *q = take(size), *r;

			CHECK(q && pool_resize(pool, cache_heap(cache), q, size));
			CHECK(block_requested_of(q) == size);
			CHECK(way == 1 ? pool_return(pool, q) == HEAP_OK
				       : give(q) == HEAP_OK);
			CHECK(give(q) == HEAP_DOUBLE_FREE);
			r = take(block_usable_of(q));
			CHECK(r && block_requested_of(r) == block_usable_of(r));
			CHECK(give(r) == HEAP_OK && give(r) == HEAP_DOUBLE_FREE);
		}
	}
	check_whole();
}

/* ---- random ---- */

static struct {
	unsigned char *p;
	size_t n;
	unsigned char fill;
} live[LIVE_MAX];
static unsigned nlive;

static void one_more(uint64_t r, unsigned char fill)
{
	size_t size = (r >> 8) % (1UL << (5 + (r >> 40) % 12));
	unsigned char *q =
		r % 64 == 1 ? cache_alloc_aligned(cache, 64, size) : take(size);

	if (!q)
		return;
	memset(q, fill, size);
	live[nlive].p = q;
	live[nlive].n = size;
	live[nlive++].fill = fill;
}

static void one_less(uint64_t r)
{
	unsigned i = (unsigned)(r >> 8) % nlive;

	for (size_t k = 0; k < live[i].n; k += 61)
		CHECK(live[i].p[k] == live[i].fill);
	CHECK((r >> 30) % 4 ? give(live[i].p) == HEAP_OK
			    : pool_return(pool, live[i].p) == HEAP_OK);
	live[i] = live[--nlive];
}

/* Contents survive whatever the neighbours do. */
static void random_operations(unsigned long steps)
{
	uint64_t seed = 42;

	for (unsigned long step = 0; step < steps; step++) {
		uint64_t r =
			(seed = seed * 6364136223846793005UL + 1442695040888963407UL) >>
			20;

		if (nlive < 30 || (nlive < 300 && r % 2))
			one_more(r, (unsigned char)step);
		else
			one_less(r);
		if (step % 500 == 0)
			CHECK(pool_check(pool, cache_heap(cache)));
		if (step % 20000 == 0)
			cache_flush(cache);
	}
	while (nlive)
		CHECK(give(live[--nlive].p) == HEAP_OK);
	check_whole();
}

int main(int argc, char **argv)
{
	unit_begin(SIZE);
	every_size();
	a_miss_is_a_miss();
	aligned();
	when_full();
	misuse();
	past_the_end();
	size_is_forgotten();
	random_operations(argc > 1 ? strtoul(argv[1], NULL, 0) : 200000);
	return unit_end();
}
