/* SPDX-License-Identifier: MIT */
/*
 * cache_figures.c - how many live blocks of its tag a cache's thread has
 *
 * Blocks are counted when they get the tag's number and when they lose it. Blocks in bins
 * have the number, too, so they are subtracted here, when somebody asks. The owner goes
 * on writing meanwhile: a figure may be one operation old. Not on the realtime path.
 * Bound: the bins.
 */
#include "cache_inline.h"
#include "tag.h"

/* Of a block in a bin; nothing when it is there no more. relaxed, all reads: figures */
static long held_size(const struct pool *p, void *const *slot)
{
	uintptr_t block = (uintptr_t)__atomic_load_n(slot, __ATOMIC_RELAXED);

	return block - p->lo < p->span ? (long)block_taken_of((void *)block) : 0;
}

static long held_blocks_in(const struct cache *c, unsigned bin)
{
	long n = __atomic_load_n(&c->bin[bin].top, __ATOMIC_RELAXED) -
		 (c->slot + c->first[bin]);
	long most = c->first[bin + 1] - c->first[bin] - 1;

	return n < 0 || n > most ? 0 : n; /* attached only now */
}

uint64_t cache_misses(const struct cache *c)
{
	return __atomic_load_n(&c->misses, __ATOMIC_RELAXED); /* relaxed: a figure */
}

uint8_t cache_figures(const struct cache *c, long *blocks, long *bytes)
{
	const struct pool *p = __atomic_load_n(&c->pool, __ATOMIC_RELAXED);
	const struct heap *h = __atomic_load_n(&c->heap, __ATOMIC_RELAXED);

	*blocks = *bytes = 0;
	if (!p || p->inherited)
		return TAG_NOBODY;
	*blocks = __atomic_load_n(&c->held_blocks, __ATOMIC_RELAXED);
	*bytes = __atomic_load_n(&c->held_bytes, __ATOMIC_RELAXED);
	if (h) {
		*blocks += __atomic_load_n(&h->served_blocks, __ATOMIC_RELAXED);
		*bytes += __atomic_load_n(&h->served_bytes, __ATOMIC_RELAXED);
	}
	for (unsigned i = 0; i < CACHE_BINS; i++) {
		long n = held_blocks_in(c, i);

		*blocks -= n;
		if (i < CACHE_SMALL_BINS) /* all of one size: not looked at */
			*bytes -= n * (long)c->size[i];
		else
			for (; n > 0; n--)
				*bytes -= held_size(p, &c->slot[c->first[i] + n]);
	}
	return c->tag;
}
