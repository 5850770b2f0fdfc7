/* SPDX-License-Identifier: MIT */
/*
 * block.h - one block of a pool: its header, its states, and who may write what
 *
 * A BLOCK is an 8-byte header followed by its payload. Payloads are 16-byte aligned. The
 * header is two words:
 *
 *	size_flags  bit  0      FREE       the block is in a free list of its heap
 *	            bit  1      PREV_FREE  the block before it is free; that one's size
 *	                                   stands in the 8 bytes before this header
 *	            bit  3      LAST       end mark of a run of memory
 *	            bits 4..31  size / 16  of the whole block, header included
 *	mark        bits 0..7   slack      usable bytes - requested bytes
 *	            bits 8..15  tag        number of the tag it is booked on (tag.h)
 *	            bits 16..31 check      the seal, inverted while the block is not live
 *
 * The SEAL is a keyed function of the block's address and size. Other processes do not
 * know the key, and one seal that was read tells nothing about the next. So an
 * overwritten size, a second free, an interior pointer and a made-up header fail one
 * comparison, with a chance of 1 in 65,536 to pass.
 *
 *	STATE     check     FREE  slack, tag   who holds it
 *	live      seal      0     as asked     the program
 *	cached    inverted  0     0, cache's   a bin of a thread's cache (cache.h)
 *	returned  inverted  0     0, 0         a returned list of its heap (heap.h)
 *	free      inverted  1     0, 0         a free list of its heap
 *
 * The seal of a free block covers the FREE flag, too.
 *
 *	              cache hit                 heap_alloc_*
 *	    cached ---------------> live <--------------------- free
 *	           <---------------  |  \                        ^
 *	              free, room     |   `--- heap_take_back --. |
 *	                             |                          \|
 *	              free, no room, |                           | heap_release
 *	              another's heap `-----> returned -----------'
 *	                                     (heap_push)
 *
 * Two writers never meet. In every state, only the owner of the heap (heap.h) writes
 * size_flags, and only the holder of the block writes mark. The thread that frees the
 * block reads both with relaxed loads: the size stays, and the flags may change.
 *
 * Payload capacity of a block of size s is s - 8: its last 8 bytes overlap the place
 * where the next header expects the size of a free block before it.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_ALIGN  16UL
#define BLOCK_HEADER 8UL
#define BLOCK_MIN    32UL	  /* header, two links, size at the end */
#define BLOCK_MAX    0xfffffff0UL /* 4 GiB - 16: 28 bits of 16-byte units */

#define BLOCK_FREE	1u
#define BLOCK_PREV_FREE 2u
#define BLOCK_LAST	8u
#define BLOCK_SIZE_MASK 0xfffffff0u

#define BLOCK_CHECK_MASK 0xffff0000u /* of a mark */
#define BLOCK_TAG_SHIFT	 8u
#define BLOCK_SLACK_MAX	 255UL

#define BLOCK_LIKELY(x)	  __builtin_expect(!!(x), 1)
#define BLOCK_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* What every decode of a block may rely on; checked when built with -DRTMEM_DEBUG. */
#ifdef RTMEM_DEBUG
#define BLOCK_ASSERT(x) ((x) ? (void)0 : __builtin_trap())
#else
#define BLOCK_ASSERT(x) ((void)0)
#endif

/* As it lies in memory. Links are a free block's only. */
struct block {
	uint32_t size_flags, mark;
	uint32_t next, prev; /* see heap_list.h; of a returned block: next only */
	size_t footer;	     /* where the size of the smallest free block stands */
};

/* Secret of a pool. factor is odd. */
struct block_key {
	uint64_t mix, factor;
};

static inline struct block *block_of(const void *payload)
{
	return (struct block *)((uintptr_t)payload - BLOCK_HEADER);
}

static inline void *block_payload(const struct block *b)
{
	return (void *)((uintptr_t)b + BLOCK_HEADER);
}

/* relaxed, this and the next two: see "two writers never meet" above */
static inline uint32_t block_word(const struct block *b)
{
	return __atomic_load_n(&b->size_flags, __ATOMIC_RELAXED);
}

static inline void block_set(struct block *b, uint32_t word)
{
	__atomic_store_n(&b->size_flags, word, __ATOMIC_RELAXED);
}

static inline uint32_t block_mark(const struct block *b)
{
	return __atomic_load_n(&b->mark, __ATOMIC_RELAXED);
}

