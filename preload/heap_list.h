/* SPDX-License-Identifier: MIT */
/*
 * heap_list.h - free lists and their blocks: what the heap_*.c files share
 *
 * A link is a PLACE, the distance of a block from the pool's first byte, so that one
 * comparison tells whether it can be followed. 0 is none: no header is there. `prev` of
 * the first block of a list names the list instead: its class times 16, plus 1.
 *
 * What the program may have overwritten is checked before it is followed: a block leaves
 * a list only when its header and both neighbours in the list agree. No loop.
 */
#ifndef HEAP_LIST_H
#define HEAP_LIST_H

#include "heap.h"

#define HEAP_NO_CLASS ~0u
#define HEAP_INLINE   static inline __attribute__((always_inline))

/* ---- places ---- */

static inline struct block *heap_at(const struct heap *h, uint32_t place)
{
	return (struct block *)(void *)(h->lo + place);
}

static inline uint32_t heap_place(const struct heap *h, const struct block *b)
{
	return (uint32_t)((uintptr_t)b - (uintptr_t)h->lo);
}

/* Can a block be read there? */
static inline bool heap_reaches(const struct heap *h, uint32_t place)
{
	/* relaxed: it only grows */
	return place < __atomic_load_n(&h->reach, __ATOMIC_RELAXED);
}

/* The 8 bytes before a header: size of the free block there. */
static inline size_t *block_footer_before(struct block *b)
{
	return (size_t *)(void *)((uintptr_t)b - 8);
}

/* ---- size classes: 32 per power of two, one number each, growing with size ---- */

/*
 * The class a block of `size` >= BLOCK_MIN belongs to: exponent and upper bits of the
 * mantissa of the size as a floating-point number. Half the instructions of a bit scan
 * and two shifts, and each operation has up to four of these.
 */
#define CLASS_BIAS ((1023u + 5u) << HEAP_SL_BITS)
static inline uint32_t class_bits(int64_t n)
{
	union {
		double number;
		uint64_t bits;
	} as = {.number = (double)n};

	return (uint32_t)(as.bits >> (52u - HEAP_SL_BITS));
}

static inline uint32_t class_of(uint32_t size)
{
	return class_bits(size) - CLASS_BIAS;
}

/* The smallest class of which every block has at least `size` bytes: the one behind that of
 * size - 1/2. */
static inline uint32_t class_fitting(uint32_t size)
{
	return class_bits(2 * (int64_t)size - 1) - CLASS_BIAS - HEAP_SL + 1;
}

/* ---- lists ---- */

static inline uint32_t list_head(uint32_t class)
{
	return class << 4 | 1;
}

/* Kept out of line: what it needs is not computed on the way. */
static __attribute__((noinline, cold, noreturn, unused)) void heap_found_broken(
	const struct heap *h, const struct block *b)
{
	h->broken(h, block_payload(b));
	__builtin_trap();
}

static inline void list_push(
	struct heap *h, struct block *b, uint32_t place, uint32_t size)
{
	uint32_t class = class_of(size), first = h->list[class];

	b->next = first;
	b->prev = list_head(class);
	h->list[class] = place;
	if (first) {
		heap_at(h, first)->prev = place;
		return;
	}
	h->sl_map[class / HEAP_SL] |= 1u << class % HEAP_SL;
	h->fl_map |= 1u << class / HEAP_SL;
}

static inline void list_emptied(struct heap *h, uint32_t class)
{
	h->sl_map[class / HEAP_SL] &= ~(1u << class % HEAP_SL);
	if (!h->sl_map[class / HEAP_SL])
		h->fl_map &= ~(1u << class / HEAP_SL);
}

/* The block behind b in its list, if it says that b is before it. */
static inline bool list_next_agrees(
	const struct heap *h, uint32_t next, uint32_t place)
{
	return !next || (heap_reaches(h, next) && heap_at(h, next)->prev == place);
}

/* b has the FREE flag. */
HEAP_INLINE void list_remove(struct heap *h, uint32_t place)
{
	struct block *b = heap_at(h, place);
	uint32_t next, prev;

	/* first: behind an end mark there may be no memory to read links from */
	if (BLOCK_UNLIKELY(!block_is_free(&h->key, b)))
		heap_found_broken(h, b);
	next = b->next;
	prev = b->prev;
	if (next) {
		if (BLOCK_UNLIKELY(
			    !heap_reaches(h, next) || heap_at(h, next)->prev != place))
			heap_found_broken(h, b);
		heap_at(h, next)->prev = prev;
	}
	if (prev & 1) {
		prev >>= 4;
		if (BLOCK_UNLIKELY(prev >= HEAP_LISTS || h->list[prev] != place))
			heap_found_broken(h, b);
		h->list[prev] = next;
		if (!next)
			list_emptied(h, prev);
		return;
	}
	if (BLOCK_UNLIKELY(!heap_reaches(h, prev) || heap_at(h, prev)->next != place))
		heap_found_broken(h, b);
	heap_at(h, prev)->next = next;
}

/* ---- blocks ---- */

/* The end mark of a run: a header that is never free. flag: BLOCK_PREV_FREE or 0. */
static inline void heap_set_end(struct block *b, uint32_t flag)
{
	block_set(b, BLOCK_LAST | flag);
	block_set_mark(b, 0);
}

