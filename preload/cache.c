/* SPDX-License-Identifier: MIT */
/*
 * cache.c - what happens when a bin is empty or full; attaching, flushing
 *
 * Realtime path, but for attach, detach and flush. Waits for the pool's lock only when
 * neither the cache nor the blocks other threads gave back can serve; waits for nobody in
 * a free. One heap operation per allocation or free, never two: that is what bounds them.
 * Blocks other threads gave back are looked at CACHE_LOOK at a time; those of no use to
 * their new owner go to the helper, which puts them into the heap (pool_take_returned()),
 * or into the heap by ourselves before an allocation fails.
 */
#include "cache_inline.h"

#include "pools.h"

#include <string.h>

#define CACHE_LOOK 2 /* blocks given back that are looked at per allocation */

/* ---- blocks that others gave back ---- */

/* A flipped block into its bin, if there is room. */
static inline bool cache_keep(struct cache *c, void *p, uint32_t size)
{
	if (size <= CACHE_SMALL_BLOCK)
		return cache_push_small(c, size, p);
	return cache_keep_large(c, p, size);
}

/* A flipped block, larger than wanted and of no other use: its front serves. */
static void *cache_carve_slow(struct cache *c, void *p, size_t size)
{
	bool sound;

	heap_flip(p);
	lock_acquire(&c->hot->lock, c->tid);
	sound = heap_check_pointer(c->heap, p) == HEAP_OK &&
		heap_resize(c->heap, p, size - HEAP_OVERHEAD);
	lock_release(&c->hot->lock, c->tid);
	if (__builtin_expect(!sound, 0))
		pool_misuse(c->pool, p, HEAP_BROKEN);
	/* what was too little to be cut off is the program's to use */
	heap_retire(p);
	heap_flip(p);
	return p;
}

/*
 * Serve from what others gave back: the very size, or the front of something larger;
 * what is neither goes into a bin, or is left to the helper. Bound: CACHE_LOOK.
 */
void *cache_alloc_returned(struct cache *c, size_t size)
{
	if (!c->inbox)
		/* acquire: pairs with the push in pool_return(); takes all, so no ABA */
		c->inbox = __atomic_exchange_n(&c->hot->returned, NULL, __ATOMIC_ACQUIRE);
	for (int i = 0; c->inbox && i < CACHE_LOOK; i++) {
		void *p = c->inbox;
		uint32_t has = cache_block_size(p);

		c->inbox = pool_below(c->pool, p);
		if (has == size) {
			heap_flip(p);
			return p;
		}
		if (cache_keep(c, p, has))
			continue;
		if (has > size)
			return cache_carve_slow(c, p, size);
		pool_push_returned(c->hot, p);
		break;
	}
	return NULL;
}

/* ---- refill ---- */

void cache_see_growth(struct cache *c)
{
	/* relaxed: a block beyond what we know only takes the slow path once */
	c->span = __atomic_load_n(&c->pool->area.committed, __ATOMIC_RELAXED) -
		  (c->lo - (uintptr_t)c->pool->area.base);
}

/* Nothing fits: give back all we hold and all that was returned, then once more. Bound:
 * what this cache holds and what other threads returned and nobody has taken yet. */
void *cache_alloc_last_slow(struct cache *c, size_t n)
{
	cache_flush(c);
	return pool_alloc(c->pool, n, 0); /* ends the program when the heap is broken */
}

/* Requests up to 8 bytes have the smallest block but a bin of their own number. */
void *cache_alloc_tiny(struct cache *c, size_t n)
{
	void *p = cache_pop_small(c, HEAP_BLOCK_MIN);

	return p ? p : cache_refill(c, n, HEAP_BLOCK_MIN);
}

/*
 * Not the start of a live block, or one with slack: of rtm_alloc(), of an alignment, of a
 * realloc. Misuse is named; a block loses its slack and goes where others go.
 */
enum heap_verdict cache_free_odd(struct cache *c, void *p)
{
	enum heap_verdict v = heap_check_pointer(c->heap, p);

