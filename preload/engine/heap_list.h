/* SPDX-License-Identifier: MIT */
/*
 * heap_list.h - free lists and their blocks: what the heap_*.c files share
 *
 * A link is a PLACE, the distance of a block from the pool's first byte, so that one
 * comparison tells whether it can be followed. 0 is none: no header is there. `prev` of
 * the first block of a list names the list instead: its class times 16, plus 1.
 *
 * The program may have overwritten a header or a link. So each is checked before it is
 * followed: a block leaves a list only when its header and both neighbours in the list
 * agree. No loop.
 */
#ifndef HEAP_LIST_H
#define HEAP_LIST_H

#include "heap.h"
#include "heap_class.h"

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

/* relaxed, all of the maps: other threads look at them for figures */
HEAP_INLINE uint32_t list_set_bit(uint32_t *map, uint32_t bit)
{
	uint32_t was = __atomic_load_n(map, __ATOMIC_RELAXED) | 1u << bit % 32;

	__atomic_store_n(map, was, __ATOMIC_RELAXED);
	return was;
}

HEAP_INLINE uint32_t list_clear_bit(uint32_t *map, uint32_t bit)
{
	uint32_t was = __atomic_load_n(map, __ATOMIC_RELAXED) & ~(1u << bit % 32);

	__atomic_store_n(map, was, __ATOMIC_RELAXED);
	return was;
}

/* relaxed: other threads look at it for figures */
HEAP_INLINE void list_set_first(struct heap *h, uint32_t class, uint32_t place)
{
	__atomic_store_n(&h->list[class], place, __ATOMIC_RELAXED);
}

HEAP_INLINE void list_emptied(struct heap *h, uint32_t class)
{
	if (!list_clear_bit(&h->sl_map[class / HEAP_SL], class))
		list_clear_bit(&h->fl_map, class / HEAP_SL);
}

HEAP_INLINE void list_push(
	struct heap *h, struct block *b, uint32_t place, uint32_t class)
{
	uint32_t first = h->list[class];

	b->next = first;
	b->prev = list_head(class);
	list_set_first(h, class, place);
	if (first) {
		heap_at(h, first)->prev = place;
		return;
	}
	list_set_bit(&h->sl_map[class / HEAP_SL], class);
	list_set_bit(&h->fl_map, class / HEAP_SL);
}

/* Checks the next link of b before it is followed, and that it leads back to b. */
HEAP_INLINE void list_check_next(
	const struct heap *h, const struct block *b, uint32_t next, uint32_t place)
{
	if (BLOCK_UNLIKELY(!heap_reaches(h, next) || heap_at(h, next)->prev != place))
		heap_found_broken(h, b);
}

/* word is the first of the block there and has the FREE flag. */
HEAP_INLINE void list_remove(struct heap *h, uint32_t place, uint32_t word)
{
	struct block *b = heap_at(h, place);
	uint32_t next, prev;

	/* first: behind an end mark there may be no memory to read links from */
	if (BLOCK_UNLIKELY(!block_is_free(&h->key, b, word)))
		heap_found_broken(h, b);
	next = b->next;
	prev = b->prev;
	if (next) {
		list_check_next(h, b, next, place);
		heap_at(h, next)->prev = prev;
	}
	if (prev & 1) {
		prev >>= 4;
		if (BLOCK_UNLIKELY(prev >= HEAP_LISTS || h->list[prev] != place))
			heap_found_broken(h, b);
		list_set_first(h, prev, next);
		if (!next)
			list_emptied(h, prev);
		return;
	}
	if (BLOCK_UNLIKELY(!heap_reaches(h, prev) || heap_at(h, prev)->next != place))
		heap_found_broken(h, b);
	heap_at(h, prev)->next = next;
}

/* The first block of a list that has one; *had: its bytes. */
HEAP_INLINE uint32_t list_take_first(struct heap *h, uint32_t class, uint32_t *had)
{
	uint32_t place = h->list[class], word, next;
	struct block *b = heap_at(h, place);

	word = block_word(b);
	*had = word - BLOCK_FREE;
	if (BLOCK_UNLIKELY(!(word & BLOCK_FREE) || !block_is_free(&h->key, b, word) ||
			   b->prev != list_head(class)))
		heap_found_broken(h, b);
	next = b->next;
	list_set_first(h, class, next);
	if (!next) {
		list_emptied(h, class);
		return place;
	}
	list_check_next(h, b, next, place);
	heap_at(h, next)->prev = list_head(class);
	return place;
}

