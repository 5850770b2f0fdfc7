/* SPDX-License-Identifier: MIT */
/*
 * cache_held.c - what a cache's thread has of its tag
 *
 * Counted where blocks get the tag's number and lose it; what of them is in the bins is
 * looked up when somebody asks. Not on the realtime path, but for cache_book(). Reads
 * what the owner writes meanwhile: a figure may be an operation old. Bound: the bins.
 */
#include "cache_inline.h"
#include "tag.h"

void cache_book(struct cache *c, uint8_t tag)
{
	c->tag = tag;
	c->key ^= (uint16_t)(tag << 1);
	c->live ^= HEAP_OWNED(tag);
}

/* Of a block in the hands of its thread; nothing when it is none any more. */
static long held_size(const struct pool *p, void *const *slot)
{
	/* relaxed, all reads here: figures */
	uintptr_t block = (uintptr_t)__atomic_load_n(slot, __ATOMIC_RELAXED);

	return block - p->lo < p->span ? (long)cache_block_size((void *)block) : 0;
}

static long held_in_bin(void **const *top, void *const *slot, long depth)
{
	long n = __atomic_load_n(top, __ATOMIC_RELAXED) - slot;

	return n < 0 || n > depth ? 0 : n; /* attached only now */
}

/* Small blocks are not looked at: a bin's are all of one size. */
static long held_in_small(const struct cache *c, unsigned bin)
{
	return held_in_bin(
		&c->small[bin].top, c->small_slot + cache_slot(bin), cache_depth(bin));
}

uint8_t cache_held(const struct cache *c, long *blocks, long *bytes)
{
	const struct pool *p = __atomic_load_n(&c->pool, __ATOMIC_RELAXED);

	*blocks = *bytes = 0;
	if (!p || p->inherited)
		return TAG_NOBODY;
	*blocks = __atomic_load_n(&c->held_blocks, __ATOMIC_RELAXED);
	*bytes = __atomic_load_n(&c->held_bytes, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++) {
		long n = held_in_small(c, i);

		*blocks -= n;
		*bytes -= n * (long)(i * HEAP_ALIGN);
	}
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++) {
		long n = held_in_bin(
			&c->large_top[i], c->large_slot[i], CACHE_LARGE_DEPTH);

		*blocks -= n;
		for (; n > 0; n--)
			*bytes -= held_size(p, &c->large_slot[i][n]);
	}
	for (unsigned i = 0; i < CACHE_HUGE; i++) {
		long size = held_size(p, &c->huge[i]);

		*blocks -= size > 0;
		*bytes -= size;
	}
	return c->tag;
}
