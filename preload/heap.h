/* SPDX-License-Identifier: MIT */
/*
 * heap.h - the engine: two-level segregated fit in one contiguous span, for one thread
 *
 * No globals, no system call, no lock, no allocation, no call out except memcpy/memset.
 * Every operation is O(1): its worst case in instructions is written in librtpreload(7).
 *
 * Words: a BLOCK is an 8-byte header followed by its payload; payloads are 16-byte
 * aligned. The header is one word, at payload - 8:
 *
 *	bit  0      FREE       in a free list of the heap
 *	bit  1      PREV_FREE  the block before this one is free; its size stands in the
 *	                       8 bytes before this header
 *	bit  2      (reserved, 0)
 *	bit  3      LAST       last block of the span
 *	bits 4..31  size / 16  size of the whole block in bytes is (word & 0xfffffff0)
 *	bits 32..39 slack      usable bytes - requested bytes (0..255)
 *	bits 40..47 owner      number of the tag it is booked on (tag.h); 0: none
 *	bits 48..63 check      live: (payload address ^ heap key ^ owner << 1) & 0xffff,
 *	                       bit 0 inverted when slack is not 0
 *	                       not live (free, cached, returned): inverted, slack 0
 *
 * The check makes a double or foreign free, and a block of another owner, one 16-bit
 * compare away from being seen.
 * The payload of a block of size s has s - 8 bytes: the last 8 overlap the next header's
 * "size of the free block before", which is unused while this block lives.
 */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_ALIGN     16UL
#define HEAP_OVERHEAD  8UL
#define HEAP_ENDS      32UL	    /* bytes of a span that no block can have: its ends */
#define HEAP_BLOCK_MIN 32UL	    /* header, two links, size at the end */
#define HEAP_BLOCK_MAX 0xfffffff0UL /* 4 GiB - 16: 28 bits of 16-byte units */

#define HEAP_F_FREE	 1u
#define HEAP_F_PREV_FREE 2u
#define HEAP_F_LAST	 8u

struct heap; /* control block: lists, bitmaps, counters; heap_control_size() bytes */

enum heap_verdict {
	HEAP_OK = 0,
	HEAP_DOUBLE_FREE, /* a block of this heap that is not live */
	HEAP_NOT_A_BLOCK, /* interior, misaligned or overwritten header */
	HEAP_BROKEN, /* a neighbour's header or a free block's links are overwritten */
};

size_t heap_control_size(void);

/*
 * Lays out an empty heap. control: heap_control_size() bytes, 64-byte aligned, below the
 * span in the same mapping (what lies between is readable), and not more than 4 GiB from
 * the end it may ever be extended to. span: 16-byte aligned memory of `len` bytes (a
 * multiple of 16). key: random, for the checks.
 */
struct heap *heap_init(void *control, void *span, size_t len, uint16_t key);

/* The span has grown at its end by `len` bytes (committed, touched). O(1). */
void heap_extend(struct heap *h, size_t len);

/* Bytes of span with which one block of `total` bytes is sure to fit when empty. */
size_t heap_span_for(size_t total);

/*
 * Bytes of span in which n bytes are sure to be served beside `blocks` live blocks of
 * `live` bytes (headers and rounding included), whatever was allocated and freed before:
 *
 *	span = HEAP_ENDS + live + (blocks + 1) * (s - 16) + 16
 *
 * where s is the block for n rounded up to the next of 32 classes per power of two, at
 * most 1/32 more. Proof: free blocks never touch, so there are at most blocks + 1 of
 * them; when n cannot be served each has at most s - 16 bytes. It is not
 * generous: the adversary of tests/unit/heap_formula.c is refused in little less.
 */
size_t heap_span_sure(size_t live, size_t blocks, size_t n);

/* NULL when no block is large enough. size > 0. align: power of two, 0 or 16 = natural.
 */
void *heap_alloc(struct heap *h, size_t size);
void *heap_alloc_aligned(struct heap *h, size_t align, size_t size);
enum heap_verdict heap_free(struct heap *h, void *p);
/* The same for a caller that thinks in blocks: `size` is the whole block's, a multiple of
 * 16 from HEAP_BLOCK_MIN to HEAP_BLOCK_MAX. It is not live yet: in no list and the
 * caller's alone, who makes it live by heap_flip(), or by heap_stamp() at once. */
