/* SPDX-License-Identifier: MIT */
/*
 * cache_inline.h - the instructions of a realtime malloc and free that hits the cache
 *
 * Included by route*.c and cache*.c only. No call, no loop, no atomic, no write outside
 * the cache and the block's own header. `top` of a bin is its last block; NULL stands
 * below the first; `full` is where the last one may be.
 */
#ifndef CACHE_INLINE_H
#define CACHE_INLINE_H

#include "cache.h"

#define CACHE_SMALL_BLOCK \
	((CACHE_SMALL + BLOCK_HEADER + BLOCK_ALIGN - 1) & ~(BLOCK_ALIGN - 1))
#define CACHE_SMALL_BINS (CACHE_SMALL_BLOCK / BLOCK_ALIGN + 1) /* by size / 16 */
#define CACHE_LARGE_LOG	 10u /* large classes begin at 1 << 10 */
#define CACHE_LARGE_BINS 98u /* 16 per doubling, up to what 64 KiB need */
#define CACHE_BINS	 (CACHE_SMALL_BINS + CACHE_LARGE_BINS)
/* Blocks from this size on have no class: the second above 64 KiB would be theirs. */
#define CACHE_LARGE_END	 (CACHE_LARGE + 2 * (CACHE_LARGE / 16))
#define CACHE_LARGE_UNIT 64u /* every large class begins at a multiple of this */
#define CACHE_TINY	 1u  /* bin of requests up to 8 bytes: always empty */

/* Blocks in a bin at most, by its blocks' size. */
#define CACHE_DEPTH_SMALL 64u /* up to 512 bytes */
#define CACHE_DEPTH_1K	  32u
#define CACHE_DEPTH_8K	  16u
#define CACHE_DEPTH_LARGE 8u
#define CACHE_SLOTS                                                 \
	(33 * (CACHE_DEPTH_SMALL + 1) + 33 * (CACHE_DEPTH_1K + 1) + \
		48 * (CACHE_DEPTH_8K + 1) + 50 * (CACHE_DEPTH_LARGE + 1))

struct cache_bin {
	void **top, **full;
};

struct cache {
	uintptr_t lo; /* first payload there can be */
	size_t span;  /* bytes from there that were committed when the slow path last
			 looked */
	struct block_key key;
	uint32_t tag_bits; /* the tag in its place in a mark */
	uint8_t tag;
	uint8_t number; /* of the own heap; 255: none */
	bool share;
	struct heap *heap;   /* own; NULL: none was free */
	struct parts *parts; /* of the pool */
	struct pool *pool;
	cache_full_fn *full;
	uint64_t misses; /* owner writes, others read for figures */
	long credit;	 /* bytes by which bins may still deepen */
	unsigned hand;	 /* the bin that is next asked to give up credit */
	uint32_t parked; /* place of blocks whose push met too many others; 0: none */
	/* blocks with the tag's number, in bins or with the program, beside those that
	 * the own heap served; owner writes */
	long held_blocks, held_bytes;
	struct cache_bin bin[CACHE_BINS];
	/* per CACHE_LARGE_UNIT of block size: the bin it falls into */
	uint8_t large_bin[CACHE_LARGE_END / CACHE_LARGE_UNIT];
	uint32_t size[CACHE_BINS];	/* the least size of a bin's blocks */
	uint16_t first[CACHE_BINS + 1]; /* where in `slot` a bin begins, with its NULL */
	void *slot[CACHE_SLOTS];
};

_Static_assert(sizeof(struct cache) <= CACHE_BYTES, "a slot holds a cache");
_Static_assert(CACHE_BINS < 256, "large_bin is a byte");

/* cache.c: what is too long to be inline. */
void cache_see_growth(struct cache *c);
void *cache_miss(struct cache *c, size_t n, unsigned bin);
void *cache_alloc_huge(struct cache *c, size_t n);
void *cache_alloc_aligned(struct cache *c, size_t align, size_t n);
enum heap_verdict cache_free_odd(struct cache *c, void *p);
void cache_overflow(struct cache *c, void *p);