	if (v != HEAP_OK)
		return v;
	heap_retire(p);
	if (cache_keep(c, p, cache_block_size(p)))
		return HEAP_OK;
	if (__builtin_expect(!lock_try(&c->hot->lock, c->tid), 0)) {
		pool_push_returned(c->hot, p);
		return HEAP_OK;
	}
	v = heap_free_flipped(c->heap, p);
	lock_release(&c->hot->lock, c->tid);
	return v;
}

/* ---- attach, detach, flush ---- */

/* What bins may hold of a pool, all full: 1/56 in small ones and 1/84 in large ones. */
#define CACHE_SMALL_SHARE 56
#define CACHE_LARGE_SHARE 84

/* How deep small bins are: one block more for each while the share lasts, small ones
 * first. */
static void cache_share(const struct pool *p, unsigned char depth[CACHE_SMALL_BINS])
{
	size_t left = p->size / CACHE_SMALL_SHARE;

	memset(depth, 0, CACHE_SMALL_BINS);
	for (int round = 0; round < CACHE_DEPTH; round++)
		for (size_t i = HEAP_BLOCK_MIN / HEAP_ALIGN; i < CACHE_SMALL_BINS; i++) {
			if (left < i * HEAP_ALIGN)
				return;
			left -= i * HEAP_ALIGN;
			depth[i]++;
		}
}

static void cache_init_bin(void ***top, void ***full, void **slot, int depth)
{
	slot[0] = NULL;
	*top = slot;
	*full = slot + depth;
}

/* Sixteen classes per doubling from 1 << CACHE_LARGE_MSB on. */
static uint8_t cache_class_of(size_t size)
{
	unsigned shift;

	if (size < 1UL << CACHE_LARGE_MSB)
		return 0;
	shift = cache_large_shift(size);
	return (uint8_t)((size >> shift) - 16u + (shift - (CACHE_LARGE_MSB - 4u)) * 16u);
}

void cache_attach(struct cache *c, struct pool *p, uint32_t tid)
{
	unsigned char depth[CACHE_SMALL_BINS];

	cache_share(p, depth);
	c->lo = p->lo;
	c->key = p->key;
	c->tid = tid;
	c->pool = p;
	c->hot = p->hot;
	c->heap = p->heap;
	c->inbox = NULL;
	c->room = (long)(p->size / CACHE_LARGE_SHARE);
	cache_see_growth(c);
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
		cache_init_bin(
			&c->small[i].top, &c->small[i].full, c->small_slot[i], depth[i]);
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		cache_init_bin(&c->large_top[i], &c->large_full[i], c->large_slot[i],
			CACHE_LARGE_DEPTH);
	for (unsigned i = 0; i < CACHE_LARGE_END / CACHE_LARGE_UNIT; i++)
		c->large_class[i] = cache_class_of(i * CACHE_LARGE_UNIT);
}

/* A flipped block into the heap; the lock is held for this one operation. */
static void cache_give(struct cache *c, void *p)
{
	enum heap_verdict v;

	lock_acquire(&c->hot->lock, c->tid);
	v = heap_free_flipped(c->heap, p);
	lock_release(&c->hot->lock, c->tid);
	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(c->pool, p, v);
}

static void cache_flush_bin(struct cache *c, void ***top)
{
	for (; **top; --*top)
		cache_give(c, **top);
}

void cache_flush(struct cache *c)
{
	if (c->pool->inherited)
		return;
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
		cache_flush_bin(c, &c->small[i].top);
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		cache_flush_bin(c, &c->large_top[i]);
	c->room = (long)(c->pool->size / CACHE_LARGE_SHARE);
	while (c->inbox) {
		void *p = c->inbox;

		c->inbox = pool_below(c->pool, p);
		cache_give(c, p);
	}
}

void cache_detach(struct cache *c)
{
	cache_flush(c);
	c->pool = NULL;
	c->span = 0;
}
