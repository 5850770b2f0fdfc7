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

#define HEAP_GIVES 16 /* free blocks that are looked through for parts, see below */
#define HEAP_EACH  2  /* returned blocks released with each aligned one */
#define HEAP_FEW   4  /* the share of all parts below which free ones are few */
#define HEAP_SCAN  8  /* blocks looked at in the exact class before giving up */

/* ---- allocation ---- */

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
		list_remove(h, place, word);
		return place;
	}
	return 0;
}

/* `size` bytes or more in hand. False: there are none. */
static bool heap_take(struct heap *h, uint32_t size, struct heap_hand *hand)
{
	uint32_t class = list_find(h, class_fitting(size));

	hand->high = false;
	if (class <= h->part_class ||
		(class != HEAP_NO_CLASS && !heap_has_hole(h, size))) {
		hand->place = list_take_first(h, class, &hand->had);
		return true;
	}
	if (heap_more(h, size, hand))
		return true;
	hand->place = heap_take_exact_slow(h, size);
	hand->had = hand->place ? block_size(heap_at(h, hand->place)) : 0;
	return hand->place != 0;
}

void *heap_alloc(struct heap *h, uint32_t size, uint8_t tag)
{
	struct heap_hand hand;

	return heap_take(h, size, &hand) ? heap_cut_hand(h, &hand, size, tag) : NULL;
}

/* Take a block with room for any shift, put the front back, then the rest as usual. */
void *heap_alloc_aligned(struct heap *h, size_t align, uint32_t size, uint8_t tag)
{
	struct heap_hand hand;
	uint32_t gap;

	if (align <= BLOCK_ALIGN)
		return heap_alloc(h, size, tag);
	if (size > BLOCK_MAX / 2 || align > BLOCK_MAX / 4)
		return NULL;
	if (!heap_take(h, size + (uint32_t)align + (uint32_t)BLOCK_MIN, &hand))
		return NULL;
	gap = (uint32_t)(-(uintptr_t)block_payload(heap_at(h, hand.place)) & (align - 1));
	if (gap && gap < BLOCK_MIN)
		gap += (uint32_t)align;
	if (!gap)
		return heap_cut(h, hand.place, hand.had, size, 0, tag);
	heap_put_free(h, hand.place, gap);
	return heap_cut(h, hand.place + gap, hand.had - gap, size, BLOCK_PREV_FREE, tag);
}

/* ---- a miss of the cache: free blocks and what others returned ---- */

/* b and what is free beside it, in hand. */
struct heap_merge {
	uint32_t place, total;	    /* of all */
	uint32_t left, right;	    /* first words of free neighbours; 0: none */
	uint32_t left_place, after; /* where they are; after: the header behind b */
};

HEAP_INLINE void heap_look(const struct heap *h, struct block *b, struct heap_merge *m)
{
	uint32_t word = block_word(b), size = word & BLOCK_SIZE_MASK;

	m->place = heap_place(h, b);
	m->after = m->place + size;
	m->total = size;
	m->left = m->right = 0;
	if (BLOCK_UNLIKELY(!heap_reaches(h, m->after - (uint32_t)BLOCK_MIN)))
		heap_found_broken(h, b);
	if (word & BLOCK_PREV_FREE) {
		m->place = heap_before(h, b, &m->left);
		m->total += m->left - BLOCK_FREE;
	}
	word = block_word(heap_at(h, m->after));
	if (word & BLOCK_FREE) {
		m->right = word;
		m->total += word - BLOCK_FREE;
	}
}

HEAP_INLINE void heap_merge_right(struct heap *h, const struct heap_merge *m)
{
	struct block *after = heap_at(h, m->after);

	if (m->right)
		list_remove(h, m->after, m->right);
	else
		heap_set_after_free(after, block_word(after));
}

static __attribute__((noinline)) void *heap_serve_free(
	struct heap *h, uint32_t size, uint8_t tag, uint32_t class)
{
	uint32_t had, place = list_take_first(h, class, &had);

	return heap_cut(h, place, had, size, 0, tag);
}

/* b, whose left neighbour is in hand, becomes one returned block with that. */
HEAP_INLINE void heap_merge_later(
	struct heap *h, struct block *b, const struct heap_merge *m)
{
	heap_drop_first_returned(h, b);
	heap_count_more(h, m->left - BLOCK_FREE);
	heap_put_returned(h, m->place, m->after - m->place);
}

/* It has the size, with its neighbours; the left one is in hand. */
HEAP_INLINE void *heap_serve_merged(struct heap *h, uint32_t size, uint8_t tag,
	struct block *b, const struct heap_merge *m)
{
	heap_drop_first_returned(h, b);
	heap_count_less(h, m->after - heap_place(h, b));
	heap_merge_right(h, m);
	return heap_cut(h, m->place, m->total, size, 0, tag);
}

/*
 * The first returned block is served as it is when it has the size, or from what it and
 * its neighbours make when that is large enough and no other block is nearer. Else they
 * are merged, and the block is served from the list of `class`; if only new parts could
 * do that, they wait. Merging on both sides, too, would be too long for one call: the
 * right side's turn comes with the next.
 */
static __attribute__((noinline)) void *heap_serve_returned(
	struct heap *h, uint32_t size, uint8_t tag)
{
	struct block *b = heap_first_returned(h);
	struct heap_merge m;
	uint32_t class;
	bool merged;

