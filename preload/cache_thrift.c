/* SPDX-License-Identifier: MIT */
/*
 * cache_thrift.c - the fuller the pool, the less a cache keeps back
 *
 * What rests in bins and boxes lies between live blocks: free memory falls apart, and a
 * large block finds no place though there is enough. So there are two steps.
 *
 *   thrift  from five sixteenths of the pool on nothing more goes into boxes, bins keep
 * the depth they have, and large blocks are allocated at their own size and not their
 * class's closed  from two thirds on, or once an allocation could only be served by
 * giving all back, bins keep only what they have
 *
 * Both end at one quarter, or when a sixth of what was in use at such a last resort is
 * free again.
 *
 * What is not kept goes into the heap, and comes from there: at most the instructions
 * that are stated, but with the pool's lock. What there is in bins and boxes is used up
 * first. Looked at where a cache would take more, so that bins that serve cost nothing.
 *
 * Realtime path. No lock. Bound: THRIFT_CLOSE bins looked at.
 */
#include "cache_inline.h"

#include <limits.h>

/* What is taken from the bytes that bins may hold and deepen by: more than there are. */
#define THRIFT_ALL   (LONG_MAX / 2)
#define THRIFT_CLOSE 4u

/* Parts of all that the pool may grow to: before it has, there is no need. */
void cache_thrift_init(struct cache *c)
{
	c->tight = c->pool->span / 16 * 5;
	c->calm = c->pool->span / 4;
	c->shut = c->pool->span / 3 * 2;
}

void cache_thrift_begin(struct cache *c)
{
	c->thrift = true;
	c->tight = 0;
	c->box_in = 0;
}

static void thrift_close(struct cache *c)
{
	c->closed = true;
	c->deep = CACHE_SMALL_BINS;
	c->room -= THRIFT_ALL;
	c->deeper -= THRIFT_ALL;
}

/* After a flush. Unless it was only that too much was asked for. */
void cache_thrift_last(struct cache *c)
{
	size_t used = heap_used(c->heap);

	cache_see_growth(c);
	if (used < c->span / 4)
		return;
	cache_thrift_begin(c);
	thrift_close(c);
	if (used < c->calm)
		c->calm = used / 6 * 5;
}

void cache_thrift_end(struct cache *c)
{
	if (c->closed) {
		c->room += THRIFT_ALL;
		c->deeper += THRIFT_ALL;
	}
	c->thrift = c->closed = false;
	c->box_in = c->box_max;
	cache_thrift_init(c);
}

/* Some small bins lose the depth for which they have no block. */
static inline void thrift_close_bins(struct cache *c, unsigned n)
{
	for (; n && c->deep; n--) {
		struct cache_bin *b = &c->small[--c->deep];

		c->deeper += (b->full - b->top) * (long)(c->deep * HEAP_ALIGN);
		b->full = b->top;
	}
}

/* The bin of `size` had none. Steps are taken by a call that has little else to do. */
CACHE_INLINE void *thrift_refill(struct cache *c, size_t size, unsigned class)
{
	size_t used = __atomic_load_n(c->used, __ATOMIC_RELAXED); /* a figure */

	if (__builtin_expect(used < c->calm, 0)) {
		cache_thrift_end(c);
		return cache_refill(c, size, class);
	}
	if (c->box_n[class]) {
		thrift_close_bins(c, THRIFT_CLOSE);
		return cache_unbox(c, class);
	}
	if (size <= c->box_max && depot_has(c->depot, class))
		return cache_refill_box(c, size, class);
	if (__builtin_expect(used >= c->shut && !c->closed, 0))
		thrift_close(c);
	else
		thrift_close_bins(c, 1);
	return cache_from_heap(c, size);
}

void *cache_refill_thrift(struct cache *c, size_t size, unsigned class)
{
	return thrift_refill(c, size, class);
}

void *cache_alloc_thrift(struct cache *c, size_t n)
{
	size_t size = (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -HEAP_ALIGN;

	if (!c->thrift)
		cache_thrift_begin(c);
	return thrift_refill(
		c, size, (unsigned)CACHE_SMALL_BINS + cache_large_fitting(c, n));
}
