/* SPDX-License-Identifier: MIT */
/*
 * route_private.h - the functions a slot may point to
 */
#ifndef ROUTE_PRIVATE_H
#define ROUTE_PRIVATE_H

#include <string.h>

#include "route.h"

#include "engine/cache_inline.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* jemalloc's functions ignore the second argument the entry points pass to all of them.
 */
#define ROUTE_JE_MALLOC ((route_malloc_fn *)(void *)je_malloc)
#define ROUTE_JE_FREE	((route_free_fn *)(void *)je_free)

route_malloc_fn route_malloc_simple; /* matched, one rule that asks nothing */
route_malloc_fn route_malloc_site;   /* matched, rules that ask for call sites only */
route_malloc_fn route_malloc_walk;   /* the same, some of them at a depth */
route_malloc_fn route_malloc_ask;    /* matched, rules with conditions; rtm_enter() */
route_free_fn route_free_check;	     /* not matched: pool or jemalloc */
route_free_fn route_free_cached;     /* matched, with a cache */
route_free_fn route_free_slow;	     /* matched, without one */
route_free_fn route_free_watched;    /* matched, either way; counts and times */
route_free_fn route_free_debug;	     /* matched, either way; MALLOC_DEBUG is set */
/* not matched, while other threads are audited: whose blocks it frees is seen */
route_malloc_fn route_malloc_unaudited;
route_free_fn route_free_unaudited;

static inline struct cache *route_cache(struct slot *s)
{
	return (struct cache *)(void *)s->cache;
}

/* From jemalloc, for a matched thread; ENOMEM with every NULL: its memalign forgets it.
 */
void *route_base_alloc(size_t size, size_t align);
/* The pool is full: as its policy says. tag: on which a block of the pool is booked. */
void *route_full_slow(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align);
/* The same for a thread's own pool; what its cache asks last. */
void *route_full_own_slow(struct cache *c, size_t n, size_t align);
/* From a pool and on a tag that may be others than those of the thread's cache. */
void *route_alloc_from(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align);

/* MALLOC_DEBUG is set (route_debug.c): before a call of a matched thread, after a new
 * block, before a free of a live block. */
void route_debug_before_slow(struct slot *s);
void route_debug_new_slow(void *p);
void route_debug_freeing_slow(struct pool *pool, void *p);

/* Owner: the chunk of frees for the helper that is being filled is full enough. */
void route_defer_push(struct slot *s);
/* The thread ends: its heaps in pools that are not the route's. */
void route_let_others_go(struct slot *s);

static inline void *route_copy(void *to, const void *from, size_t had, size_t size)
{
	return memcpy(to, from, had < size ? had : size);
}

#endif