/* relaxed, all: figures that others read */
static inline void heap_count_more(struct heap *h, size_t size)
{
	__atomic_store_n(&h->used, h->used + size, __ATOMIC_RELAXED);
}

static inline void heap_count_served(struct heap *h, size_t size)
{
	__atomic_store_n(&h->served_blocks, h->served_blocks + 1, __ATOMIC_RELAXED);
	__atomic_store_n(
		&h->served_bytes, h->served_bytes + (long)size, __ATOMIC_RELAXED);
}

static inline void heap_count_less(struct heap *h, size_t size)
{
	size_t used = h->used;

	if (used > h->peak) /* only here can a peak end */
		h->peak = used;
	__atomic_store_n(&h->used, used - size, __ATOMIC_RELAXED);
}

/* Bytes that belong to no block become a free one, in its list. The block behind it knows
 * that it is free. */
static inline void heap_put_free(struct heap *h, uint32_t place, uint32_t size)
{
	struct block *b = heap_at(h, place);

	BLOCK_ASSERT(size >= BLOCK_MIN && size % BLOCK_ALIGN == 0);
	block_set(b, size | BLOCK_FREE);
	block_set_mark(b, block_seal_not(&h->key, b, size | BLOCK_FREE));
	*block_footer_before(heap_at(h, place + size)) = size;
	list_push(h, b, place, size);
}

/*
 * `had` bytes at `place`, free but in no list, become a live block of `size` bytes; the
 * rest is free. The block behind them says PREV_FREE; keep: PREV_FREE or 0 of this one.
 */
HEAP_INLINE void *heap_cut(struct heap *h, uint32_t place, uint32_t had, uint32_t size,
	uint32_t keep, uint8_t tag)
{
	struct block *b = heap_at(h, place), *after;

	if (BLOCK_LIKELY(had - size >= BLOCK_MIN)) {
		heap_put_free(h, place + size, had - size);
	} else {
		size = had;
		after = heap_at(h, place + had);
		block_set(after, block_word(after) & ~BLOCK_PREV_FREE);
	}
	block_set(b, size | keep);
	block_revive(&h->key, b, tag);
	heap_count_more(h, size);
	heap_count_served(h, size);
	return block_payload(b);
}

/* ---- parts ---- */

static inline bool heap_has_part(const struct heap *h, unsigned part)
{
	return part < PARTS_MAX && h->own >> part & 1;
}

static inline void heap_set_own(struct heap *h, uint64_t own)
{
	/* relaxed: others read it for figures */
	__atomic_store_n(&h->own, own, __ATOMIC_RELAXED);
}

/* The parts from `first` on are the heap's now: merged with what is free beside them. */
HEAP_INLINE uint32_t heap_join(
	struct heap *h, unsigned first, unsigned n, uint64_t mask, uint32_t *had)
{
	uint64_t own = h->own;
	uint32_t lo = first * h->parts->size, hi = lo + n * h->parts->size, before, more;
	/* the end mark of the part below becomes the header */
	bool below = own << 1 >> first & 1, above = own >> 1 >> (first + n - 1) & 1;
	uint32_t place = below ? lo - 8 : lo + 8, end = above ? hi + 8 : hi - 8;
	struct block *after = heap_at(h, end);

	heap_set_own(h, own | mask);
	if (!above) {
		heap_set_end(after, BLOCK_PREV_FREE);
	} else if (block_word(after) & BLOCK_FREE) {
		more = block_size(after);
		list_remove(h, end);
		end += more;
	} else {
		block_set(after, block_word(after) | BLOCK_PREV_FREE);
	}
	if (below && block_word(heap_at(h, place)) & BLOCK_PREV_FREE) {
		before = (uint32_t)*block_footer_before(heap_at(h, place));
		place -= before;
		if (BLOCK_UNLIKELY(!heap_reaches(h, place) ||
				   block_word(heap_at(h, place)) !=
					   (before | BLOCK_FREE)))
			heap_found_broken(h, heap_at(h, place + before));
		list_remove(h, place);
	}
	*had = end - place;
	return place;
}

/* One more part, in hand like heap_more(). Bound: PARTS_TRIES. */
HEAP_INLINE uint32_t heap_more_one(struct heap *h, uint32_t *had)
{
	uint64_t seen = parts_free(h->parts), one;

	for (int i = 0; seen && i < PARTS_TRIES; i++) {
		one = parts_choose_one(seen, h->own, h->hint);
		if (BLOCK_LIKELY(parts_swap(h->parts, &seen, one))) {
			unsigned first = (unsigned)__builtin_ctzl(one);

			parts_set_owner(h->parts, first, h->number);
			return heap_join(h, first, 1, one, had);
		}
	}
	return 0;
}

/* heap_parts.c: memory for a block of `size` from new parts, in hand: in no list, *had
 * bytes, the block behind it says PREV_FREE. 0: no parts. */
uint32_t heap_more(struct heap *h, uint32_t size, uint32_t *had);
/* `total` free bytes at `place`, in no list, have whole parts: these go back. keep: but for
 * one. What is left goes into lists. */
void heap_give_parts(struct heap *h, uint32_t place, uint32_t total, bool keep);

/* heap_returned.c: the next returned block, taken and checked. NULL: none. */
struct block *heap_next_returned(struct heap *h);

#endif
