/* SPDX-License-Identifier: MIT */
/*
 * cache_inline.h - the instructions of a realtime malloc and free that hits the cache
 *
 * Included by route.c and cache.c only. No call, no loop, no atomic, no write outside the
 * cache and the block's own header. A class is a stack of block pointers: `top` is the
 * last one, NULL stands below the first, `full` is where the last one may be.
 *
 * Small bins are indexed by the block's size in bytes: a bin is 16 bytes, sizes are
 * multiples of 16, so that the size is the offset of its bin.
 */
#ifndef CACHE_INLINE_H
#define CACHE_INLINE_H

#include "cache.h"

struct cache_bin {
	void **top, **full;
};

#define CACHE_SMALL_BLOCK \
	((CACHE_SMALL + HEAP_OVERHEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1))
#define CACHE_SMALL_BINS (CACHE_SMALL_BLOCK / HEAP_ALIGN + 1)
#define CACHE_DEPTH	 8   /* blocks per small bin, at most */
#define CACHE_LARGE_MSB	 10u /* large classes begin at 1 << 10 */
#define CACHE_LARGE_BINS                                               \
	98u /* 16 per doubling to 64 KiB, and what holds 64 KiB itself \
	     */
#define CACHE_LARGE_DEPTH 4
/* Blocks from this size on have no class: the second above 64 KiB would be theirs. */
#define CACHE_LARGE_END (CACHE_LARGE + 2 * (CACHE_LARGE / 16))

struct cache {
	uintptr_t lo;
	size_t span; /* bytes from lo that were committed when the slow path last looked
		      */
	uint16_t key;
	uint32_t tid;
	struct pool *pool;
	struct pool_hot *hot; /* pool->hot and pool->heap, one load nearer */
	struct heap *heap;
	long room;   /* bytes the large bins may still take */
	void *inbox; /* blocks others gave back, flipped, linked; ours alone */
	struct cache_bin small[CACHE_SMALL_BINS];
	struct cache_bin large[CACHE_LARGE_BINS];
	void *small_slot[CACHE_SMALL_BINS][CACHE_DEPTH + 1];
	void *large_slot[CACHE_LARGE_BINS][CACHE_LARGE_DEPTH + 1];
};

_Static_assert(sizeof(struct cache) <= CACHE_BYTES, "a slot holds a cache");
_Static_assert(sizeof(struct cache_bin) == HEAP_ALIGN, "a block size is a bin offset");

/* What is too long to be inline; see cache.c. */
void cache_see_growth(struct cache *c);
void *cache_alloc_tiny(struct cache *c, size_t n);
void *cache_alloc_returned(struct cache *c, size_t size);
void *cache_alloc_last_slow(struct cache *c, size_t n);
enum heap_verdict cache_free_odd(struct cache *c, void *p);

static inline struct pool *cache_pool(const struct cache *c)
{
	return c->pool;
}

static inline struct cache_bin *cache_small_bin(struct cache *c, size_t size)
{
	return (struct cache_bin *)((char *)c->small + size);
}

static inline uint32_t cache_block_size(const void *p)
{
	/* relaxed: the size stays; a flag beside it may change under the pool's lock */
	return __atomic_load_n((const uint32_t *)p - 2, __ATOMIC_RELAXED) &
	       -(uint32_t)HEAP_ALIGN;
}

/* In memory, so that neither the address nor the sum takes a register and a move. */
static inline __attribute__((always_inline)) void cache_move_top(
	struct cache_bin *bin, long blocks)
{
	__asm__("addq %1, %0"
		: "+m"(bin->top)
		: "i"(blocks * (long)sizeof(void *))
		: "cc");
}

static inline __attribute__((always_inline)) void *cache_pop(struct cache_bin *bin)
{
	void *p = *bin->top;

	if (__builtin_expect(p == NULL, 0))
		return NULL;
	cache_move_top(bin, -1);
	heap_flip(p);
	return p;
}

static inline __attribute__((always_inline)) bool cache_push(
	struct cache_bin *bin, void *p)
{
	void **top = bin->top;

	if (__builtin_expect(top == bin->full, 0))
		return false;
	top[1] = p;
	cache_move_top(bin, 1);
	return true;
}

