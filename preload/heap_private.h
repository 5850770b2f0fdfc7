/* SPDX-License-Identifier: MIT */
/*
 * heap_private.h - blocks and lists as heap.c and heap_check.c see them
 */
#ifndef HEAP_PRIVATE_H
#define HEAP_PRIVATE_H

#include "heap.h"

#define HEAP_SL_BITS 5u
#define HEAP_SL	     (1u << HEAP_SL_BITS)
#define HEAP_FL                                                                \
	24u /* 0: linear below HEAP_LINEAR; then one per power of two to 4 GiB \
	     */
#define HEAP_LINEAR	 (HEAP_ALIGN * HEAP_SL)
#define HEAP_LINEAR_BITS 9u
#define HEAP_SCAN	 8 /* blocks looked at in the exact class before giving up */

#define HEAP_SIZE_MASK	 0xfffffff0u
#define HEAP_LIKELY(x)	 __builtin_expect(!!(x), 1)
#define HEAP_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A block as it lies in memory; links only in free ones. */
struct block {
	uint32_t size_flags;
	uint16_t slack;
	uint16_t check;
	struct block *next, *prev;
};

struct heap {
	uint32_t fl_map;
	uint32_t sl_map[HEAP_FL];
	struct block *list[HEAP_FL][HEAP_SL];
	unsigned char *span, *end;
	size_t used, peak;
	const void *broken; /* a block whose links were found overwritten */
	uint16_t key;
};

/* ---- blocks ---- */

/*
 * Under the lock the heap changes PREV_FREE in the header of a live block while its
 * owner, without the lock, reads the size in the same word. Relaxed: the size does not
 * change, and there is one writer at a time.
 */
static inline uint32_t block_flags(const struct block *b)
{
	return __atomic_load_n(&b->size_flags, __ATOMIC_RELAXED);
}

static inline void block_set_flags(struct block *b, uint32_t size_flags)
{
	__atomic_store_n(&b->size_flags, size_flags, __ATOMIC_RELAXED);
}

static inline size_t block_size(const struct block *b)
{
	return block_flags(b) & HEAP_SIZE_MASK;
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

static inline uint16_t block_live_check(const struct heap *h, const struct block *b)
{
	return (uint16_t)((uintptr_t)block_payload(b) ^ h->key);
}

/* ---- size classes ---- */

struct class
{
	unsigned fl, sl;
};

static inline struct class class_of(size_t size)
{
	unsigned msb;

	if (size < HEAP_LINEAR)
		return (struct class){0, (unsigned)(size / HEAP_ALIGN)};
	msb = 63u - (unsigned)__builtin_clzl(size);
	return (struct class){msb - HEAP_LINEAR_BITS + 1,
		(unsigned)(size >> (msb - HEAP_SL_BITS)) & (HEAP_SL - 1)};
}

/* The smallest class of which every block has at least `size` bytes; fl may be HEAP_FL.
 */
static inline struct class class_fitting(size_t size)
{
	if (size >= HEAP_LINEAR)
		size += (1UL << (63u - (unsigned)__builtin_clzl(size) - HEAP_SL_BITS)) -
			1;
	return class_of(size);
}

#endif