	if (block_size(b) - size <= size / 16) {
		heap_drop_first_returned(h, b);
		block_revive(&h->key, b, tag);
		heap_count_served(h, block_size(b));
		return block_payload(b);
	}
	heap_look(h, b, &m);
	class = list_find(h, class_fitting(size));
	merged = m.total >= size && ((m.left && m.right) || class_of(m.total) <= class);
	if (class == HEAP_NO_CLASS && !merged)
		return heap_serve_more(h, size, tag);
	if (m.left)
		list_remove(h, m.place, m.left);
	/* was that the last of its class, it is large enough itself */
	if (merged || !h->list[class])
		return heap_serve_merged(h, size, tag, b, &m);
	if (m.left && m.right) {
		heap_merge_later(h, b, &m);
		return heap_serve_free(h, size, tag, class);
	}
	heap_drop_first_returned(h, b);
	heap_count_less(h, block_size(b));
	heap_merge_right(h, &m);
	if (!h->list[class])
		return heap_cut(h, m.place, m.total, size, 0, tag);
	heap_put_free(h, m.place, m.total);
	return heap_serve_free(h, size, tag, class);
}

/* Neither a free block nor parts; or a large block, whose bound is another: what a few
 * returned blocks make, then what rounding up to a class has missed. */
__attribute__((noinline)) void *heap_serve_last(
	struct heap *h, uint32_t size, uint8_t tag)
{
	struct heap_hand hand;

	heap_take_back(h, HEAP_LAST);
	/* what the heap has free between two gaps makes one of them */
	if (size > h->part_block)
		heap_trim(h, HEAP_GIVES);
	else if (h->parts)
		heap_see_scarce(h);
	return heap_take(h, size, &hand) ? heap_cut_hand(h, &hand, size, tag) : NULL;
}

void *heap_serve_aligned(struct heap *h, size_t align, uint32_t size, uint8_t tag)
{
	void *p;

	heap_take_back(h, HEAP_EACH);
	p = heap_alloc_aligned(h, align, size, tag);
	if (BLOCK_LIKELY(p != NULL))
		return p;
	heap_take_back(h, HEAP_LAST);
	if (h->parts)
		heap_trim(h, HEAP_GIVES);
	return heap_alloc_aligned(h, align, size, tag);
}

/* Each way on is a function of its own that is jumped to, so that it saves only the
 * registers it needs. */
void *heap_serve(struct heap *h, uint32_t size, uint8_t tag)
{
	uint32_t class;

	if (BLOCK_UNLIKELY(size > HEAP_LARGE))
		return heap_serve_last(h, size, tag);
	if (BLOCK_UNLIKELY(heap_has_returned(h)))
		return heap_serve_returned(h, size, tag);
	class = list_find(h, class_fitting(size));
	if (BLOCK_UNLIKELY(class > h->part_class) &&
		(class == HEAP_NO_CLASS || heap_has_hole(h, size)))
		return heap_serve_more(h, size, tag);
	return heap_serve_free(h, size, tag, class);
}

/* ---- free ---- */

/*
 * Merge cases, in memory order; capitals are free:
 *   a b c -> a B c     a b C -> a B     A b c -> A c     A b C -> A
 */
void heap_release(struct heap *h, struct block *b)
{
	struct heap_merge m;

	heap_look(h, b, &m);
	heap_count_less(h, block_size(b));
	if (m.left)
		list_remove(h, m.place, m.left);
	heap_merge_right(h, &m);
	heap_put_free(h, m.place, m.total);
}

enum heap_verdict heap_free(struct heap *h, void *p)
{
	enum heap_verdict v = heap_check_pointer(h, p);

	if (BLOCK_UNLIKELY(v != HEAP_OK))
		return v;
	block_retire(block_of(p));
	heap_release(h, block_of(p));
	if (BLOCK_UNLIKELY(heap_has_spare(h))) {
		heap_give_spare(h);
		heap_take_back(h, 2); /* what is left on both sides */
	}
	return HEAP_OK;
}

/* ---- making ---- */

/* The first level of classes of which each block has a whole part beside one that is
 * kept, wherever it begins. */
static uint32_t heap_spare_map(uint32_t part)
{
	uint32_t fl = (class_fitting(3 * part + BLOCK_MIN) + HEAP_SL - 1) / HEAP_SL;

	return fl < HEAP_FL ? 1u << fl : ~0u;
}

void heap_init(struct heap *h, unsigned char *lo, const struct block_key *key,
	struct parts *parts, uint8_t number, heap_broken_fn *broken)
{
	memset(h, 0, sizeof(*h));
	h->broken = broken;
	h->lo = lo;
	h->key = *key;
	h->parts = parts;
	h->spare_map = parts ? heap_spare_map(parts->size) : ~0u;
	h->spare_class = parts ? HEAP_SL * (uint32_t)__builtin_ctz(h->spare_map) : 0;
	h->number = number;
	h->part_block = parts ? parts->size - (uint32_t)HEAP_RUN_ENDS : 0;
	h->part_class = parts ? class_of(h->part_block) : HEAP_NO_CLASS - 1;
}

/* A header has at least BLOCK_MIN bytes and an end mark behind it. */
void heap_set_reach(struct heap *h, size_t reach)
{
	/* relaxed: places behind it are not in use yet */
	__atomic_store_n(&h->reach, (uint32_t)(reach - BLOCK_HEADER - BLOCK_MIN + 1),
		__ATOMIC_RELAXED);
	if (h->parts)
		__atomic_store_n(&h->few, (uint32_t)(reach / h->parts->size / HEAP_FEW),
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
