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

static void held_out_of_bin(
	const struct pool *p, void *const *slot, long n, long *blocks, long *bytes)
{
	*blocks -= n;
	for (; n > 0; n--)
		*bytes -= held_size(p, slot + n);
}

uint8_t cache_held(const struct cache *c, long *blocks, long *bytes)
{
	const struct pool *p = __atomic_load_n(&c->pool, __ATOMIC_RELAXED);

	*blocks = *bytes = 0;
	if (!p || p->inherited)
		return TAG_NOBODY;
	*blocks = __atomic_load_n(&c->held_blocks, __ATOMIC_RELAXED);
	*bytes = __atomic_load_n(&c->held_bytes, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
		held_out_of_bin(p, c->small_slot + cache_slot(i),
			held_in_bin(&c->small[i].top, c->small_slot + cache_slot(i),
				cache_depth(i)),
			blocks, bytes);
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		held_out_of_bin(p, c->large_slot[i],
			held_in_bin(
				&c->large_top[i], c->large_slot[i], CACHE_LARGE_DEPTH),
			blocks, bytes);
	for (unsigned i = 0; i < CACHE_HUGE; i++) {
		long size = held_size(p, &c->huge[i]);

		*blocks -= size > 0;
		*bytes -= size;
	}
	return c->tag;
}
