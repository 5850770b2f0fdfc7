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

struct cache {
	uintptr_t lo;
	size_t span; /* bytes from lo that were committed when the slow path last looked
		      */
	uint16_t key;
	uint32_t tid;
	struct pool *pool;
	long room;   /* bytes the large bins may still take */
	void *inbox; /* blocks others gave back, flipped, linked; ours alone */
	struct cache_bin small[CACHE_SMALL_BINS];
	struct cache_bin large[CACHE_LARGE_BINS];
	void *small_slot[CACHE_SMALL_BINS][CACHE_DEPTH + 1];
	void *large_slot[CACHE_LARGE_BINS][CACHE_LARGE_DEPTH + 1];
};

_Static_assert(sizeof(struct cache) <= CACHE_BYTES, "a slot holds a cache");
_Static_assert(sizeof(struct cache_bin) == HEAP_ALIGN, "a block size is a bin offset");

/* The slow side; see cache.c. */
void *cache_alloc_large(struct cache *c, size_t n);
bool cache_free_large(struct cache *c, void *p, size_t size);
void *cache_alloc_slow(struct cache *c, size_t n);
enum heap_verdict cache_free_slow(struct cache *c, void *p);

static inline struct pool *cache_pool(const struct cache *c)
{
	return c->pool;
}

static inline struct cache_bin *cache_small_bin(struct cache *c, size_t size)
{
	return (struct cache_bin *)((char *)c->small + size);
}

static inline void *cache_pop(struct cache_bin *bin)
{
	void **top = bin->top;
	void *p = *top;

	if (__builtin_expect(p == NULL, 0))
		return NULL;
	bin->top = top - 1;
	heap_flip(p);
	return p;
}

/* n <= CACHE_SMALL. NULL: nothing cached. */
static inline void *cache_alloc_small(struct cache *c, size_t n)
{
	return cache_pop(cache_small_bin(c,
		(uint32_t)(n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -(uint32_t)HEAP_ALIGN));
}

/* A block for n bytes, or NULL: nothing cached, ask cache_alloc_slow(). */
static inline void *cache_alloc(struct cache *c, size_t n)
{
	return n <= CACHE_SMALL ? cache_alloc_small(c, n) : cache_alloc_large(c, n);
}

/* Is p a live block of this cache's pool? Its block's size then, else 0. */
static inline uint32_t cache_live_size(const struct cache *c, const void *p)
{
	if (__builtin_expect((uintptr_t)p - c->lo >= c->span, 0))
		return 0;
	if (__builtin_expect(
		    ((const uint16_t *)p)[-1] != (uint16_t)((uintptr_t)p ^ c->key), 0))
		return 0;
	return heap_block_bytes(p);
}

/* True: p was a live small block of this pool and is cached. */
static inline bool cache_free_small(struct cache *c, void *p)
{
	struct cache_bin *bin;
	uint32_t size;
	void **top;

	if (__builtin_expect((uintptr_t)p - c->lo >= c->span, 0))
		return false;
	if (__builtin_expect(((uint16_t *)p)[-1] != (uint16_t)((uintptr_t)p ^ c->key), 0))
		return false;
	size = heap_block_bytes(p);
	if (__builtin_expect(size > CACHE_SMALL_BLOCK, 0))
		return false;
	bin = cache_small_bin(c, size);
	top = bin->top;
	if (__builtin_expect(top == bin->full, 0))
		return false;
	top[1] = p;
	bin->top = top + 1;
	heap_flip(p);
	return true;
}

/* The same for what cache_free_small() refused. False: ask cache_free_slow(). */
static inline bool cache_free_rest(struct cache *c, void *p)
{
	uint32_t size = cache_live_size(c, p);

	return size > CACHE_SMALL_BLOCK && cache_free_large(c, p, size);
}

#endif
