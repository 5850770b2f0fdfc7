/* SPDX-License-Identifier: MIT */
/*
 * cache_attach.c - begin and end of a thread's cache, for one pool and one tag
 *
 * Not on the realtime path. Bound: the bins and the heaps of the pool.
 */
#include "cache_inline.h"

#include <string.h>

#include "tag_block.h"

#define CACHE_SHARE 64 /* all credit is this part of the pool */

static void *cache_no_block(struct cache *c, size_t n, size_t align)
{
	return NULL;
}

static uint32_t cache_size_of(unsigned bin)
{
	unsigned large = bin - (unsigned)CACHE_SMALL_BINS;

	if (bin < CACHE_SMALL_BINS)
		return bin * (uint32_t)BLOCK_ALIGN;
	return (16u + large % 16u) << (CACHE_LARGE_LOG - 4u + large / 16u);
}

static unsigned cache_most(unsigned bin)
{
	uint32_t size = cache_size_of(bin);

	if (bin < CACHE_SMALL_BINS)
		return size <= 512 ? CACHE_DEPTH_SMALL : CACHE_DEPTH_1K;
	return size < 8192 ? CACHE_DEPTH_8K : CACHE_DEPTH_LARGE;
}

static uint8_t cache_large_bin_of(size_t size)
{
	unsigned shift;

	if (size < 1UL << CACHE_LARGE_LOG)
		return 0;
	shift = ((unsigned)__builtin_clzl(size) ^ 63u) - 4u;
	return (uint8_t)(CACHE_SMALL_BINS + (size >> shift) - 16u +
			 (shift - (CACHE_LARGE_LOG - 4u)) * 16u);
}

/* Bins begin without credit: those that are used get it. */
static void cache_init_bins(struct cache *c)
{
	unsigned at = 0;

	for (unsigned i = 0; i < CACHE_BINS; i++) {
		c->first[i] = (uint16_t)at;
		c->size[i] = cache_size_of(i);
		c->bin[i].top = c->bin[i].full = &c->slot[at];
		at += cache_most(i) + 1;
	}
	c->first[CACHE_BINS] = (uint16_t)at;
	for (unsigned i = 0; i < CACHE_LARGE_END / CACHE_LARGE_UNIT; i++)
		c->large_bin[i] = cache_large_bin_of(i * CACHE_LARGE_UNIT);
}

void cache_attach(
	struct cache *c, struct pool *p, uint8_t tag, bool share, cache_full_fn *full)
{
	memset(c, 0, sizeof(*c));
	c->lo = p->lo + BLOCK_ALIGN;
	c->key = p->key;
	c->tag = tag;
	c->tag_bits = (uint32_t)tag << BLOCK_TAG_SHIFT;
	c->share = share;
	c->pool = p;
	c->full = full ? full : cache_no_block;
	c->credit = (long)(p->size / CACHE_SHARE);
	c->hand = CACHE_BINS - 1;
	cache_init_bins(c);
	cache_see_growth(c);
	c->parts = &p->hot->parts;
	c->heap = pool_adopt(p, share);
	if (c->heap)
		pool_tidy(c->heap);
	c->number = c->heap ? c->heap->number : 255;
}

void cache_set_share(struct cache *c, bool share)
{
	c->share = share;
}

struct heap *cache_heap(const struct cache *c)
{
	return c->heap;
}

void cache_forget(struct cache *c)
{
	c->held_blocks = c->held_bytes = 0;
	c->pool = NULL;
	c->heap = NULL;
	c->span = 0;
	c->misses = 0;
}

void cache_detach(struct cache *c)
{
	long blocks = c->heap ? c->heap->served_blocks : 0;
	long bytes = c->heap ? c->heap->served_bytes : 0;

	if (!c->pool->inherited) {
		cache_flush(c);
		if (c->heap)
			pool_let_go(c->pool, c->heap);
		/* what is out there is no cache's any more */
		tag_count(c->tag, c->held_blocks + blocks, c->held_bytes + bytes);
	}
	cache_forget(c);
}
