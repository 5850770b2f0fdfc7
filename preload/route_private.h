/* SPDX-License-Identifier: MIT */
/*
 * route_private.h - the functions a slot may point to
 */
#ifndef ROUTE_PRIVATE_H
#define ROUTE_PRIVATE_H

#include "route.h"

#include "cache_inline.h"

/* jemalloc's functions ignore the second argument the entry points pass to all of them.
 */
#define ROUTE_JE_MALLOC ((route_malloc_fn *)(void *)je_malloc)
#define ROUTE_JE_FREE	((route_free_fn *)(void *)je_free)

route_malloc_fn route_malloc_simple; /* matched, one rule that asks nothing */
route_malloc_fn route_malloc_ask;    /* matched, rules with conditions; rtm_enter() */
route_free_fn route_free_check;	     /* not matched: pool or jemalloc */
route_free_fn route_free_cached;     /* matched, with a cache */
route_free_fn route_free_slow;	     /* matched, without one */

static inline struct cache *route_cache(struct slot *s)
{
	return (struct cache *)(void *)s->cache;
}

#endif
