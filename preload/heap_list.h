/* SPDX-License-Identifier: MIT */
/*
 * heap_list.h - list surgery and the writing of blocks: what heap.c and heap_resize.c
 * share
 *
 * All inline: on the worst path of malloc and free every call counts. No loop.
 */
#ifndef HEAP_LIST_H
#define HEAP_LIST_H

#include "heap_private.h"

/* ---- free lists ---- */

/*
 * Bits are changed in a register between a relaxed load and a store: the compiler then
 * uses one instruction that takes the bit's number, where `|=` to memory takes four.
 */
static inline void list_filled(struct heap *h, size_t class)
{
	size_t fl = class / HEAP_SL;
	uint32_t map = __atomic_load_n(&h->sl_map[fl], __ATOMIC_RELAXED);

	map |= 1u << class % HEAP_SL;
	__atomic_store_n(&h->sl_map[fl], map, __ATOMIC_RELAXED);
	map = __atomic_load_n(&h->fl_map, __ATOMIC_RELAXED);
	map |= 1u << fl % 32;
	__atomic_store_n(&h->fl_map, map, __ATOMIC_RELAXED);
}

static inline void list_emptied(struct heap *h, size_t class)
{
	size_t fl = class / HEAP_SL;
	uint32_t map = __atomic_load_n(&h->sl_map[fl], __ATOMIC_RELAXED);

	map &= ~(1u << class % HEAP_SL);
	__atomic_store_n(&h->sl_map[fl], map, __ATOMIC_RELAXED);
	if (map)
		return;
	map = __atomic_load_n(&h->fl_map, __ATOMIC_RELAXED);
	map &= ~(1u << fl % 32);
	__atomic_store_n(&h->fl_map, map, __ATOMIC_RELAXED);
}

static inline void list_push(struct heap *h, uint32_t off, size_t size)
{
	struct block *b = heap_at(h, off);
	size_t class = class_of(size);
	uint32_t first = h->list[class];

	b->next = first;
	h->list[class] = off;
	b->prev = list_head(class);
	if (first)
		heap_at(h, first)->prev = off;
	else
		list_filled(h, class);
}

static inline bool heap_found_broken(struct heap *h, uint32_t off)
{
	h->broken = block_payload(heap_at(h, off));
	return false;
}

/* False when the links do not lead back: the program wrote into a free block. */
static inline __attribute__((always_inline)) bool list_remove(
	struct heap *h, uint32_t off)
{
	uint32_t next = heap_at(h, off)->next, prev = heap_at(h, off)->prev;

	if (!heap_reaches(h, prev) || HEAP_UNLIKELY(heap_at(h, prev)->next != off))
		return heap_found_broken(h, off);
	if (next) {
		if (!heap_reaches(h, next) ||
			HEAP_UNLIKELY(heap_at(h, next)->prev != off))
			return heap_found_broken(h, off);
		heap_at(h, next)->prev = prev;
		heap_at(h, prev)->next = next;
		return true;
	}
	heap_at(h, prev)->next = 0;
	if (list_class(prev) < HEAP_LISTS)
		list_emptied(h, list_class(prev));
	return true;
}

/* The same for the first block of a list. */
static inline bool list_remove_first(struct heap *h, uint32_t off, size_t class)
{
	uint32_t next = heap_at(h, off)->next, head = list_head(class);

	if (HEAP_UNLIKELY(heap_at(h, off)->prev != head))
		return heap_found_broken(h, off);
	h->list[class] = next;
	if (next) {
		if (!heap_reaches(h, next) ||
			HEAP_UNLIKELY(heap_at(h, next)->prev != off))
			return heap_found_broken(h, off);
		heap_at(h, next)->prev = head;
	} else {
		list_emptied(h, class);
	}
	return true;
}

/* ---- taking and giving ---- */

static inline void heap_count_more(struct heap *h, size_t size)
{
	/* relaxed: a figure that others read without the lock */
	__atomic_store_n(&h->used, h->used + size, __ATOMIC_RELAXED);
}

static inline void heap_count_less(struct heap *h, size_t size)
{
	size_t used = h->used;

	/* only here can a peak end */
	if (used > h->peak)
		h->peak = used;
	__atomic_store_n(&h->used, used - size, __ATOMIC_RELAXED); /* relaxed: as above */
}

/* Header and size at the end of a free block, in its list. The block after knows. */
static inline void heap_write_free(struct heap *h, struct block *b, size_t size)
{
	b->size_flags = (uint32_t)size | HEAP_F_FREE;
	*block_before_size(block_at(b, size)) = size;
	list_push(h, heap_off(h, b), size);
}

/* b becomes a free block of `size` bytes whose neighbours are not free. */
static inline void heap_put_free(struct heap *h, struct block *b, size_t size)
{
	b->check = (uint16_t)~block_live_check(h, b);
	block_or(block_at(b, size), HEAP_F_PREV_FREE);
	heap_write_free(h, b, size);
}

static inline void heap_write_live(
	struct heap *h, struct block *b, size_t size, uint32_t keep, size_t wanted)
{
	block_set(b, (uint32_t)size | keep);
	b->slack = (uint16_t)(size - HEAP_OVERHEAD - wanted);
	b->check = block_live_check(h, b);
}

/* b, `had` bytes, free but in no list, becomes a live block of `size`; the rest goes
 * back. Returns the size it got. */
static inline size_t heap_make_live(struct heap *h, struct block *b, size_t had,
	size_t size, uint32_t keep, size_t wanted)
{
	struct block *rest = block_at(b, size);

	if (HEAP_LIKELY(had - size >= HEAP_BLOCK_MIN)) {
		rest->check = (uint16_t)~block_live_check(h, rest);
		heap_write_free(h, rest, had - size);
	} else {
		size = had;
		block_clear(block_at(b, size), HEAP_F_PREV_FREE);
	}
	heap_write_live(h, b, size, keep, wanted);
	return size;
}

static inline size_t heap_block_size(size_t wanted)
{
	size_t size = (wanted + HEAP_OVERHEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return size < HEAP_BLOCK_MIN ? HEAP_BLOCK_MIN : size;
}

#endif
