/* SPDX-License-Identifier: MIT */
/*
 * heap.c - two-level segregated fit (Masmano, Ripoll, Crespo, Real: TLSF, ECRTS 2004)
 *
 *  1. Free blocks hang in lists by size class: 32 classes per power of two. Two levels of
 *     bitmaps say which lists are not empty.
 *  2. To allocate, round the size up to a class so that any block of it fits, find the
 *     first list that is not empty with two bit scans, take its first block, put the rest
 *     back. When there is none, take new parts. When there are none either, look at
 *     HEAP_SCAN blocks of the class that the size itself falls into.
 *  3. To free, merge with the neighbours in memory, put the result in its list.
 *
 * No loop but the scan of step 2. Never touches memory outside of its runs and itself.
 */
#include "heap_list.h"

#include <string.h>

#define HEAP_SCAN 8 /* blocks looked at in the exact class before giving up */

/* ---- allocation ---- */

/* The smallest class, from this one on, that has a block. */
HEAP_INLINE uint32_t heap_find(const struct heap *h, uint32_t class)
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

/* The first block of a list that has one. */
HEAP_INLINE uint32_t heap_take_first(struct heap *h, uint32_t class)
{
	uint32_t place = h->list[class], next;
	struct block *b = heap_at(h, place);

	if (BLOCK_UNLIKELY(!(block_word(b) & BLOCK_FREE) || !block_is_free(&h->key, b) ||
			   b->prev != list_head(class)))
		heap_found_broken(h, b);
	next = b->next;
	h->list[class] = next;
	if (!next) {
		list_emptied(h, class);
		return place;
	}
	if (BLOCK_UNLIKELY(!heap_reaches(h, next) || heap_at(h, next)->prev != place))
		heap_found_broken(h, b);
	heap_at(h, next)->prev = list_head(class);
	return place;
}

/* Blocks of the class `size` falls into may still be large enough. */
static __attribute__((noinline)) uint32_t heap_take_exact_slow(
	struct heap *h, uint32_t size)
{
	uint32_t place = h->list[class_of(size)];

	for (int i = 0; place && i < HEAP_SCAN; i++, place = heap_at(h, place)->next) {
		uint32_t word;

		if (!heap_reaches(h, place))
			return 0;
		word = block_word(heap_at(h, place));
		if (word < size || !(word & BLOCK_FREE))
			continue;
		list_remove(h, place);
		return place;
	}
	return 0;
}

/* `size` bytes or more in hand, *had of them. 0: there are none. */
static uint32_t heap_take(struct heap *h, uint32_t size, uint32_t *had)
{
	uint32_t class = heap_find(h, class_fitting(size)), place;

	if (BLOCK_LIKELY(class != HEAP_NO_CLASS)) {
		place = heap_take_first(h, class);
	} else {
		place = heap_more(h, size, had);
		if (place)
			return place;
		place = heap_take_exact_slow(h, size);
	}
	*had = place ? block_size(heap_at(h, place)) : 0;
	return place;
}

void *heap_alloc(struct heap *h, uint32_t size, uint8_t tag)
{
	uint32_t had, place = heap_take(h, size, &had);

	return BLOCK_LIKELY(place != 0) ? heap_cut(h, place, had, size, 0, tag) : NULL;
}

/* Take a block with room for any shift, put the front back, then the rest as usual. */
void *heap_alloc_aligned(struct heap *h, size_t align, uint32_t size, uint8_t tag)
{
	uint32_t had, place, gap;

	if (align <= BLOCK_ALIGN)
		return heap_alloc(h, size, tag);
	if (size > BLOCK_MAX / 2 || align > BLOCK_MAX / 4)
		return NULL;
	place = heap_take(h, size + (uint32_t)align + (uint32_t)BLOCK_MIN, &had);
	if (!place)
		return NULL;
	gap = (uint32_t)(-(uintptr_t)block_payload(heap_at(h, place)) & (align - 1));
	if (gap && gap < BLOCK_MIN)
		gap += (uint32_t)align;
	if (!gap)
		return heap_cut(h, place, had, size, 0, tag);
	heap_put_free(h, place, gap);
	return heap_cut(h, place + gap, had - gap, size, BLOCK_PREV_FREE, tag);
}

static __attribute__((noinline)) void *heap_serve_free(
	struct heap *h, uint32_t size, uint8_t tag, uint32_t class)
{
	uint32_t place = heap_take_first(h, class);

	return heap_cut(h, place, block_size(heap_at(h, place)), size, 0, tag);
}

static __attribute__((noinline)) void *heap_serve_last(
	struct heap *h, uint32_t size, uint8_t tag)
{
	uint32_t class, place;

	heap_take_back(h, HEAP_LAST);
	class = heap_find(h, class_fitting(size));
	place = class != HEAP_NO_CLASS ? heap_take_first(h, class)
				       : heap_take_exact_slow(h, size);
	return place ? heap_cut(h, place, block_size(heap_at(h, place)), size, 0, tag)
		     : NULL;
}

static __attribute__((noinline)) void *heap_serve_run(
	struct heap *h, uint32_t size, uint8_t tag)
{
	uint32_t had, place = heap_more(h, size, &had);

	return BLOCK_LIKELY(place != 0) ? heap_cut(h, place, had, size, 0, tag)
					: heap_serve_last(h, size, tag);
}