static inline void block_set_mark(struct block *b, uint32_t mark)
{
	__atomic_store_n(&b->mark, mark, __ATOMIC_RELAXED);
}

static inline uint32_t block_size(const struct block *b)
{
	return block_word(b) & BLOCK_SIZE_MASK;
}

static inline uint8_t block_slack(const struct block *b)
{
	return (uint8_t)block_mark(b);
}

static inline uint8_t block_tag(const struct block *b)
{
	return (uint8_t)(block_mark(b) >> BLOCK_TAG_SHIFT);
}

/* The smallest whole block for `wanted` bytes; wanted <= BLOCK_MAX - 32. */
static inline uint32_t block_size_for(size_t wanted)
{
	size_t size = (wanted + BLOCK_HEADER + BLOCK_ALIGN - 1) & ~(BLOCK_ALIGN - 1);

	return (uint32_t)(size < BLOCK_MIN ? BLOCK_MIN : size);
}

/* ---- states ---- */

/* The mark of a live block of `size` without slack and tag. */
static inline uint32_t block_seal(
	const struct block_key *k, const struct block *b, uint32_t size)
{
	uint64_t x = ((uintptr_t)b ^ (uint64_t)size << 32 ^ k->mix) * k->factor;

	return (uint32_t)(x >> 32) & BLOCK_CHECK_MASK;
}

/* The mark of one that is not live. */
static inline uint32_t block_seal_not(
	const struct block_key *k, const struct block *b, uint32_t size)
{
	return block_seal(k, b, size) ^ BLOCK_CHECK_MASK;
}

static inline bool block_is_live(const struct block_key *k, const struct block *b)
{
	uint32_t word = block_word(b);

	return !((block_mark(b) ^ block_seal(k, b, word & BLOCK_SIZE_MASK)) &
		       BLOCK_CHECK_MASK) &&
	       !(word & BLOCK_FREE);
}

/* Returned, or cached for no tag. */
static inline bool block_is_returned(const struct block_key *k, const struct block *b)
{
	uint32_t word = block_word(b);

	return block_mark(b) == block_seal_not(k, b, word & BLOCK_SIZE_MASK) &&
	       !(word & BLOCK_FREE);
}

/* word is its first, and the caller has seen the flag in it. It is the only one: a free
 * block before this would be one with it. */
static inline bool block_is_free(
	const struct block_key *k, const struct block *b, uint32_t word)
{
	return block_mark(b) == block_seal_not(k, b, word);
}

/* live -> cached, and back: the check is inverted. */
static inline void block_flip(struct block *b)
{
	block_set_mark(b, block_mark(b) ^ BLOCK_CHECK_MASK);
}

/* live -> returned; cached -> returned */
static inline void block_retire(struct block *b)
{
	block_set_mark(b, ~block_mark(b) & BLOCK_CHECK_MASK);
}

static inline void block_retire_cached(struct block *b)
{
	block_set_mark(b, block_mark(b) & BLOCK_CHECK_MASK);
}

/* not live -> live */
static inline void block_revive(const struct block_key *k, struct block *b, uint8_t tag)
{
	block_set_mark(
		b, block_seal(k, b, block_size(b)) | (uint32_t)tag << BLOCK_TAG_SHIFT);
}

/* A live block, or a cached one, changes its tag. */
static inline void block_set_tag(struct block *b, uint8_t tag)
{
	block_set_mark(b, (block_mark(b) & ~(0xffu << BLOCK_TAG_SHIFT)) |
				  (uint32_t)tag << BLOCK_TAG_SHIFT);
}

/* Of a live block, requested bytes are `size` from now on; at most BLOCK_SLACK_MAX less
 * than it has. */
static inline void block_set_requested(struct block *b, size_t size)
{
	block_set_mark(b, (block_mark(b) & ~0xffu) |
				  (uint32_t)(block_size(b) - BLOCK_HEADER - size));
}

/* ---- what a payload pointer tells; of live blocks ---- */

static inline size_t block_usable_of(const void *p)
{
	return block_size(block_of(p)) - BLOCK_HEADER;
}

static inline size_t block_requested_of(const void *p)
{
	return block_usable_of(p) - block_slack(block_of(p));
}

static inline size_t block_taken_of(const void *p)
{
	return block_size(block_of(p));
}

#endif
