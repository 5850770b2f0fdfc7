/* SPDX-License-Identifier: MIT */
/*
 * route_debug.c - MALLOC_DEBUG for matched threads: junk, and validation of their heap
 *
 * Not on the realtime path: a thread's functions lead here only when the variable is set.
 * Bound: the block; at level 2 all blocks of the thread's heap and of the shared one.
 */
#include "route_private.h"

#include "os/debug.h"
#include "os/log.h"
#include "engine/pools.h"

/* Other threads' heaps are theirs. */
static void route_debug_check(struct slot *s, struct pool *pool)
{
	if (debug_level() > 1 && pool && !pool_check(pool, route_heap_in(s, pool)))
		log_misuse("MALLOC_DEBUG: pool \"%s\" is not sound", pool->name);
}

void route_debug_before_slow(struct slot *s)
{
	route_debug_check(s, s->route ? s->route->pool : NULL);
	route_debug_check(s, s->entered);
}

void route_debug_new_slow(void *p)
{
	struct pool *pool = p ? pools_find(p) : NULL;

	if (pool)
		memset(p, DEBUG_NEW, pool_room(pool, p));
}

void route_debug_freeing_slow(struct pool *pool, void *p)
{
	enum heap_verdict v = heap_check_pointer(pool->heap, p);

	if (v != HEAP_OK)
		pool_misuse(pool, p, v);
	memset(p, DEBUG_FREE, pool_room(pool, p));
}

void route_free_debug(void *p, struct slot *s)
{
	struct pool *pool = p ? pools_find(p) : NULL;

	route_debug_before_slow(s);
	if (pool && s->route && pool == s->route->pool)
		route_debug_freeing_slow(pool, p);
	/* a tail call: the program's return address stays where an audit looks */
	route_free(p, s);
}
