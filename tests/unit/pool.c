/* SPDX-License-Identifier: MIT */
/*
 * pool.c - one pool, many threads: owners of heaps with caches trade blocks, and come and
 * go while blocks of theirs are alive; ordinary threads share a heap; a thread without a
 * cache frees; one does what the helper does: tends, grows, looks at the figures
 *
 * Then the same with a native pool. Every block carries its address and size at both
 * ends; whoever frees it looks. When all have ended, the whole pool is one block again.
 *
 * pool [operations per thread]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cache_inline.h"
#include "engine/pools.h"

#define SIZE	(4UL << 20)
#define MAX	(8UL << 20)
#define OWNERS	3 /* for two of them there are heaps */
#define MAILBOX 64
#define KEEP	200

static struct pool *pool;
static unsigned long operations = 200000;
static void *mailbox[MAILBOX];
static int failures, owners_left;

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

/* c: NULL in a native pool. */
static void give(struct cache *c, void *p)
{
	if (!p)
		return;
	look(p);
	if (!c ? pool_free(pool, p) != HEAP_OK
	       : !cache_owns(c, p) || cache_free_odd(c, p) != HEAP_OK)
		fail("free refused", p);
}

static void give_fast(struct cache *c, void *p)
{
	if (!c || !p || !cache_owns(c, p) ||
		!cache_is_live(c, p, block_size(block_of(p)))) {
		if (c && p && !cache_owns(c, p))
			cache_see_growth(c);
		give(c, p);
		return;
	}
	look(p);
	if (!cache_free_live(c, p, block_size(block_of(p))))
		cache_overflow(c, p);
}

static void *take(struct cache *c, size_t n)
{
	void *p = c ? cache_alloc(c, n) : pool_alloc(pool, n, 0);

	if (p)
		sign(p, n);
	return p;
}

static void resize(struct cache *c, void *p, size_t n)
{
	if (!p)
		return;
	look(p);
	if (pool_resize(pool, c ? cache_heap(c) : NULL, p, n))
		sign(p, n);
}

/* Ends, as far as the pool can tell, and is another thread from then on. */
static void come_and_go(struct cache *c, uint64_t r)
{
	if (!c || r % 4096)
		return;
	cache_detach(c);
	cache_attach(c, pool, 0, true, NULL);
}

static void *owner(void *arg)
{
	struct cache *c = pool->native ? NULL : calloc(1, sizeof(*c));
	uint64_t seed = (uintptr_t)arg * 7919 + 1;
	void *mine[KEEP] = {0};

	if (c)
		cache_attach(c, pool, 0, true, NULL);
	for (unsigned long i = 0; i < operations; i++) {
		uint64_t r =
			(seed = seed * 6364136223846793005UL + 1442695040888963407UL) >>
			20;
		size_t n = 17 + (r >> 8) % (1UL << (5 + (r >> 40) % 10));
		void **at = &mine[r % KEEP];

		give_fast(c, *at);
		*at = take(c, n);
		if ((r >> 5) % 16 == 1)
			resize(c, *at, 17 + (r >> 3) % 3000);
		if ((r >> 5) % 2)
			*at = trade(*at, (unsigned)(r >> 12));
		come_and_go(c, r >> 7);
	}
	for (int i = 0; i < KEEP; i++)
		give_fast(c, mine[i]);
	if (c)
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
	for (unsigned i = 0; __atomic_load_n(&owners_left, __ATOMIC_ACQUIRE); i++) {
		pool_take_returned(pool, 4);
		pool_available(pool);
		pool_tend(pool);
		if (i % 64 == 0 && pool->area.committed < pool->area.reserved)
			pool_grow(pool, 128UL << 10);
	}
	return NULL;
}

/* With nothing alive, one block of all there is fits. */
static void check_whole(void)
{
	void *p;

	for (unsigned i = 0; i < MAILBOX; i++) {
		p = trade(NULL, i);
		if (p && pool_free(pool, p) != HEAP_OK)
			fail("free refused", p);
	}
	pool_tend(pool);
	if (!pool_check(pool, NULL))
		fail("not sound", NULL);
	for (unsigned i = 0; i < pool->heaps; i++) {
		struct heap *h = pool_heap(pool, i);

		if (h->used || (h != pool->heap && (h->own || h->state)))
			fail("something is left", h);
	}
	p = pool_alloc(pool, pool->native ? SIZE : SIZE - 4096, 0);
	if (!p || pool_free(pool, p) != HEAP_OK)
		fail("capacity lost", p);
}

static void run(const struct pool_attr *attr)
{
	pthread_t t[OWNERS + 2];

	pool = pools_create(attr, NULL);
	if (!pool)
		exit(2);
	pool_ready_heaps(pool, OWNERS - 1 - 1);
	owners_left = OWNERS;
	for (uintptr_t i = 0; i < OWNERS; i++)
		pthread_create(&t[i], NULL, owner, (void *)(i + 1));
	pthread_create(&t[OWNERS], NULL, freer, NULL);
	pthread_create(&t[OWNERS + 1], NULL, helper, NULL);
	for (int i = 0; i < OWNERS + 2; i++)
		pthread_join(t[i], NULL);
	check_whole();
	pools_delete(pool);
}

int main(int argc, char **argv)
{
	struct pool_attr attr = {.name = "test", .size = SIZE, .max = MAX};

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 0);
	run(&attr);
	attr.native = true;
	attr.max = SIZE;
	run(&attr);
	return failures;
}
