/* SPDX-License-Identifier: MIT */
/*
 * cache_thrift.c - the fuller a pool, the less its caches keep back; and how that ends
 */
#include <stdio.h>
#include <stdlib.h>

#include "cache_unit.h"

#define SIZE (64UL << 20)
#define STEP 2000

static void *filled[SIZE / STEP];

/* Up to `part` sixteenths of the pool; beyond, down to it. */
static void fill(unsigned part, unsigned *n)
{
	while (heap_used(pool->heap) < SIZE / 16 * part)
		CHECK((filled[(*n)++] = pool_alloc(pool, STEP, 0)) != NULL);
	while (*n && heap_used(pool->heap) > SIZE / 16 * part + 2 * STEP)
		CHECK(pool_free(pool, filled[--*n]) == HEAP_OK);
}

static bool give_to(struct cache *c, void *p)
{
	return cache_free(c, p) || cache_free_slow(c, p) == HEAP_OK;
}

/* How many of these frees went into the heap. */
static unsigned into_heap(struct cache *c, size_t size)
{
	const struct heap *heap = c->heap;
	void *p[600];
	unsigned n = 0;

	for (unsigned i = 0; i < 600; i++)
		CHECK((p[i] = cache_alloc_slow(c, size)) != NULL);
	for (unsigned i = 0; i < 600; i++) {
		size_t used = heap_used(heap);

		CHECK(give_to(c, p[i]));
		n += heap_used(heap) < used;
	}
	return n;
}

/* It is seen where a cache would take more; what bins hold already stays in use. */
static void fills(struct cache *c, unsigned *n)
{
	void *p;

	CHECK(into_heap(c, 64) < 60 && !c->thrift);
	CHECK((p = cache_alloc_slow(c, 5100)) && heap_usable_of(p) > 5110);
	CHECK(give_to(c, p));
	fill(7, n);
	into_heap(c, 64);
	CHECK(c->thrift && !c->closed);
	CHECK((p = cache_alloc_slow(c, 5100)) && heap_usable_of(p) <= 5112);
	CHECK(give_to(c, p));
	CHECK(into_heap(c, 80) == 600);
	/* what the bin has, it keeps */
	CHECK((p = cache_alloc(c, 64)) != NULL && cache_free(c, p));
	fill(12, n);
	into_heap(c, 80);
	CHECK(c->closed);
	into_heap(c, 80);
	CHECK(into_heap(c, 96) == 600 && into_heap(c, 5100) == 600);
}

/* It is not over as soon as the pool is no more so full. */
static void empties(struct cache *c, unsigned *n)
{
	fill(5, n);
	CHECK(into_heap(c, 96) == 600 && c->closed);
	fill(3, n);
	into_heap(c, 112);
	CHECK(into_heap(c, 112) < 60 && !c->thrift && !c->closed);
}

/* Two threads' caches, before a pool that fills and empties; and one that closed when it
 * is all over at once. */
static void thrifty_while_full(void)
{
	struct cache *other = calloc(1, sizeof(*other));
	unsigned n = 0;

	if (!other)
		exit(2);
	cache_attach(other, pool, lock_tid(), NULL);
	fills(cache, &n);
	fill(0, &n);
	fills(other, &n);
	into_heap(cache, 64);
	empties(cache, &n);
	into_heap(other, 64);
	CHECK(!other->thrift && !other->closed && into_heap(other, 64) < 600);
	cache_detach(other);
	free(other);
	while (n)
		CHECK(pool_free(pool, filled[--n]) == HEAP_OK);
	everything_back();
}

/* A pool that ran short although it may grow: over when there is room again in what it
 * has. */
static void thrifty_before_it_grows(void)
{
	const struct pool_attr attr = {.name = "grows", .size = 1UL << 20, .max = SIZE};
	struct pool *p = pools_create(&attr, NULL);
	struct cache *c = calloc(1, sizeof(*c));
	void *a, *b;

	if (!p || !c)
		exit(2);
	cache_attach(c, p, lock_tid(), NULL);
	a = cache_alloc_slow(c, 300000);
	b = cache_alloc_slow(c, 300000);
	CHECK(a && b && !cache_alloc_slow(c, 800000) && c->closed);
	CHECK(into_heap(c, 64) == 600 && c->closed);
	CHECK(give_to(c, b));
	into_heap(c, 64);
	CHECK(!c->thrift && into_heap(c, 64) < 600);
	CHECK(give_to(c, a));
	cache_detach(c);
	pools_delete(p);
	free(c);
}

/* The last resort begins it, but not for a request that no pool of this size could
 * serve. */
static void thrifty_after_the_last_resort(void)
{
	unsigned n = 0;

	CHECK(!cache_alloc_slow(cache, 2 * SIZE) && !cache->thrift);
	while (n < 64 && (filled[n] = cache_alloc_slow(cache, 1000000)))
		n++;
	CHECK(n > 50 && n <= 64 && !cache_alloc_slow(cache, SIZE / 2) && cache->closed);
	while (n > 18)
		give(filled[--n]);
	CHECK(!cache_alloc_slow(cache, SIZE - SIZE / 8) && cache->closed);
	into_heap(cache, 64);
	CHECK(cache->thrift);
	while (n)
		give(filled[--n]);
	CHECK(heap_used(pool->heap) < SIZE / 16);
	into_heap(cache, 64);
	CHECK(!cache->thrift);
	CHECK((filled[0] = cache_alloc_slow(cache, SIZE)) != NULL);
	give(filled[0]);
	everything_back();
}

int main(void)
{
	unit_begin(SIZE);
	thrifty_while_full();
	thrifty_after_the_last_resort();
	thrifty_before_it_grows();
	return unit_end();
}
