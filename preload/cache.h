/* SPDX-License-Identifier: MIT */
/*
 * cache.h - a thread's private blocks of one pool: the fast path of a realtime malloc and
 * free
 *
 * No lock, no atomic, no system call, no loop. One small stack of block pointers per size
 * class: 16-byte steps up to CACHE_SMALL, sixteen classes per doubling up to CACHE_LARGE.
 * A stack that runs over or empty trades with the pool's depot, up to DEPOT_BOX blocks at
 * once, and only when that has none with the heap, one block at a time.
 * Bounded: small stacks deepen with use, up to CACHE_DEEP, all of them together to 1/56
 * of the pool; large ones hold 1/84 of it. The fuller the pool, the less is kept back
 * (cache_thrift.c).
 *
 * A cached block's header check is inverted (heap.h), so a second free of it is caught.
 *
 * A cache books on one tag: blocks in its bins have that tag's number already, those in
 * boxes and reserves nobody's. So an allocation and a free that hit the bins do nothing
 * for it, and those that do not add to two sums. A block of another tag goes the way of
 * odd ones.
 */
#ifndef CACHE_H
#define CACHE_H

#include "pool.h"

#define CACHE_SMALL 1024UL  /* requests up to this: one class per 16 bytes */
#define CACHE_LARGE 65536UL /* requests up to this have a class */

/* Contents are the engine's; the size is pinned here because slots embed it. */
#define CACHE_BYTES 35008UL

/* Where a slot has its cache (route.h): the fast path adds up addresses from the slot. */
#define CACHE_IN_SLOT 0xe80L

struct cache; /* defined in cache_inline.h, included by route.c and cache.c only */

/* What an allocation of n bytes gets when the pool has no block for it: the last of the
 * functions that hand it on to each other, so that none has to look at what it gets. */
typedef void *cache_full_fn(struct cache *c, size_t n, size_t align);

/* Owner, or before the thread can see it. pool must be ready. Touches every byte. full:
 * NULL for NULL. */
void cache_attach(struct cache *c, struct pool *p, uint32_t tid, cache_full_fn *full);
/* Whoever has just attached it: what is allocated is booked on this tag (tag.h). Without
 * that, on none. */
void cache_book(struct cache *c, uint8_t tag);
/* Any thread, figures: live blocks of the cache's tag that it handed out, less those that
 * came back; negative where another cache's came back. Returns the tag. */
uint8_t cache_held(const struct cache *c, long *blocks, long *bytes);
/* Owner only: gives every block to the depot, or to the heap. Bound: cached blocks. */
void cache_detach(struct cache *c);
/* Owner only: gives every block to the heap and stays attached (before an allocation
 * fails). */
void cache_flush(struct cache *c);

/*
 * Helper only: reserves for who finds the heap locked; while the pool is roomy also what
 * other threads gave back, by size into the depot, and boxes of the sizes that were
 * missed. Returns how many were given back.
 */
unsigned cache_stock(struct pool *p, bool roomy);
/* Whoever has just committed a pool: reserves for who finds its heap locked, before a
 * thread needs them. */
void cache_stock_reserves(struct pool *p);

#endif
