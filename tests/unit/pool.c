/* SPDX-License-Identifier: MIT */
/*
 * pool.c - one pool, many threads: two owners with caches trade blocks, a third thread
 * without a cache frees, a fourth takes returned blocks back, as the helper does
 *
 * Every block carries its address and size at both ends; whoever frees it looks. When all
 * have ended and their caches are detached, the whole pool is one block again.
 *
 * pool [operations per thread]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache_inline.h"
#include "pools.h"

#define SIZE	(8UL << 20)
#define OWNERS	2
#define MAILBOX 64
#define KEEP	200

static struct pool *pool;
static unsigned long operations = 300000;
static void *mailbox[MAILBOX];
static int failures, owners_left = OWNERS;

static void fail(const char *what, const void *p)
{
	printf("%s (%p)\n", what, p);
	__atomic_store_n(&failures, 1, __ATOMIC_RELAXED);
}

static void sign(void *p, size_t n)
{
	uintptr_t mark[2] = {(uintptr_t)p, n};

	memcpy(p, mark, sizeof(mark));
	((unsigned char *)p)[n - 1] = (unsigned char)n;
}

static void look(const void *p)
{
	uintptr_t mark[2];

	memcpy(mark, p, sizeof(mark));
	if (mark[0] != (uintptr_t)p ||
		((const unsigned char *)p)[mark[1] - 1] != (unsigned char)mark[1])
		fail("content changed", p);
}

/* Leave a block for somebody; take what lay there. */
static void *trade(void *p, unsigned slot)
{
	return __atomic_exchange_n(&mailbox[slot % MAILBOX], p, __ATOMIC_ACQ_REL);
}

static void give(struct cache *c, void *p)
{
	if (!p)
		return;
	look(p);
	if (!cache_free(c, p) && cache_free_slow(c, p) != HEAP_OK)
		fail("free refused", p);
}

static void *take(struct cache *c, size_t n)
{
	void *p = cache_alloc(c, n);

	if (!p)
		p = cache_alloc_slow(c, n);
	if (p)
		sign(p, n);
	return p;
}

static void *owner(void *arg)
{
	struct cache *c = calloc(1, sizeof(*c));
	uint64_t seed = (uintptr_t)arg * 7919 + 1;
	void *mine[KEEP] = {0};

	cache_attach(c, pool, lock_tid(), NULL);
	for (unsigned long i = 0; i < operations; i++) {
		uint64_t r =
			(seed = seed * 6364136223846793005UL + 1442695040888963407UL) >>
			20;
		size_t n = 17 + (r >> 8) % (1UL << (5 + (r >> 40) % 10));
		void **at = &mine[r % KEEP];

		give(c, *at);
		*at = take(c, n);
		if ((r >> 5) % 2)
			*at = trade(*at, (unsigned)(r >> 12));
	}
	for (int i = 0; i < KEEP; i++)
		give(c, mine[i]);
	cache_detach(c);
	free(c);
	__atomic_fetch_sub(&owners_left, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *freer(void *arg)
{
	unsigned slot = 0;
	void *p;

	while (__atomic_load_n(&owners_left, __ATOMIC_ACQUIRE)) {
		p = trade(NULL, slot++);
		if (!p)
			continue;
		look(p);
		if (pool_return(pool, p) != HEAP_OK)
			fail("return refused", p);
	}
	return NULL;
}

static void *helper(void *arg)
{
	while (__atomic_load_n(&owners_left, __ATOMIC_ACQUIRE)) {
		pool_take_returned(pool, 4);
		pool_available(pool);
		cache_stock(pool, true);
		pool_take_box(pool, DEPOT_CLASSES);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct pool_attr attr = {.name = "test", .size = SIZE};
	pthread_t t[OWNERS + 2];
	void *p;

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 0);
	pool = pools_create(&attr, NULL);
	if (!pool)
		return 1;
	for (uintptr_t i = 0; i < OWNERS; i++)
		pthread_create(&t[i], NULL, owner, (void *)(i + 1));
	pthread_create(&t[OWNERS], NULL, freer, NULL);
	pthread_create(&t[OWNERS + 1], NULL, helper, NULL);
	for (int i = 0; i < OWNERS + 2; i++)
		pthread_join(t[i], NULL);
	for (unsigned i = 0; i < MAILBOX; i++) {
		p = trade(NULL, i);
		if (p && pool_free(pool, p) != HEAP_OK)
			fail("free refused", p);
	}
	/* the helper may have left some of what it took; then what came after */
	while (pool_take_returned(pool, 1U << 30) || pool_take_box(pool, DEPOT_CLASSES))
		;
	if (!pool_check(pool) || heap_used(pool->heap))
		fail("something is left", NULL);
	p = pool_alloc(pool, SIZE, 0);
	if (!p)
		fail("capacity lost", NULL);
	return failures;
}