/* The smallest class, from this one on, that has a block. */
HEAP_INLINE uint32_t list_find(const struct heap *h, uint32_t class)
{
	uint32_t fl = class / HEAP_SL;
	uint32_t map = h->sl_map[fl] & ~0u << class % HEAP_SL;

	if (!map) {
		map = h->fl_map & ~1u << fl;
		if (!map)
			return HEAP_NO_CLASS;
		fl = (uint32_t)__builtin_ctz(map);
		map = h->sl_map[fl];
	}
	return fl * HEAP_SL + (uint32_t)__builtin_ctz(map);
}

/* ---- blocks ---- */

/* The end mark of a run: a header that is never free. flag: BLOCK_PREV_FREE or 0. */
static inline void heap_set_end(struct block *b, uint32_t flag)
{
	block_set(b, BLOCK_LAST | flag);
	block_set_mark(b, 0);
}

/* The block there follows a free one from now on; word is its first. */
static inline void heap_set_after_free(struct block *b, uint32_t word)
{
	block_set(b, word | BLOCK_PREV_FREE);
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
		__atomic_store_n(&h->peak, used, __ATOMIC_RELAXED);
	__atomic_store_n(&h->used, used - size, __ATOMIC_RELAXED);
}

/* Bytes that belong to no block become a free one, in the list of its class. The block
 * behind it knows that it is free. */
HEAP_INLINE void heap_put_class(
	struct heap *h, uint32_t place, uint32_t size, uint32_t class)
{
	struct block *b = heap_at(h, place);

	BLOCK_ASSERT(size >= BLOCK_MIN && size % BLOCK_ALIGN == 0);
	block_set(b, size | BLOCK_FREE);
	block_set_mark(b, block_seal_not(&h->key, b, size | BLOCK_FREE));
	*block_footer_before(heap_at(h, place + size)) = size;
	list_push(h, b, place, class);
}

HEAP_INLINE void heap_put_free(struct heap *h, uint32_t place, uint32_t size)
{
	heap_put_class(h, place, size, class_of(size));
}

/* Bytes that belong to no block become a live one. flag: PREV_FREE or 0. */
HEAP_INLINE void *heap_put_live(
	struct heap *h, uint32_t place, uint32_t size, uint32_t flag, uint8_t tag)
{
	struct block *b = heap_at(h, place);

	block_set(b, size | flag);
	block_set_mark(
		b, block_seal(&h->key, b, size) | (uint32_t)tag << BLOCK_TAG_SHIFT);
	heap_count_more(h, size);
	heap_count_served(h, size);
	return block_payload(b);
}

/*
 * `had` bytes at `place`, free but in no list, become a live block of `size` bytes; the
 * rest is free. The block behind them says PREV_FREE; keep: PREV_FREE or 0 of this one.
 */
HEAP_INLINE void *heap_cut(struct heap *h, uint32_t place, uint32_t had, uint32_t size,
	uint32_t keep, uint8_t tag)
{
	struct block *after;

	if (BLOCK_LIKELY(had - size >= BLOCK_MIN)) {
		heap_put_free(h, place + size, had - size);
	} else {
		size = had;
		after = heap_at(h, place + had);
		block_set(after, block_word(after) & ~BLOCK_PREV_FREE);
	}
	return heap_put_live(h, place, size, keep, tag);
}

/* Free memory that is in no list. The block behind it says PREV_FREE. */
struct heap_hand {
	uint32_t place, had;
	bool high; /* what is behind stays: the block is best cut from the end */
};

/* A live block of it; the rest is free. */
HEAP_INLINE void *heap_cut_hand(
	struct heap *h, const struct heap_hand *hand, uint32_t size, uint8_t tag)
{
	uint32_t rest = hand->had - size, end = hand->place + hand->had;

