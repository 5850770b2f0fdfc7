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
 * The processor finds the word of a bit by itself: one instruction where C takes five. It
 * is not a faster one by itself, but the worst path of malloc and free has three of
 * these.
 */
#define BIT_CHANGE(instruction, place, bit) \
	__asm__(instruction " %1, %0" : "+m"(place) : "r"((uint32_t)(bit)) : "cc")

static inline void list_filled(struct heap *h, size_t class)
{
	BIT_CHANGE("btsl", h->sl_map, class);
	BIT_CHANGE("btsl", h->fl_map, class / HEAP_SL);
}

static inline void list_emptied(struct heap *h, uint32_t class)
{
	BIT_CHANGE("btrl", h->sl_map, class);
	if (!h->sl_map[class / HEAP_SL])
		BIT_CHANGE("btrl", h->fl_map, class / HEAP_SL);
}

static inline void list_push(struct heap *h, struct block *b, uint32_t off, size_t size)
{
	size_t class = class_of(size);
	uint32_t first = *list_slot(h, class);

	b->next = first;
	*list_slot(h, class) = off;
	b->prev = list_head(class);
	if (first)
		heap_at(h, first)->prev = off;
	else
		list_filled(h, class);
}

/* Kept out of line: what it needs is not computed on the way. */
static __attribute__((noinline, cold)) bool heap_found_broken(
	struct heap *h, uint32_t off)
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
	if (list_is_head(prev))
		list_emptied(h, list_class(prev));
	return true;
}

/* The same for the first block of a list. */
static inline bool list_remove_first(struct heap *h, uint32_t off, size_t class)
{
	uint32_t next = heap_at(h, off)->next, head = list_head(class);

	if (HEAP_UNLIKELY(heap_at(h, off)->prev != head))
		return heap_found_broken(h, off);
	*list_slot(h, class) = next;
	if (next) {
		if (!heap_reaches(h, next) ||
			HEAP_UNLIKELY(heap_at(h, next)->prev != off))
			return heap_found_broken(h, off);
		heap_at(h, next)->prev = head;
	} else {
		list_emptied(h, (uint32_t) class);
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

/* A free block of bytes that were none, with its size at its end, in its list. */
static inline void heap_write_free(
	struct heap *h, struct block *b, uint32_t off, size_t size)
{
	uint64_t word = ((uintptr_t)block_payload(b) << 48 ^ h->free_word) | size;

	/* relaxed: see block_word(); all of the header is one word */
	__atomic_store_n(block_header(b), word, __ATOMIC_RELAXED);
	*block_before_size(block_at(b, size)) = size;
	list_push(h, b, off, size);
}

/* The same where a header says already that the block is not live, without slack. */
static inline void heap_write_freed(
	struct heap *h, struct block *b, uint32_t off, size_t size)
{
	block_set(b, (uint32_t)size | HEAP_F_FREE);
	*block_before_size(block_at(b, size)) = size;
	list_push(h, b, off, size);
}

/* b becomes a free block of `size` bytes whose neighbours are not free. */
static inline void heap_put_free(struct heap *h, struct block *b, size_t size)
{
	block_or(block_at(b, size), HEAP_F_PREV_FREE);
	heap_write_free(h, b, heap_off(h, b), size);
}

/* b, `had` bytes, in no list, is cut to `size`; the rest goes back. Returns the size it
 * got. Its check and slack stay. */
static inline __attribute__((always_inline)) size_t heap_cut(struct heap *h,
	struct block *b, uint32_t off, size_t had, size_t size, uint32_t keep)
{
	if (HEAP_LIKELY(had - size >= HEAP_BLOCK_MIN)) {
		heap_write_free(h, block_at(b, size), off + (uint32_t)size, had - size);
		block_set(b, (uint32_t)size | keep);
		return size;
	}
	block_clear(block_at(b, had), HEAP_F_PREV_FREE);
	block_set(b, (uint32_t)had | keep);
	return had;
}

static inline size_t heap_block_size(size_t wanted)
{
	size_t size = (wanted + HEAP_OVERHEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return size < HEAP_BLOCK_MIN ? HEAP_BLOCK_MIN : size;
}

#endif