#define CACHE_INLINE static inline __attribute__((always_inline))

/* ---- which bin ---- */

/*
 * Of small blocks: their size in bytes is as far from the first bin as their bin, since
 * both go by 16.
 */
_Static_assert(sizeof(struct cache_bin) == BLOCK_ALIGN, "see above");

static inline struct cache_bin *cache_small_bin(struct cache *c, size_t size)
{
	return (struct cache_bin *)(void *)((char *)c->bin + size);
}

/* The size of blocks for n <= CACHE_SMALL bytes; CACHE_TINY's for n <= 8. */
static inline size_t cache_small_size(size_t n)
{
	return (n + BLOCK_HEADER + BLOCK_ALIGN - 1) & ~(BLOCK_ALIGN - 1);
}

/* The bin for n <= CACHE_LARGE: the class above the one the last byte falls into. */
static inline unsigned cache_large_bin(const struct cache *c, size_t n)
{
	return c->large_bin[(n + BLOCK_HEADER - 1) / CACHE_LARGE_UNIT] + 1u;
}

/* The bin of blocks of this size, which is below CACHE_LARGE_END. */
CACHE_INLINE struct cache_bin *cache_bin_of(struct cache *c, uint32_t size)
{
	if (__builtin_expect(size < CACHE_SMALL_BLOCK + BLOCK_ALIGN, 1))
		return cache_small_bin(c, size);
	return &c->bin[c->large_bin[size / CACHE_LARGE_UNIT]];
}

/* ---- hits ---- */

CACHE_INLINE void *cache_pop(struct cache_bin *bin)
{
	void **top = bin->top, *p = *top;

	if (__builtin_expect(p == NULL, 0))
		return NULL;
	bin->top = top - 1;
	block_flip(block_of(p));
	return p;
}

/* p is live. False: the bin is full. */
CACHE_INLINE bool cache_push(struct cache_bin *bin, void *p)
{
	void **top = bin->top;

	if (__builtin_expect(top == bin->full, 0))
		return false;
	top[1] = p;
	bin->top = top + 1;
	block_flip(block_of(p));
	return true;
}

CACHE_INLINE void *cache_alloc_large(struct cache *c, size_t n)
{
	unsigned bin;
	void *p;

	if (__builtin_expect(n > CACHE_LARGE, 0))
		return cache_alloc_huge(c, n);
	bin = cache_large_bin(c, n);
	p = cache_pop(&c->bin[bin]);
	return __builtin_expect(p != NULL, 1) ? p : cache_miss(c, n, bin);
}

/* A block for n bytes. */
CACHE_INLINE void *cache_alloc(struct cache *c, size_t n)
{
	size_t size = cache_small_size(n);
	void *p;

	if (__builtin_expect(n > CACHE_SMALL, 0))
		return cache_alloc_large(c, n);
	p = cache_pop(cache_small_bin(c, size));
	return __builtin_expect(p != NULL, 1)
		       ? p
		       : cache_miss(c, n, (unsigned)(size / BLOCK_ALIGN));
}

/* Does p lie in this cache's pool, as far as the cache knows it? Detached: never. */
static inline bool cache_owns(const struct cache *c, const void *p)
{
	return (uintptr_t)p - c->lo < c->span;
}

/* A block of this pool, of this size as it says: live, of the cache's tag, no slack? */
static inline bool cache_is_live(const struct cache *c, const void *p, uint32_t size)
{
	const struct block *b = block_of(p);

	return block_mark(b) == (block_seal(&c->key, b, size) | c->tag_bits);
}

/* p is that. True: it is cached. */
CACHE_INLINE bool cache_free_live(struct cache *c, void *p, uint32_t size)
{
	return __builtin_expect(size < CACHE_LARGE_END, 1) &&
	       cache_push(cache_bin_of(c, size), p);
}

#endif