	if (!hand->high || rest < BLOCK_MIN)
		return heap_cut(h, hand->place, hand->had, size, 0, tag);
	block_set(heap_at(h, end), block_word(heap_at(h, end)) & ~BLOCK_PREV_FREE);
	heap_put_free(h, hand->place, rest);
	return heap_put_live(h, end - size, size, BLOCK_PREV_FREE, tag);
}

static inline void heap_set_inbox(struct heap *h, uint32_t place)
{
	/* relaxed: others ask whether there is something */
	__atomic_store_n(&h->inbox, place, __ATOMIC_RELAXED);
}

/* Bytes that belong to no block, and are counted as used, wait in the inbox. */
HEAP_INLINE void heap_put_returned(struct heap *h, uint32_t place, uint32_t size)
{
	struct block *b = heap_at(h, place);

	block_set(b, size);
	block_set_mark(b, block_seal_not(&h->key, b, size));
	*heap_link(b) = h->inbox;
	heap_set_inbox(h, place);
}

/* ---- parts ---- */

static inline bool heap_has_part(const struct heap *h, unsigned part)
{
	return part < PARTS_MAX && h->own >> part & 1;
}

/* relaxed: an estimate */
static inline void heap_see_scarce(struct heap *h)
{
	bool scarce = (unsigned)__builtin_popcountl(parts_free(h->parts)) <
		      __atomic_load_n(&h->few, __ATOMIC_RELAXED);

	__atomic_store_n(&h->scarce, scarce, __ATOMIC_RELAXED);
}

static inline void heap_set_own(struct heap *h, uint64_t own)
{
	/* relaxed: others read it for figures */
	__atomic_store_n(&h->own, own, __ATOMIC_RELAXED);
	heap_see_scarce(h);
}

/* Between parts of its own is one that is free, and does for `size` bytes: better than to
 * cut a large block. */
static inline bool heap_has_hole(const struct heap *h, uint32_t size)
{
	return h->parts && size <= h->part_block &&
	       (parts_free(h->parts) & h->own << 1 & h->own >> 1);
}

/* The free block before b, whose header says that there is one: its place, checked. */
HEAP_INLINE uint32_t heap_before(const struct heap *h, struct block *b, uint32_t *word)
{
	uint32_t size = (uint32_t)*block_footer_before(b),
		 place = heap_place(h, b) - size;

	*word = size | BLOCK_FREE;
	if (BLOCK_UNLIKELY(
		    !heap_reaches(h, place) || block_word(heap_at(h, place)) != *word))
		heap_found_broken(h, b);
	return place;
}

/* heap_parts.c: a live block from new parts. NULL: there are none. */
void *heap_serve_more(struct heap *h, uint32_t size, uint8_t tag);
/* New parts, in hand, and what is free beside them. False: there are none. */
bool heap_more(struct heap *h, uint32_t size, struct heap_hand *hand);

/* heap.c: when there are no parts either. */
void *heap_serve_last(struct heap *h, uint32_t size, uint8_t tag);

/* ---- returned blocks ---- */

/*
 * The first of them, which stays where it is. NULL: there is none. The link to it was the
 * program's to write since it freed the one above: so where it leads is looked at before
 * it is followed.
 */
HEAP_INLINE struct block *heap_first_returned(struct heap *h)
{
	uint32_t place = h->inbox;
	struct block *b;

	if (!place) {
		/* relaxed: a hint that an exchange pays */
		if (!__atomic_load_n(&h->returned, __ATOMIC_RELAXED))
			return NULL;
		/* acquire: pairs with heap_push() */
		place = __atomic_exchange_n(&h->returned, 0, __ATOMIC_ACQUIRE);
		heap_set_inbox(h, place);
	}
	b = heap_at(h, place);
	if (BLOCK_UNLIKELY(place % BLOCK_ALIGN != BLOCK_HEADER ||
			   !heap_reaches(h, place) || !block_is_returned(&h->key, b)))
		heap_found_broken(h, b);
	return b;
}

static inline void heap_drop_first_returned(struct heap *h, struct block *b)
{
	uint32_t place = *heap_link(b);

	heap_set_inbox(h, place);
	if (place && heap_reaches(h, place)) {
		const struct block *next = heap_at(h, place);

		__builtin_prefetch(heap_at(h, next->next), 1);
		__builtin_prefetch(heap_at(h, place + block_size(next)), 1);
	}
}

#endif