static __attribute__((noinline)) void *heap_serve_more(
	struct heap *h, uint32_t size, uint8_t tag)
{
	uint32_t had, place;

	if (BLOCK_UNLIKELY(size > h->part_block))
		return heap_serve_run(h, size, tag);
	place = heap_more_one(h, &had);
	return BLOCK_LIKELY(place != 0) ? heap_cut(h, place, had, size, 0, tag)
					: heap_serve_last(h, size, tag);
}

/*
 * With every miss one block leaves the returned list, so the list stays short and what
 * others free is merged: it is served as it is when it has the size, else released. Each
 * way on is a function of its own that is jumped to, so that it saves only the registers
 * it needs.
 */
void *heap_serve(struct heap *h, uint32_t size, uint8_t tag)
{
	uint32_t class;

	if (BLOCK_UNLIKELY(heap_has_returned(h))) {
		struct block *b = heap_next_returned(h);

		if (block_size(b) - size <= size / 16) {
			block_revive(&h->key, b, tag);
			heap_count_served(h, block_size(b));
			return block_payload(b);
		}
		heap_release(h, b);
	}
	class = heap_find(h, class_fitting(size));
	return BLOCK_LIKELY(class != HEAP_NO_CLASS) ? heap_serve_free(h, size, tag, class)
						    : heap_serve_more(h, size, tag);
}

/* ---- free ---- */

/*
 * Merge cases, in memory order; capitals are free:
 *   a b c -> a B c     a b C -> a B     A b c -> A c     A b C -> A
 */
void heap_release(struct heap *h, struct block *b)
{
	uint32_t word = block_word(b), size = word & BLOCK_SIZE_MASK, total = size;
	uint32_t place = heap_place(h, b), next, before;
	struct block *after = heap_at(h, place + size);

	if (BLOCK_UNLIKELY(!heap_reaches(h, place + size - (uint32_t)BLOCK_MIN)))
		heap_found_broken(h, b);
	heap_count_less(h, size);
	next = block_word(after);
	if (next & BLOCK_FREE) {
		list_remove(h, place + size);
		total += next & BLOCK_SIZE_MASK;
	} else {
		block_set(after, next | BLOCK_PREV_FREE);
	}
	if (word & BLOCK_PREV_FREE) {
		before = (uint32_t)*block_footer_before(b);
		place -= before;
		if (BLOCK_UNLIKELY(!heap_reaches(h, place) ||
				   block_word(heap_at(h, place)) !=
					   (before | BLOCK_FREE)))
			heap_found_broken(h, b);
		list_remove(h, place);
		total += before;
	}
	if (BLOCK_UNLIKELY(total >= h->trim))
		heap_give_parts(h, place, total, true);
	else
		heap_put_free(h, place, total);
}

enum heap_verdict heap_free(struct heap *h, void *p)
{
	enum heap_verdict v = heap_check_pointer(h, p);

	if (BLOCK_UNLIKELY(v != HEAP_OK))
		return v;
	block_retire(block_of(p));
	heap_release(h, block_of(p));
	return HEAP_OK;
}

/* ---- making ---- */

/* Heaps begin far from each other: at 0, 1/2, 1/4, 3/4, 1/8 ... of the pool. */
static uint8_t heap_hint(unsigned number, unsigned count)
{
	unsigned mirrored = 0;

	for (unsigned i = 0; i < 6; i++)
		mirrored |= (number - 1) >> i & 1 ? 32u >> i : 0;
	return (uint8_t)(mirrored * count / 64);
}

void heap_init(struct heap *h, unsigned char *lo, const struct block_key *key,
	struct parts *parts, uint8_t number, heap_broken_fn *broken)
{
	memset(h, 0, sizeof(*h));
	h->broken = broken;
	h->lo = lo;
	h->key = *key;
	h->parts = parts;
	h->trim = parts ? 2 * parts->size : ~0u;
	h->number = number;
	h->part_block = parts ? parts->size - (uint32_t)HEAP_RUN_ENDS : 0;
	h->hint = parts && number ? heap_hint(number, parts->count) : 0;
}

/* A header has at least BLOCK_MIN bytes and an end mark behind it. */
void heap_set_reach(struct heap *h, size_t reach)
{
	/* relaxed: places behind it are not in use yet */
	__atomic_store_n(&h->reach, (uint32_t)(reach - BLOCK_HEADER - BLOCK_MIN + 1),
		__ATOMIC_RELAXED);
}

void heap_extend(struct heap *h, size_t len)
{
	/* the end mark becomes the header of the new bytes */
	uint32_t place = h->end ? h->end - (uint32_t)BLOCK_HEADER : BLOCK_HEADER;
	uint32_t size = (uint32_t)(h->end ? len : len - HEAP_RUN_ENDS);
	struct block *b = heap_at(h, place);

	block_set(b, size | (h->end ? block_word(b) & BLOCK_PREV_FREE : 0));
	heap_set_end(heap_at(h, place + size), 0);
	h->end += (uint32_t)len;
	heap_set_reach(h, h->end);
	heap_count_more(h, size);
	heap_release(h, b);
}

size_t heap_span_for(size_t total)
{
	return block_size_for(total) + HEAP_RUN_ENDS;
}
