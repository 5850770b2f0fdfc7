/* SPDX-License-Identifier: MIT */
/*
 * rtm_debug.c - MALLOC_DEBUG: junk in new and freed blocks, validation of whole pools
 *
 * Level 0 costs one load per call. Level 1 writes each byte of a block once more; level 2
 * walks the whole pool at every call. Neither is bounded. Pools of rules: route_debug.c.
 */
#include "rtm.h"

#include <string.h>

#include "os/debug.h"
#include "os/log.h"

/* One block takes all there is: so every byte a later block can have is filled once. */
void rtm_debug_pool_made(struct pool *p)
{
	struct heap_stats st;
	void *all;

	if (!debug_level())
		return;
	pool_stats(p, &st);
	all = pool_alloc(p, st.largest_free, 0);
	if (!all)
		return;
	memset(all, DEBUG_FRESH, st.largest_free);
	pool_free(p, all);
}

void rtm_debug_allocated(struct pool *p, void *block, size_t from, size_t to)
{
	if (!debug_level() || to <= from)
		return;
	memset((unsigned char *)block + from, DEBUG_NEW, to - from);
}

void rtm_debug_freeing(struct pool *p, void *block)
{
	enum heap_verdict v;

	if (!debug_level())
		return;
	v = heap_check_pointer(p->heap, block);
	if (v != HEAP_OK)
		pool_misuse(p, block, v);
	memset(block, DEBUG_FREE, block_requested_of(block));
}

void rtm_debug_check(struct pool *p)
{
	if (__builtin_expect(debug_level() < 2, 1))
		return;
	if (!pool_check(p, NULL))
		log_misuse("MALLOC_DEBUG: pool \"%s\" is not sound", p->name);
}
