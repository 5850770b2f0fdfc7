/* SPDX-License-Identifier: MIT */
/*
 * cache_huge.c - blocks above every class: the last few that were freed
 *
 * A frame or a table of a megabyte comes and goes at one size. They count as the large
 * bins' blocks do, so a pool for which one is too much keeps none. Realtime path. Bound:
 * CACHE_HUGE blocks looked at.
 */
#include "cache_inline.h"

/* The first that is large enough and at most a sixteenth larger. */
void *cache_alloc_huge(struct cache *c, size_t n)
{
	size_t size = (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -HEAP_ALIGN;

	if (__builtin_expect(cache_is_tight(c) && !c->thrift, 0))
		cache_thrift_begin(c);
	for (int i = 0; i < CACHE_HUGE; i++) {
		void *p = c->huge[i];
		size_t more = p ? cache_block_size(p) - size : SIZE_MAX;

		if (more > size / 16)
			continue;
		c->huge[i] = NULL;
		c->room += (long)(size + more);
		heap_flip(p);
		return p;
	}
	return cache_from_heap(c, size);
}

/* p is live. False: it stays so. */
bool cache_keep_huge(struct cache *c, void *p, uint32_t size)
{
	if (c->room < (long)size)
		return false;
	for (int i = 0; i < CACHE_HUGE; i++) {
		if (c->huge[i])
			continue;
		c->huge[i] = p;
		c->room -= (long)size;
		heap_flip(p);
		return true;
	}
	return false;
}
