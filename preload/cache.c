/* SPDX-License-Identifier: MIT */
/*
 * cache.c - filling, emptying and large classes of a thread's cache
 *
 * Realtime path, but for attach, detach and flush. Takes the pool's lock only when
 * neither the cache nor the blocks other threads gave back can serve; waits for nobody in
 * a free. Bounds: CACHE_REUSE blocks moved from the inbox into bins and CACHE_GIVE into
 * the heap per allocation; no other loop.
 */
#include "cache_inline.h"

#include "pools.h"

#define CACHE_REUSE 2
#define CACHE_GIVE  1

/* ---- large classes ---- */

/* Class of the largest class size <= size. size > 1 << CACHE_LARGE_MSB. */
static inline unsigned cache_large_floor(size_t size, unsigned *shift)
{
	*shift = 63u - (unsigned)__builtin_clzl(size) - 4u;
	return (unsigned)(size >> *shift) - 16u + (*shift - (CACHE_LARGE_MSB - 4u)) * 16u;
}

/* Class and size of the smallest class that holds a block of `size`. */
static inline unsigned cache_large_ceil(size_t size, size_t *class_size)
{
	unsigned shift, class = cache_large_floor(size - 1, &shift) + 1;

	*class_size = (((size - 1) >> shift) + 1) << shift;
	return class;
}

