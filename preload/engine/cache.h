/* SPDX-License-Identifier: MIT */
/*
 * cache.h - a thread's private blocks of one pool: the fast path of malloc and free
 *
 * One small stack of blocks per size class, a BIN: 16-byte steps up to CACHE_SMALL,
 * sixteen classes per doubling up to CACHE_LARGE. A hit takes no lock, no atomic, no
 * loop. A miss asks the thread's own heap. A full bin sends blocks home: to the own heap,
 * or to the returned list of the heap they belong to. A cache may hold blocks of any heap
 * of its pool.
 *
 * A bin may hold as many blocks as it has CREDIT for. All credit together is 1/64 of the
 * pool; bins that stand empty lose theirs to bins that run over. While the pool has no
 * free part (pressure), bins accept nothing new and large blocks are allocated at their
 * own size, so that free memory stays in one piece.
 *
 * A cache books on one tag: blocks in its bins carry that tag's number already, so a hit
 * does nothing for it.
 */
#ifndef CACHE_H
#define CACHE_H

#include "pool.h"

#define CACHE_SMALL 1024UL  /* requests up to this: one class per 16 bytes */
#define CACHE_LARGE 65536UL /* requests up to this have a class */

/* Contents are the engine's; the size is pinned here because slots embed it. */
#define CACHE_BYTES 40960UL

struct cache; /* defined in cache_inline.h, included by route*.c and cache*.c only */

/* What an allocation of n bytes gets when the pool has no block for it. */
typedef void *cache_full_fn(struct cache *c, size_t n, size_t align);

/*
 * Owner, or before the thread can see it. pool must be ready. Touches every byte, adopts
 * a heap. tag: what is allocated is booked on. share: an ordinary thread, which may use
 * the shared heap when it has no own or finds no part. full: NULL for NULL.
 */
void cache_attach(
	struct cache *c, struct pool *p, uint8_t tag, bool share, cache_full_fn *full);
/* Owner: the thread is an ordinary one, or no longer. */
void cache_set_share(struct cache *c, bool share);
/* Owner only: gives every block home and lets the heap go. Bound: cached blocks, and
 * those that others returned. */
void cache_detach(struct cache *c);
/* A child of fork, or a slot that is used again: forget the pool. */
void cache_forget(struct cache *c);
/* Owner only: every block home. */
void cache_flush(struct cache *c);
/* Any thread, a figure: allocations that no bin could serve. */
uint64_t cache_misses(const struct cache *c);
/* Owner: its own heap, or NULL. */
struct heap *cache_heap(const struct cache *c);
/* Any thread, figures: live blocks of the cache's tag that it handed out, less those that
 * came back; negative where another cache's came back. Returns the tag. */
uint8_t cache_figures(const struct cache *c, long *blocks, long *bytes);

#endif
