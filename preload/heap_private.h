/* SPDX-License-Identifier: MIT */
/*
 * heap_private.h - blocks and lists as heap.c and heap_check.c see them
 */
#ifndef HEAP_PRIVATE_H
#define HEAP_PRIVATE_H

#include "heap.h"

#define HEAP_SL_BITS 5u
#define HEAP_SL	     (1u << HEAP_SL_BITS)
#define HEAP_FL	     25u /* 16-byte classes below 1 KiB, then 32 per power of two to 4 GiB */
#define HEAP_LISTS   (HEAP_FL * HEAP_SL)
#define HEAP_LINEAR  (HEAP_ALIGN * HEAP_SL)
#define HEAP_SCAN    8 /* blocks looked at in the exact class before giving up */

#define HEAP_SIZE_MASK	 0xfffffff0u
#define HEAP_LIKELY(x)	 __builtin_expect(!!(x), 1)
#define HEAP_UNLIKELY(x) __builtin_expect(!!(x), 0)

/*
 * A block as it lies in memory; links only in free ones. A link is the distance from the
 * heap's control block in bytes, so that one comparison tells whether it can be followed.
 * `prev` is never 0: of the first block of a list it leads to the list's own slot,
 * dressed up as a block (list_head()).
 */
struct block {
	uint32_t size_flags;
	uint16_t slack;
	uint16_t check;
	uint32_t next, prev;
	size_t room; /* where the size at the end stands in the smallest block */
};

struct heap {
	uint32_t reach; /* no block or list's slot is farther than this from the heap */
	uint32_t fl_map;
	size_t used, peak;
	uint16_t key;
	uint32_t sl_map[HEAP_FL];
	uint32_t list[HEAP_LISTS];
	unsigned char *span, *end;
	const void *broken; /* a block whose links were found overwritten */
};

/* ---- blocks ---- */

/*
 * The word of a live block is written under the heap's lock only, but read without it by
 * whoever frees the block; what changes then is PREV_FREE, never the size. So those
 * accesses are atomic, all relaxed; under the lock one instruction does for a flag.
 */
static inline uint32_t block_word(const struct block *b)
{
	return __atomic_load_n(&b->size_flags, __ATOMIC_RELAXED);
}

static inline void block_set(struct block *b, uint32_t word)
{
	__atomic_store_n(&b->size_flags, word, __ATOMIC_RELAXED);
}

static inline size_t block_size(const struct block *b)
{
	return block_word(b) & HEAP_SIZE_MASK;
}

static inline bool block_is_free(const struct block *b)
{
	return block_word(b) & HEAP_F_FREE;
}

#ifdef __SANITIZE_THREAD__
#define BLOCK_CHANGE(b, op, flag) block_set(b, (b)->size_flags op(flag))
#else
#define BLOCK_CHANGE(b, op, flag) ((b)->size_flags op## = (flag))
#endif

static inline void block_or(struct block *b, uint32_t flag)
{
	BLOCK_CHANGE(b, |, flag);
}

static inline void block_clear(struct block *b, uint32_t flag)
{
	BLOCK_CHANGE(b, &, ~flag);
}

static inline void *block_payload(const struct block *b)
{
	return (unsigned char *)b + HEAP_OVERHEAD;
}

static inline struct block *block_of(const void *p)
{
	return (struct block *)((uintptr_t)p - HEAP_OVERHEAD);
}

static inline struct block *block_at(const struct block *b, size_t off)
{
	return (struct block *)((uintptr_t)b + off);
}

static inline struct block *block_after(const struct block *b)
{
	return block_at(b, block_size(b));
}

/* The 8 bytes before a header: size of the free block there. */
static inline size_t *block_before_size(struct block *b)
{
	return (size_t *)((uintptr_t)b - 8);
}

static inline uint64_t *block_header(struct block *b)
{
	return (uint64_t *)(void *)b;
}

static inline uint16_t block_live_check(const struct heap *h, const struct block *b)
{
	return (uint16_t)((uintptr_t)block_payload(b) ^ h->key);
}

/* ---- size classes ----
 *
 * One number per class, growing with size: class / HEAP_SL says which word of the second
 * level, and the bit of the first; class % HEAP_SL which bit in it.
 */

static inline unsigned class_shift(size_t size)
{
	/* ^ 63 rather than 63 -: that is what the processor's own instruction gives */
	return ((unsigned)__builtin_clzl(size | HEAP_LINEAR) ^ 63u) - HEAP_SL_BITS;
}

/* The class a block of `size` belongs to. */
static inline size_t class_of(size_t size)
{
	unsigned shift = class_shift(size);

	return (size >> shift) + (size_t)shift * HEAP_SL - 4u * HEAP_SL;
}

/* The smallest class of which every block has at least `size` bytes. */
static inline size_t class_fitting(size_t size)
{
	unsigned shift = class_shift(size);

	return ((size - 1) >> shift) + (size_t)shift * HEAP_SL - (4u * HEAP_SL - 1u);
}

/* ---- lists ---- */

static inline struct block *heap_at(const struct heap *h, uint32_t off)
{
	return (struct block *)((uintptr_t)h + off);
}

static inline uint32_t heap_off(const struct heap *h, const struct block *b)
{
	return (uint32_t)((uintptr_t)b - (uintptr_t)h);
}

#define LIST_BASE (offsetof(struct heap, list) - offsetof(struct block, next))

/* The slot of a class as the block before the first. */
static inline uint32_t list_head(size_t class)
{
	return (uint32_t)(LIST_BASE + class * sizeof(uint32_t));
}

/* The class whose slot this is, or something not below HEAP_LISTS. */
static inline uint32_t list_class(uint32_t head)
{
	return (uint32_t)(head - (uint32_t)LIST_BASE) / (uint32_t)sizeof(uint32_t);
}

/* Can this be read as a block, or as a list's slot? */
static inline bool heap_reaches(const struct heap *h, uint32_t off)
{
	return HEAP_LIKELY(off <= h->reach);
}

#endif