static inline size_t cache_block_size(size_t n)
{
	size_t size = (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return size < HEAP_BLOCK_MIN ? HEAP_BLOCK_MIN : size;
}

void *cache_alloc_large(struct cache *c, size_t n)
{
	size_t class_size;
	void *p;

	if (n > CACHE_LARGE)
		return NULL;
	p = cache_pop(&c->large[cache_large_ceil(cache_block_size(n), &class_size)]);
	if (p)
		c->room += heap_block_bytes(p);
	return p;
}

static inline bool cache_push(struct cache_bin *bin, void *p)
{
	void **top = bin->top;

	if (top == bin->full)
		return false;
	top[1] = p;
	bin->top = top + 1;
	return true;
}

bool cache_free_large(struct cache *c, void *p, size_t size)
{
	unsigned shift, class = cache_large_floor(size, &shift);

	if (class >= CACHE_LARGE_BINS || c->room < (long)size ||
		!cache_push(&c->large[class], p))
		return false;
	c->room -= (long)size;
	heap_flip(p);
	return true;
}

/* ---- refill ---- */

/* A flipped block into its bin, if there is room. */
static bool cache_keep(struct cache *c, void *p)
{
	uint32_t size = heap_block_bytes(p);
	unsigned shift, class;

	if (size <= CACHE_SMALL_BLOCK)
		return cache_push(cache_small_bin(c, size), p);
	class = cache_large_floor(size, &shift);
	if (class >= CACHE_LARGE_BINS || c->room < (long)size ||
		!cache_push(&c->large[class], p))
		return false;
	c->room -= (long)size;
	return true;
}

/* Blocks others gave back go into our bins. Bound: CACHE_REUSE. */
static inline void cache_reuse(struct cache *c)
{
	struct pool_hot *hot = c->pool->hot;

	if (!c->inbox) {
		/* relaxed: only a hint that an exchange pays */
		if (!__atomic_load_n(&hot->returned, __ATOMIC_RELAXED))
			return;
		/* acquire: pairs with the push in pool_return(); takes all, so no ABA */
		c->inbox = __atomic_exchange_n(&hot->returned, NULL, __ATOMIC_ACQUIRE);
	}
	for (int i = 0; c->inbox && i < CACHE_REUSE; i++) {
		void *below = *(void **)c->inbox;

		if (!cache_keep(c, c->inbox))
			return;
		c->inbox = below;
	}
}

/* Under the lock. Bound: max. */
static inline void cache_give_inbox(struct cache *c, int max)
{
	for (int i = 0; c->inbox && i < max; i++) {
		void *p = c->inbox;

		c->inbox = *(void **)p;
		if (__builtin_expect(pool_give_locked(c->pool, p) != HEAP_OK, 0))
			pool_misuse(c->pool, p, HEAP_BROKEN);
	}
}

static inline void cache_see_growth(struct cache *c)
{
	/* relaxed: a block beyond what we know only takes the slow path once */
	c->span = __atomic_load_n(&c->pool->area.committed, __ATOMIC_RELAXED) -
		  (c->lo - (uintptr_t)c->pool->area.base);
}

/* Nothing fits: give back all we hold and all that was returned, then once more. Bound:
 * what this cache holds and what other threads returned since the last allocation. */
static __attribute__((noinline)) void *cache_alloc_last_slow(struct cache *c, size_t n)
{
	const void *broken;
	void *p;

	cache_flush(c);
	p = pool_alloc(c->pool, n, 0);
	broken = p ? NULL : heap_broken_block(c->pool->heap);
	if (broken)
		pool_misuse(c->pool, broken, HEAP_BROKEN);
	return p;
}

/* The size to ask the heap for, so that a block freed into its class serves again. */
static inline size_t cache_heap_request(size_t n)
{
	size_t class_size;

	if (n <= CACHE_SMALL || n > CACHE_LARGE)
		return n;
	cache_large_ceil(cache_block_size(n), &class_size);
	return class_size - HEAP_OVERHEAD;
}

void *cache_alloc_slow(struct cache *c, size_t n)
{
	struct pool *pool = c->pool;
	void *p = NULL;

	/* requests up to 8 bytes have the smallest block but a bin of their own number */
	if (n <= 8)
		p = cache_pop(cache_small_bin(c, HEAP_BLOCK_MIN));
	if (p)
		return p;
	cache_reuse(c);
	if (n <= CACHE_LARGE)
		p = cache_alloc(c, n > 8 ? n : 9);
	if (p)
		return p;
	cache_see_growth(c);
	lock_acquire(&pool->hot->lock, c->tid);
	cache_give_inbox(c, CACHE_GIVE);
	p = heap_alloc(pool->heap, cache_heap_request(n));
	lock_release(&pool->hot->lock, c->tid);
	return __builtin_expect(p != NULL, 1) ? p : cache_alloc_last_slow(c, n);
}

enum heap_verdict cache_free_slow(struct cache *c, void *p)
{
	struct pool *pool = c->pool;
	enum heap_verdict v;

	cache_see_growth(c);
	if (!lock_try(&pool->hot->lock, c->tid))
		return pool_return(pool, p);
	v = heap_free(pool->heap, p);
	lock_release(&pool->hot->lock, c->tid);
	return v;
}

/* ---- attach, detach, flush ---- */

/* How deep small bins may be: about 3 % of the pool when every one of them is full. */
static int cache_depth(const struct pool *p, size_t block)
{
	int depth = block <= 256 ? 8 : block <= 512 ? 4 : 2;

	if (p->size >= 16UL << 20)
		depth = CACHE_DEPTH;
	else if (p->size < 1UL << 20)
		depth /= 4;
	else if (p->size < 4UL << 20)
		depth /= 2;
	return depth < 1 ? 1 : depth;
}

static void cache_init_bin(struct cache_bin *bin, void **slot, int depth)
{
	slot[0] = NULL;
	bin->top = slot;
	bin->full = slot + depth;
}

void cache_attach(struct cache *c, struct pool *p, uint32_t tid)
{
	c->lo = p->lo;
	c->key = p->key;
	c->tid = tid;
	c->pool = p;
	c->inbox = NULL;
	c->room = (long)(p->size / 48);
	cache_see_growth(c);
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
		cache_init_bin(&c->small[i], c->small_slot[i],
			i < HEAP_BLOCK_MIN / HEAP_ALIGN ? 0
							: cache_depth(p, i * HEAP_ALIGN));
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		cache_init_bin(&c->large[i], c->large_slot[i], CACHE_LARGE_DEPTH);
}

static void cache_flush_bin(struct cache *c, struct cache_bin *bin)
{
	enum heap_verdict v = HEAP_OK;
	void *p;

	while (v == HEAP_OK && (p = cache_pop(bin)))
		v = cache_free_slow(c, p);
	if (v != HEAP_OK)
		pool_misuse(c->pool, p, HEAP_BROKEN);
}

void cache_flush(struct cache *c)
{
	if (c->pool->inherited)
		return;
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
		cache_flush_bin(c, &c->small[i]);
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		cache_flush_bin(c, &c->large[i]);
	c->room = (long)(c->pool->size / 48);
	lock_acquire(&c->pool->hot->lock, c->tid);
	while (c->inbox)
		cache_give_inbox(c, 64);
	lock_release(&c->pool->hot->lock, c->tid);
}

void cache_detach(struct cache *c)
{
	cache_flush(c);
	c->pool = NULL;
	c->span = 0;
}
