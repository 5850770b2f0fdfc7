/* SPDX-License-Identifier: MIT */
/*
 * cache_unit.h - a pool with one cache before it, for the unit programs of the cache
 */
#ifndef CACHE_UNIT_H
#define CACHE_UNIT_H

#include <stdlib.h>

#include "check.h"
#include "cache_inline.h"
#include "pools.h"

static struct pool *pool;
static struct cache *cache;

static __attribute__((unused)) void *take(size_t n)
{
	void *p = cache_alloc(cache, n);

	return p ? p : cache_alloc_slow(cache, n);
}

static __attribute__((unused)) void give(void *p)
{
	CHECK(cache_free(cache, p) || cache_free_slow(cache, p) == HEAP_OK);
}

static unsigned live;

static void one_more(void *p)
{
	live++;
}

static void everything_back(void)
{
	cache_flush(cache);
	while (pool_take_returned(pool, 1U << 30) || pool_take_box(pool, DEPOT_CLASSES))
		;
	CHECK(pool_check(pool));
	CHECK(heap_used(pool->heap) == 0);
	live = 0;
	heap_each_live(pool->heap, one_more);
	CHECK(live == 0);
}

static void unit_begin(size_t size)
{
	const struct pool_attr attr = {.name = "test", .size = size};

	pool = pools_create(&attr, NULL);
	cache = calloc(1, sizeof(*cache));
	if (!pool || !cache)
		exit(2);
	cache_attach(cache, pool, lock_tid(), NULL);
}

/* The exit status. */
static int unit_end(void)
{
	cache_detach(cache);
	pools_delete(pool);
	free(cache);
	return failures != 0;
}

#endif
