/* SPDX-License-Identifier: MIT */
/*
 * cache_unit.h - a pool with one cache before it, for the unit programs of the cache
 */
#ifndef CACHE_UNIT_H
#define CACHE_UNIT_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "engine/cache_inline.h"
#include "engine/heap_list.h"
#include "engine/pools.h"
#include "engine/tag_block.h"

static struct pool *pool;
static struct cache *cache;

/* As malloc() of a matched thread does. */
static __attribute__((unused)) void *take(size_t n)
{
	return cache_alloc(cache, n);
}

/* As its free() does. */
static __attribute__((unused)) enum heap_verdict give_to(struct cache *c, void *p)
{
	if (!cache_owns(c, p))
		return HEAP_NOT_A_BLOCK;
	if (!cache_is_live(c, p, block_size(block_of(p))))
		return cache_free_odd(c, p);
	if (!cache_free_live(c, p, block_size(block_of(p))))
		cache_overflow(c, p);
	return HEAP_OK;
}

static __attribute__((unused)) enum heap_verdict give(void *p)
{
	return give_to(cache, p);
}

static __attribute__((unused)) struct cache *another(uint8_t tag, bool share)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		exit(2);
	cache_attach(c, pool, tag, share, NULL);
	return c;
}

static __attribute__((unused)) void no_more(struct cache *c)
{
	cache_detach(c);
	free(c);
}

static unsigned unit_live;

static void unit_one(void *p)
{
	unit_live++;
}

/* Nothing is alive: nothing is used either, in whatever heap, and nobody has a part. */
static __attribute__((unused)) void everything_back(void)
{
	cache_flush(cache);
	for (unsigned i = 0; i < pool->heaps; i++) {
		struct heap *h = pool_heap(pool, i);

		while (heap_take_back(h, 1000))
			;
		heap_trim(h, HEAP_ALL_OF_THEM);
		CHECK(!heap_check(h, &(const void *){NULL}));
		CHECK(h->used == 0 && h->own == 0);
	}
	CHECK(pool_check(pool, cache_heap(cache)));
	unit_live = 0;
	pool_each_live(pool, unit_one);
	CHECK(unit_live == 0);
	CHECK(parts_free(&pool->hot->parts) ==
		parts_mask(0, (unsigned)(pool->area.committed / pool->hot->parts.size)));
}

static __attribute__((unused)) void unit_begin(size_t size)
{
	const struct pool_attr attr = {.name = "test", .size = size};

	pool = pools_create(&attr, NULL);
	cache = calloc(1, sizeof(*cache));
	if (!pool || !cache)
		exit(2);
	pool_ready_heaps(pool, 3);
	cache_attach(cache, pool, TAG_NOBODY, false, NULL);
	CHECK(cache_heap(cache) && cache_heap(cache) != pool->heap);
}

/* The exit status. */
static __attribute__((unused)) int unit_end(void)
{
	cache_detach(cache);
	CHECK(!cache_owns(cache, (void *)(pool->lo + 64)) && !cache_heap(cache));
	pools_delete(pool);
	free(cache);
	return failures != 0;
}

#endif
