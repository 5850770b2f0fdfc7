/* SPDX-License-Identifier: MIT */
/*
 * cache.c - one thread's cache in front of a pool: what it serves, what it refuses, and
 * that nothing stays behind in it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cache_inline.h"
#include "pools.h"

#define SIZE	 (4UL << 20)
#define LIVE_MAX 2000

static struct pool *pool;
static struct cache *cache;

static void *take(size_t n)
{
	void *p = cache_alloc(cache, n);

	return p ? p : cache_alloc_slow(cache, n);
}

static enum heap_verdict give(void *p)
{
	if (cache_free(cache, p))
		return HEAP_OK;
	return cache_owns(cache, p) ? cache_free_slow(cache, p) : HEAP_NOT_A_BLOCK;
}

/* With nothing alive, one block of the pool's size fits. */
static void check_whole(void)
{
	void *p;

	cache_flush(cache);
	while (pool_take_returned(pool, 1U << 30) || pool_take_box(pool, DEPOT_CLASSES))
		;
	CHECK(pool_check(pool));
	p = pool_alloc(pool, SIZE, 0);
	CHECK(p != NULL);
	if (p)
		CHECK(pool_free(pool, p) == HEAP_OK);
}

static void every_size(void)
{
	for (size_t n = 0; n <= 80000; n += n < 2000 ? 1 : 97) {
		void *p = take(n), *q;

		CHECK(p && (uintptr_t)p % 16 == 0);
		CHECK(heap_usable_of(p) >= n && heap_usable_of(p) <= n + 40 + n / 16);
		memset(p, 0x5a, heap_usable_of(p));
		CHECK(give(p) == HEAP_OK);
		q = take(n);
		CHECK(n > CACHE_LARGE || q == p);
		CHECK(give(q) == HEAP_OK);
	}
	check_whole();
}

static void a_miss_is_a_miss(void)
{
	void *p;

	cache_flush(cache);
	CHECK(!cache_alloc(cache, 100));
	CHECK(!cache_alloc(cache, 5000));
	CHECK(!cache_alloc(cache, CACHE_LARGE + 1));
	CHECK(!take(SIZE * 2));
	CHECK(!take(SIZE_MAX - 100));
	p = take(100);
	CHECK(p && give(p) == HEAP_OK);
	CHECK(cache_alloc(cache, 100) == p);
	CHECK(give(p) == HEAP_OK);
}

/* Everything there is, in small blocks; then as one; then the small ones once more. */
static void flushed_before_failing(void)
{
	static void *p[LIVE_MAX];
	unsigned n = 0;
	void *whole;

	while (n < LIVE_MAX && (p[n] = take(16 + n % 9000)))
		n++;
	for (unsigned i = 0; i < n; i++)
		CHECK(give(p[i]) == HEAP_OK);
	whole = take(SIZE);
	CHECK(whole != NULL);
	CHECK(!take(100000));
	CHECK(give(whole) == HEAP_OK);
	check_whole();
}

/* Others gave back the whole pool: the next allocation finds it. */
static void returned_before_failing(void)
{
	static void *p[LIVE_MAX];
	unsigned n = 0;
	void *whole;

	while (n < LIVE_MAX && (p[n] = take(3000)))
		n++;
	for (unsigned i = 0; i < n; i++)
		CHECK(pool_return(pool, p[i]) == HEAP_OK);
	whole = take(SIZE);
	CHECK(whole != NULL);
	CHECK(give(whole) == HEAP_OK);
	check_whole();
}

/* What others gave back serves again, once the helper has looked, without the heap. */
static void returned_serve_again(void)
{
	void *p = take(512), *q = take(5000);
	size_t used;

	cache_flush(cache);
	while (pool_take_box(pool, DEPOT_CLASSES))
		;
	CHECK(pool_return(pool, p) == HEAP_OK && pool_return(pool, q) == HEAP_OK);
	CHECK(pool_return(pool, p) == HEAP_DOUBLE_FREE);
	CHECK(cache_stock(pool, true) == 2 && cache_stock(pool, true) == 0);
	CHECK(pool_return(pool, p) == HEAP_DOUBLE_FREE && give(p) == HEAP_DOUBLE_FREE);
	used = heap_used(pool->heap);
	CHECK(take(512) == p);
	CHECK(heap_used(pool->heap) == used);
	CHECK(give(p) == HEAP_OK);
	check_whole();
}

/* A size that was missed is there next time, without the heap. */
static void missed_is_stocked(void)
{
	void *p = take(300), *q;
	size_t used;

	cache_stock(pool, true);
	used = heap_used(pool->heap);
	q = take(300);
	CHECK(q && heap_used(pool->heap) == used);
	CHECK(give(p) == HEAP_OK && give(q) == HEAP_OK);
	check_whole();
}