/* The block a request of n <= CACHE_SMALL gets; below HEAP_BLOCK_MIN for n <= 8. */
static inline size_t cache_small_size(size_t n)
{
	return (uint32_t)(n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -(uint32_t)HEAP_ALIGN;
}

/* n <= CACHE_SMALL. NULL: nothing cached. */
static inline void *cache_alloc_small(struct cache *c, size_t n)
{
	return cache_pop(cache_small_bin(c, cache_small_size(n)));
}

/*
 * Large classes. A class holds blocks of at least its size: an allocation rounds up to a
 * class, a free rounds down. shift: log2 of the distance between neighbouring classes.
 */
static inline unsigned cache_large_shift(size_t size)
{
	return ((unsigned)__builtin_clzl(size) ^ 63u) - 4u;
}

static inline struct cache_bin *cache_large_bin(
	struct cache *c, size_t units, unsigned shift)
{
	/* units: 16..31, or 32 for the class that begins the next doubling */
	return &c->large[units + shift * 16u - (16u + (CACHE_LARGE_MSB - 4u) * 16u)];
}

/* CACHE_SMALL < n <= CACHE_LARGE. NULL: nothing cached. */
static inline void *cache_alloc_large(struct cache *c, size_t n)
{
	size_t last = n + HEAP_OVERHEAD - 1;
	unsigned shift = cache_large_shift(last);
	void *p = cache_pop(cache_large_bin(c, (last >> shift) + 1, shift));

	if (__builtin_expect(p != NULL, 1))
		c->room += cache_block_size(p);
	return p;
}

/* A block for n bytes, or NULL: nothing cached, ask cache_alloc_slow(). */
static inline void *cache_alloc(struct cache *c, size_t n)
{
	if (n <= CACHE_SMALL)
		return cache_alloc_small(c, n);
	return n <= CACHE_LARGE ? cache_alloc_large(c, n) : NULL;
}

/* Does p lie in this cache's pool, as far as the cache knows it? Detached: never. */
static inline bool cache_owns(const struct cache *c, const void *p)
{
	return (uintptr_t)p - c->lo < c->span;
}

static inline bool cache_is_live(const struct cache *c, const void *p)
{
	return ((const uint16_t *)p)[-1] == (uint16_t)((uintptr_t)p ^ c->key);
}

/* True: p was a live small block of this pool and is cached. */
static inline bool cache_free_small(struct cache *c, void *p)
{
	uint32_t size;

	if (__builtin_expect(!cache_owns(c, p), 0) ||
		__builtin_expect(!cache_is_live(c, p), 0))
		return false;
	size = cache_block_size(p);
	if (__builtin_expect(size > CACHE_SMALL_BLOCK, 0) ||
		!cache_push(cache_small_bin(c, size), p))
		return false;
	heap_flip(p);
	return true;
}

/* p belongs into a large bin and there is room. It is live or flipped, as the caller
 * knows. */
static inline bool cache_keep_large(struct cache *c, void *p, uint32_t size)
{
	unsigned shift = cache_large_shift(size);

	if (size >= CACHE_LARGE_END || c->room < (long)size ||
		!cache_push(cache_large_bin(c, size >> shift, shift), p))
		return false;
	c->room -= (long)size;
	return true;
}

/* ---- past the bins: still realtime, still bounded, but with a lock ---- */

/* The block that serves again when it is freed into its class. Larger ones have none. */
static inline size_t cache_large_size(size_t n)
{
	size_t last = n + HEAP_OVERHEAD - 1;

	return (last | ((1UL << cache_large_shift(last)) - 1)) + 1;
}

/* A block of `size` for n bytes, after its bin had none. NULL: the pool is full. */
static inline void *cache_refill(struct cache *c, size_t n, size_t size)
{
	void *p;

	if (__builtin_expect(size < HEAP_BLOCK_MIN, 0))
		return cache_alloc_tiny(c, n);
	/* relaxed: only a hint that an exchange pays */
	if (c->inbox || __atomic_load_n(&c->hot->returned, __ATOMIC_RELAXED)) {
		p = cache_alloc_returned(c, size);
		if (p)
			return p;
	}
	lock_acquire(&c->hot->lock, c->tid);
	p = heap_alloc_block(c->heap, size);
	lock_release(&c->hot->lock, c->tid);
	return __builtin_expect(p != NULL, 1) ? p : cache_alloc_last_slow(c, n);
}

/* The same for any n. */
static inline void *cache_alloc_slow(struct cache *c, size_t n)
{
	if (n <= CACHE_SMALL)
		return cache_refill(c, n, cache_small_size(n));
	if (n <= CACHE_LARGE)
		return cache_refill(c, n, cache_large_size(n));
	if (__builtin_expect(n > HEAP_BLOCK_MAX - 2 * HEAP_ALIGN, 0))
		return NULL;
	return cache_refill(c, n, (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -HEAP_ALIGN);
}

/* p lies in this cache's pool. Its bin, else the heap if nobody holds its lock. */
static inline enum heap_verdict cache_free_slow(struct cache *c, void *p)
{
	enum heap_verdict v;
	uint32_t size;

	if (__builtin_expect(!cache_is_live(c, p) || (uintptr_t)p % HEAP_ALIGN, 0))
		return cache_free_odd(c, p);
	size = cache_block_size(p);
	if (size > CACHE_SMALL_BLOCK && cache_keep_large(c, p, size)) {
		heap_flip(p);
		return HEAP_OK;
	}
	if (__builtin_expect(!lock_try(&c->hot->lock, c->tid), 0)) {
		heap_flip(p);
		pool_push_returned(c->hot, p);
		return HEAP_OK;
	}
	v = heap_free_live(c->heap, p);
	lock_release(&c->hot->lock, c->tid);
	return v;
}

#endif
