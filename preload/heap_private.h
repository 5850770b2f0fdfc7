/* SPDX-License-Identifier: MIT */
/*
 * heap_private.h - blocks and lists as heap.c and heap_check.c see them
 */
#ifndef HEAP_PRIVATE_H
#define HEAP_PRIVATE_H

#include "heap.h"

#define HEAP_SL_BITS 5u
#define HEAP_SL	     (1u << HEAP_SL_BITS)
#define HEAP_FL	     29u /* 32 classes per power of two, 32 B to 4 GiB: words 2..28 */
#define HEAP_LISTS   (HEAP_FL * HEAP_SL)
#define HEAP_FIRST   (2u * HEAP_SL) /* the lowest class */
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
	uint8_t slack, owner;
	uint16_t check;
	uint32_t next, prev;
	size_t room; /* where the size at the end stands in the smallest block */
};

struct heap {
	uint32_t reach; /* no block or list's slot is farther than this from the heap */
	uint32_t fl_map;
	size_t used, peak;
	uint64_t free_word; /* key of a free block's check, in its place, and HEAP_F_FREE
			     */
	unsigned char *span, *end;
	const void *broken;	      /* a block whose links were found overwritten */
	uint32_t sl_map[HEAP_FL + 1]; /* the last is 0: what the largest request finds */
	uint16_t key;
	/* a list's slot is found, as a block's link is, by its number times four */
	_Alignas(8) unsigned char nothing[80];
	uint32_t list[HEAP_LISTS - HEAP_FIRST];
};

/* ---- blocks ---- */

/*
 * The word of a block that is not free is read without the heap's lock by whoever frees
 * it, and its owner may cut bytes off its end (heap_carve()) while who frees the block
 * before it sets PREV_FREE: so loads and stores are atomic, and what changes a flag or a
 * size there is one atomic instruction. All relaxed: ownership of a block is handed over
 * by the lock, the depot or the program.
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

static inline void block_or(struct block *b, uint32_t flag)
{
	__atomic_fetch_or(&b->size_flags, flag, __ATOMIC_RELAXED);
}

static inline void block_clear(struct block *b, uint32_t flag)
{
	__atomic_fetch_and(&b->size_flags, ~flag, __ATOMIC_RELAXED);
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

/* What the check of a live block of nobody is, without slack. */
static inline uint16_t block_live_check(const struct heap *h, const struct block *b)
{
	return (uint16_t)((uintptr_t)block_payload(b) ^ h->key);
}

/* The same of a block of whoever, with the slack it has. */
static inline uint16_t block_own_check(const struct heap *h, const struct block *b)
{
	return (uint16_t)(block_live_check(h, b) ^ (uint32_t)b->owner << 1 ^
			  (b->slack != 0));
}

/* b is live and its check is written, or becomes right by this. */
static inline void block_set_slack(const struct heap *h, struct block *b, size_t slack)
{
	b->slack = (uint8_t)slack;
	b->check = block_own_check(h, b);
}

/* ---- size classes ----
 *
 * One number per class, growing with size: class / HEAP_SL says which word of the second
 * level, and the bit of the first; class % HEAP_SL which bit in it. They are the exponent
 * and the upper bits of the mantissa of the size as a floating-point number: exact, since
 * a size has less than 53 bits, and the shortest way to get them.
 */
#define CLASS_BIAS ((1023u + 5u - HEAP_FIRST / HEAP_SL) * HEAP_SL)

/* The class a block of `size` belongs to: 32 per power of two. */
static inline size_t class_of(size_t size)
{
	union {
		double number;
		uint64_t bits;
	} as;

#ifdef __SSE2__
	/* not (double)size: that first clears a register of which nothing is used */
	__asm__("cvtsi2sdq %1, %0" : "=x"(as.number) : "r"(size));
#else
	as.number = (double)(int64_t)size;
#endif
	return (uint32_t)(as.bits >> (52u - HEAP_SL_BITS)) - CLASS_BIAS;
}

/* The smallest class of which every block has at least `size` bytes. */
static inline size_t class_fitting(size_t size)
{
	return (uint32_t)class_of(size - 1) + 1u;
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

/* The slot of a class as the block before the first. */
static inline uint32_t list_head(size_t class)
{
	return (uint32_t)(class * sizeof(uint32_t));
}

_Static_assert(offsetof(struct heap, list) - offsetof(struct block, next) ==
		       HEAP_FIRST * sizeof(uint32_t),
	"list_head() leads to the slot");

/* Is this link a slot's, not a block's? A heap's blocks are behind its lists. */
static inline bool list_is_head(uint32_t off)
{
	return off < HEAP_LISTS * sizeof(uint32_t);
}

static inline uint32_t list_class(uint32_t head)
{
	return head / (uint32_t)sizeof(uint32_t);
}

static inline uint32_t *list_slot(const struct heap *h, size_t class)
{
	return (uint32_t *)(void *)((uintptr_t)h + offsetof(struct block, next) +
				    class * sizeof(uint32_t));
}

/* Can this be read as a block, or as a list's slot? */
static inline bool heap_reaches(const struct heap *h, uint32_t off)
{
	return HEAP_LIKELY(off <= h->reach);
}

#endif