/* One thread's surplus is another's supply: what ran over serves who missed. */
static void boxes_change_hands(void)
{
	struct cache *other = calloc(1, sizeof(*other));
	static void *p[300];
	size_t used;

	if (!other)
		exit(2);
	for (int i = 0; i < 300; i++)
		p[i] = take(64);
	for (int i = 0; i < 300; i++)
		CHECK(give(p[i]) == HEAP_OK);
	cache_attach(other, pool, lock_tid(), NULL);
	used = heap_used(pool->heap);
	for (int i = 0; i < 100; i++) {
		CHECK((p[i] = cache_alloc_slow(other, 64)) != NULL);
		CHECK(heap_used(pool->heap) == used);
	}
	for (int i = 0; i < 100; i++)
		CHECK(cache_free_slow(other, p[i]) == HEAP_OK);
	cache_detach(other);
	free(other);
	check_whole();
}

static void misuse(void)
{
	char *p = take(200), *q = take(5000), *r = take(100000);
	int foreign = 0;

	CHECK(give(p + 16) == HEAP_NOT_A_BLOCK);
	CHECK(give(p + 1) == HEAP_NOT_A_BLOCK);
	CHECK(give(q + 4096) == HEAP_NOT_A_BLOCK);
	CHECK(!cache_owns(cache, &foreign));
	CHECK(give(p) == HEAP_OK && give(p) == HEAP_DOUBLE_FREE);
	CHECK(give(q) == HEAP_OK && give(q) == HEAP_DOUBLE_FREE);
	CHECK(give(r) == HEAP_OK && give(r) == HEAP_DOUBLE_FREE);
	CHECK(pool_return(pool, p) == HEAP_DOUBLE_FREE);
	CHECK(pool_free(pool, p) == HEAP_DOUBLE_FREE);
	check_whole();
}

/* What was asked for before does not follow a block to its next owner. */
static void size_is_forgotten(void)
{
	for (size_t asked = 33; asked <= 3000; asked += 37) {
		for (int way = 0; way < 3; way++) {
			void *p = pool_alloc(pool, asked, way == 2 ? 64 : 0), *q;

			CHECK(p && heap_size_of(p) == asked);
			heap_set_size(pool->heap, p, asked - 1);
			CHECK(heap_size_of(p) == asked - 1);
			CHECK(way == 1 ? pool_return(pool, p) == HEAP_OK
				       : give(p) == HEAP_OK);
			CHECK(give(p) == HEAP_DOUBLE_FREE);
			q = take(heap_usable_of(p));
			CHECK(q && heap_size_of(q) == heap_usable_of(q));
			CHECK(pool_resize(pool, q, asked) && heap_size_of(q) == asked);
			CHECK(give(q) == HEAP_OK && give(q) == HEAP_DOUBLE_FREE);
		}
	}
	check_whole();
}

/* Contents survive whatever the neighbours do. */
static void random_operations(unsigned long steps)
{
	static struct {
		unsigned char *p;
		size_t n;
		unsigned char fill;
	} live[LIVE_MAX];
	unsigned nlive = 0;
	uint64_t seed = 42;

	for (unsigned long step = 0; step < steps; step++) {
		uint64_t r =
			(seed = seed * 6364136223846793005UL + 1442695040888963407UL) >>
			20;

		if (nlive < 30 || (nlive < 300 && r % 2)) {
			size_t n = (r >> 8) % (1UL << (5 + (r >> 40) % 12));
			unsigned char *p = take(n);

			if (!p)
				continue;
			memset(p, (int)step & 0xff, n);
			live[nlive].p = p;
			live[nlive].n = n;
			live[nlive++].fill = (unsigned char)step;
		} else {
			unsigned i = (unsigned)(r >> 8) % nlive;

			for (size_t k = 0; k < live[i].n; k += 61)
				CHECK(live[i].p[k] == live[i].fill);
			CHECK((r >> 30) % 4 ? give(live[i].p) == HEAP_OK
					    : pool_return(pool, live[i].p) == HEAP_OK);
			live[i] = live[--nlive];
		}
		if (step % 500 == 0)
			CHECK(pool_check(pool));
	}
	while (nlive)
		CHECK(give(live[--nlive].p) == HEAP_OK);
	check_whole();
}

int main(int argc, char **argv)
{
	const struct pool_attr attr = {.name = "test", .size = SIZE};
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;

	pool = pools_create(&attr, NULL);
	cache = calloc(1, sizeof(*cache));
	if (!pool || !cache)
		return 1;
	cache_attach(cache, pool, lock_tid(), NULL);
	every_size();
	a_miss_is_a_miss();
	flushed_before_failing();
	returned_before_failing();
	returned_serve_again();
	missed_is_stocked();
	boxes_change_hands();
	misuse();
	size_is_forgotten();
	random_operations(steps);
	cache_detach(cache);
	while (pool_take_box(pool, DEPOT_CLASSES))
		;
	CHECK(heap_used(pool->heap) == 0);
	CHECK(!cache_owns(cache, (void *)pool->lo));
	pools_delete(pool);
	free(cache);
	return failures != 0;
}
