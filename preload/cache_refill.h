/* SPDX-License-Identifier: MIT */
/*
 * cache_refill.h - past the bins: an empty one and a full one
 *
 * Still realtime, still bounded: boxes and the depot without a lock, the heap with one.
 * The second half of cache_inline.h, which includes it.
 */
#ifndef CACHE_REFILL_H
#define CACHE_REFILL_H

#define CACHE_REFUSED 64u /* full bins until one tries again what was refused */

/* True: p, live, is kept, since its bin, which is full, may become deeper. */
static inline bool cache_deepen(struct cache *c, void *p, size_t size)
{
	struct cache_bin *b = cache_small_bin(c, size);
	unsigned bin = (unsigned)(size / HEAP_ALIGN);

	if (size > CACHE_SMALL_BLOCK || c->deeper < (long)size ||
		b->full == c->small_slot + cache_slot(bin) + cache_depth(bin))
		return false;
	c->deeper -= (long)size;
	b->full++;
	*++b->top = p;
	heap_flip(p);
	return true;
}

static inline bool cache_is_tight(const struct cache *c)
{
	/* relaxed: a figure */
	return __atomic_load_n(c->used, __ATOMIC_RELAXED) >= c->tight;
}

/* The depot's class of a block below CACHE_LARGE_END. */
static inline unsigned cache_class(const struct cache *c, size_t size)
{
	if (size <= CACHE_SMALL_BLOCK)
		return (unsigned)(size / HEAP_ALIGN);
	return (unsigned)(CACHE_SMALL_BINS + cache_large_class(c, size));
}

/* After the bin of `size` had none: the open box, another one, or the heap. */
CACHE_INLINE void *cache_refill(struct cache *c, size_t size, unsigned class)
{
	if (size <= c->box_max) {
		if (c->box_n[class])
			return cache_unbox(c, class);
		if (__builtin_expect(depot_has(c->depot, class), 0))
			return cache_refill_box(c, size, class);
		/* relaxed: a wish, to the helper */
		__atomic_store_n(&c->depot->missed[class], 1, __ATOMIC_RELAXED);
	}
	return cache_from_heap(c, size);
}

CACHE_INLINE void *cache_refill_small(struct cache *c, size_t size)
{
	if (__builtin_expect(size < HEAP_BLOCK_MIN, 0))
		return cache_alloc_tiny(c);
	if (__builtin_expect(c->thrift, 0))
		return cache_refill_thrift(c, size, (unsigned)(size / HEAP_ALIGN));
	return cache_refill(c, size, (unsigned)(size / HEAP_ALIGN));
}

/* CACHE_SMALL < n <= CACHE_LARGE. In thrift, its own size and not its class's. */
CACHE_INLINE void *cache_refill_large(struct cache *c, size_t n)
{
	unsigned class;

	if (__builtin_expect(cache_is_tight(c), 0))
		return cache_alloc_thrift(c, n);
	class = cache_large_fitting(c, n);
	return cache_refill(c, c->large_size[class], (unsigned)CACHE_SMALL_BINS + class);
}

/* The same for any n. */
static inline void *cache_alloc_slow(struct cache *c, size_t n)
{
	if (n <= CACHE_SMALL)
		return cache_refill_small(c, cache_small_size(n));
	if (n <= CACHE_LARGE)
		return cache_refill_large(c, n);
	if (__builtin_expect(n > HEAP_BLOCK_MAX - 2 * HEAP_ALIGN, 0))
		return NULL;
	return cache_alloc_huge(c, n);
}

/* p is a live block of this cache's pool whose bin is full. Never waits. */
CACHE_INLINE enum heap_verdict cache_free_full(struct cache *c, void *p)
{
	uint32_t size = cache_block_size(p);
	enum heap_verdict v;

	if (__builtin_expect((uintptr_t)p % HEAP_ALIGN, 0))
		return cache_free_odd(c, p);
	/* when boxes were refused lately it is the heap's turn: no free does the work of
	 * both */
	if (size <= c->box_in) {
		if (__builtin_expect(!c->refused, 1))
			return cache_overflow(c, p, size);
		c->refused--;
	} else if (size >= CACHE_LARGE_END && cache_keep_huge(c, p, size)) {
		return HEAP_OK;
	}
	cache_take_back(c, p, size);
	if (__builtin_expect(!lock_try(&c->hot->lock, c->tid), 0)) {
		pool_push_returned(c->hot, p);
		return HEAP_OK;
	}
	v = heap_free_known(c->heap, p);
	lock_release(&c->hot->lock, c->tid);
	return v;
}

/* p lies in this cache's pool and cache_free() did not take it. */
static inline enum heap_verdict cache_free_slow(struct cache *c, void *p)
{
	if (__builtin_expect(!cache_is_live(c, p), 0))
		return cache_free_odd(c, p);
	return cache_free_full(c, p);
}

#endif
