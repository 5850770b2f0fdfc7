/* SPDX-License-Identifier: MIT */
/*
 * cache.h - a thread's private blocks of one pool: the fast path of a realtime malloc and
 * free
 *
 * No lock, no atomic, no system call, no loop. One small stack of block pointers per size
 * class: 16-byte steps up to CACHE_SMALL, sixteen classes per doubling up to CACHE_LARGE.
 * Bounded: at most 8 blocks a class and cache->room bytes in all (3 % of the pool).
 *
 * A cached block's header check is inverted (heap.h), so a second free of it is caught.
 */
#ifndef CACHE_H
#define CACHE_H

#include "pool.h"

#define CACHE_SMALL 1024UL  /* requests up to this: one class per 16 bytes */
#define CACHE_LARGE 65536UL /* requests up to this have a class */

/* Contents are the engine's; the size is pinned here because slots embed it. */
#define CACHE_BYTES 12672UL

/* Where a slot has its cache (route.h): the fast path adds up addresses from the slot. */
#define CACHE_IN_SLOT 0xe40L

struct cache; /* defined in cache_inline.h, included by route.c and cache.c only */

/* Owner, or before the thread can see it. pool must be ready. Touches every byte. */
void cache_attach(struct cache *c, struct pool *p, uint32_t tid);
/* Owner only: gives every block back. Bound: number of cached blocks. */
void cache_detach(struct cache *c);
/* Owner only: as detach but stays attached (before an allocation fails). */
void cache_flush(struct cache *c);

#endif