void *heap_alloc_block(struct heap *h, size_t size);
/* The same from the end of the free block it is cut from, out of the way of others. */
void *heap_alloc_end(struct heap *h, size_t size);
/*
 * A block that is not live although it is in no list (cached, or on its way back to the
 * heap) has its check inverted: flip before, flip after.
 */
static inline void heap_flip(void *p)
{
	uint16_t *check = (uint16_t *)p - 1;

	*check = (uint16_t) ~*check;
}
/* The upper half of a header: slack, owner, check. */
typedef uint32_t __attribute__((may_alias)) heap_half;
static inline uint8_t heap_slack(const void *p)
{
	return (uint8_t)((const heap_half *)p)[-1];
}
static inline uint8_t heap_owner(const void *p)
{
	return (uint8_t)(((const heap_half *)p)[-1] >> 8);
}
/*
 * What a block of nobody and one of this owner differ by; HEAP_FLIP is that of a live
 * block and one that is not. Stamped with it, the one becomes the other.
 */
#define HEAP_FLIP 0xffff0000U
#define HEAP_OWNED(owner) \
	((uint32_t)(uint8_t)(owner) << 8 ^ (uint32_t)(uint8_t)(owner) << 17)
static inline void heap_stamp(void *p, uint32_t stamp)
{
	((heap_half *)p)[-1] ^= stamp;
}
/* A live block of any kind becomes one that is not live: from here on it has no slack and
 * no owner, and whoever gets it next has all of it. */
static inline void heap_retire(void *p)
{
	uint32_t half = ((heap_half *)p)[-1], slack = half & 0xff;

	heap_stamp(p,
		slack ^ (uint32_t)(slack != 0) << 16 ^ HEAP_OWNED(half >> 8) ^ HEAP_FLIP);
}
/* p is not live, in no list, nobody's, without slack, and the caller knows it: no second
 * look. */
enum heap_verdict heap_free_known(struct heap *h, void *p);
/* p was live when it was flipped. HEAP_BROKEN when its header was written to since. */
enum heap_verdict heap_free_flipped(struct heap *h, void *p);
/* In place only. false: does not fit, block untouched. */
bool heap_resize(struct heap *h, void *p, size_t size);

/*
 * No lock: a block of at least `size` bytes, whole block, is cut from the end of one that
 * is not live, in no list and the caller's alone; and so is it. Its payload is at a
 * multiple of `align`, 16 or more. NULL when too little would be left.
 */
void *heap_carve(const struct heap *h, void *from, size_t size, size_t align);

/* Is p the payload of a live block of this heap? Never reads outside the span. */
enum heap_verdict heap_check_pointer(const struct heap *h, const void *p);

size_t heap_used(const struct heap *h); /* bytes not in free lists; no lock needed */
/* Where that stands: atomic, relaxed, read only. */
const size_t *heap_used_at(const struct heap *h);
/* The block whose overwritten links made an operation fail, or NULL. */
const void *heap_broken_block(const struct heap *h);
size_t heap_size_of(const void *p);			  /* requested bytes */
size_t heap_usable_of(const void *p);			  /* bytes it holds now */
size_t heap_taken_of(const void *p);			  /* the whole block */
size_t heap_phys_of(const struct heap *h, const void *p); /* can grow to in place */
/* From now on a live block's requested bytes are `size`; at most 255 less than it has.
 * Its owner needs no lock. */
void heap_set_size(const struct heap *h, void *p, size_t size);
/* Calls fn for each live block; nobody may be using the heap. Not on the realtime path.
 */
void heap_each_live(const struct heap *h, void (*fn)(void *p));

struct heap_stats {
	size_t span; /* bytes under management */
	size_t used; /* bytes in blocks that are not in a free list, headers included */
	size_t peak; /* highest `used` */
	size_t largest_free; /* a request of this many bytes would succeed now */
};
void heap_stats(const struct heap *h, struct heap_stats *out);

/* Every invariant of every block and list. NULL when sound, else what is broken; *where
 * is set to the block. Linear in the number of blocks: for tests and MALLOC_DEBUG > 1. */
const char *heap_check(const struct heap *h, const void **where);

#endif
