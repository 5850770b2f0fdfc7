/* SPDX-License-Identifier: MIT */
/*
 * heap.c - two-level segregated fit (Masmano, Ripoll, Crespo, Real: TLSF, ECRTS 2004)
 *
 *  1. Free blocks hang in lists by size class: 16-byte classes below 1 KiB, above
 * that 32 classes per power of two. Two levels of bitmaps say which lists are not empty.
 *  2. To allocate, round the size up to a class so that any block of it fits, find the
 * first list that is not empty with two bit scans, take its head, give the rest back.
 * Only when that finds nothing, look at HEAP_SCAN blocks of the class the size itself
 * falls into.
 *  3. To free, merge with the neighbours in memory, put the result in its list.
 *
 * No loop but the scan of step 2. Never calls out, never touches memory outside the span
 * and the control block. What a damaged block would make it do is checked before it is
 * done.
 */
#include "heap_list.h"

#include <string.h>

/* Blocks of the class `size` falls into may still be large enough. Bound: HEAP_SCAN. */
static uint32_t heap_find_exact_slow(const struct heap *h, size_t size)
{
	uint32_t off = h->list[class_of(size)];

	for (int i = 0; off && i < HEAP_SCAN; i++, off = heap_at(h, off)->next) {
		if (!heap_reaches(h, off))
			return 0;
		if (block_size(heap_at(h, off)) >= size)
			return off;
	}
	return 0;
}

/* The smallest class whose blocks are sure to fit and which has one, or HEAP_LISTS. */
static inline size_t heap_find(const struct heap *h, size_t size)
{
	size_t class = class_fitting(size), fl = class / HEAP_SL;
	uint32_t map = h->sl_map[fl] & (~0u << class % HEAP_SL);

	if (!map) {
		map = h->fl_map & (~1u << fl);
		if (HEAP_UNLIKELY(!map))
			return HEAP_LISTS;
		fl = (unsigned)__builtin_ctz(map);
		map = h->sl_map[fl];
	}
	return fl * HEAP_SL + (unsigned)__builtin_ctz(map);
}

/* A free block of at least `size` bytes, taken out of its list. NULL: none, or broken. */
static __attribute__((noinline)) struct block *heap_take_exact_slow(
	struct heap *h, size_t size)
{
	uint32_t off = heap_find_exact_slow(h, size);

	return off && block_is_free(heap_at(h, off)) && list_remove(h, off)
		       ? heap_at(h, off)
		       : NULL;
}

/* The same for any search. Its size, or 0: none, or broken. */
static inline __attribute__((always_inline)) size_t heap_take(
	struct heap *h, size_t size, struct block **out)
{
	size_t class = heap_find(h, size);
	uint32_t off, word;

	if (HEAP_UNLIKELY(class == HEAP_LISTS)) {
		*out = heap_take_exact_slow(h, size);
		return *out ? block_size(*out) : 0;
	}
	off = h->list[class];
	*out = heap_at(h, off);
	word = block_word(*out);
	if (HEAP_UNLIKELY(!(word & HEAP_F_FREE))) {
		heap_found_broken(h, off);
		return 0;
	}
	return list_remove_first(h, off, class) ? word & HEAP_SIZE_MASK : 0;
}

static inline __attribute__((always_inline)) void *heap_cut(
	struct heap *h, size_t size, size_t wanted)
{
	struct block *b;
	size_t had = heap_take(h, size, &b);

	if (HEAP_UNLIKELY(!had))
		return NULL;
	heap_count_more(h, heap_make_live(h, b, had, size, 0, wanted));
	return block_payload(b);
}

void *heap_alloc(struct heap *h, size_t wanted)
{
	if (HEAP_UNLIKELY(wanted > HEAP_BLOCK_MAX - 2 * HEAP_ALIGN))
		return NULL;
	return heap_cut(h, heap_block_size(wanted), wanted);
}

void *heap_alloc_block(struct heap *h, size_t size)
{
	return heap_cut(h, size, size - HEAP_OVERHEAD);
}

/* Take a block with room for any shift, cut the front off, then the rest as usual. */
void *heap_alloc_aligned(struct heap *h, size_t align, size_t wanted)
{
	size_t size, had, gap;
	struct block *b;

	if (align <= HEAP_ALIGN)
		return heap_alloc(h, wanted);
	if (wanted > HEAP_BLOCK_MAX / 2 || align > HEAP_BLOCK_MAX / 4)
		return NULL;
	size = heap_block_size(wanted);
	had = heap_take(h, size + align + HEAP_BLOCK_MIN, &b);
	if (!had)
		return NULL;
	gap = -(uintptr_t)block_payload(b) & (align - 1);
	if (gap && gap < HEAP_BLOCK_MIN)
		gap += align;
	if (gap) {
		heap_write_free(h, b, heap_off(h, b), gap);
		b = block_at(b, gap);
		had -= gap;
	}
	heap_count_more(
		h, heap_make_live(h, b, had, size, gap ? HEAP_F_PREV_FREE : 0, wanted));
	return block_payload(b);
}

enum heap_verdict heap_check_pointer(const struct heap *h, const void *p)
{
	const struct block *b = block_of(p);
	uint16_t wrong;

	if ((uintptr_t)p % HEAP_ALIGN || (uintptr_t)p < (uintptr_t)h->span + HEAP_ALIGN ||
		(uintptr_t)p >=
			/* relaxed: it only grows, and p was inside when it was made */
			(uintptr_t)__atomic_load_n(&h->end, __ATOMIC_RELAXED))
		return HEAP_NOT_A_BLOCK;
	wrong = b->check ^ block_live_check(h, b);
	if (HEAP_UNLIKELY(wrong))
		return wrong == 0xffff ? HEAP_DOUBLE_FREE : HEAP_NOT_A_BLOCK;
	return HEAP_UNLIKELY(block_is_free(b)) ? HEAP_NOT_A_BLOCK : HEAP_OK;
}

/*
 * Merge cases, in memory order; capitals are free:
 *   a b c -> a B c     a b C -> a B     A b c -> A c     A b C -> A
 * b's check says already that it is not live.
 */
static enum heap_verdict heap_release(struct heap *h, struct block *b)
{
	size_t size = block_size(b), total = size;
	uint32_t off = heap_off(h, b), after = off + (uint32_t)size;

	if (!heap_reaches(h, after))
		goto broken;
	if (heap_at(h, after)->size_flags & HEAP_F_FREE) {
		total += block_size(heap_at(h, after));
		if (!list_remove(h, after))
			return HEAP_BROKEN;
	} else {
		block_or(heap_at(h, after), HEAP_F_PREV_FREE);
	}
	heap_count_less(h, size);
	if (b->size_flags & HEAP_F_PREV_FREE) {
		uint32_t before = (uint32_t)*block_before_size(b), front = off - before;

		if (!heap_reaches(h, front) ||
			HEAP_UNLIKELY(
				heap_at(h, front)->size_flags != (before | HEAP_F_FREE)))
			goto broken;
		if (!list_remove(h, front))
			return HEAP_BROKEN;
		total += before;
		off = front;
		b = heap_at(h, front);
	}
	heap_write_free(h, b, off, total);
	return HEAP_OK;
broken:
	heap_found_broken(h, off);
	return HEAP_BROKEN;
}

enum heap_verdict heap_free(struct heap *h, void *p)
{
	enum heap_verdict v = heap_check_pointer(h, p);

	if (HEAP_UNLIKELY(v != HEAP_OK))
		return v;
	return heap_free_live(h, p);
}

enum heap_verdict heap_free_live(struct heap *h, void *p)
{
	/* whatever becomes of it, a second free of this pointer is seen */
	heap_flip(p);
	return heap_release(h, block_of(p));
}

enum heap_verdict heap_free_flipped(struct heap *h, void *p)
{
	struct block *b = block_of(p);

	/* it was looked at when it was flipped; who wrote to it since shows here */
	if (HEAP_UNLIKELY((b->check ^ block_live_check(h, b)) != 0xffff))
		return HEAP_BROKEN;
	return heap_release(h, b);
}

/* ---- the span ---- */

size_t heap_span_for(size_t total)
{
	return heap_block_size(total) + HEAP_ENDS;
}

/*
 * A header of size 0 that is never free: what block_after() of the last block finds. It
 * has room for links nobody uses, so that whatever may be a block can be read as one.
 */
static void heap_set_end(struct heap *h, unsigned char *to)
{
	struct block *end = (struct block *)(to - sizeof(struct block));

	/* relaxed: heap_check_pointer() reads it without the lock; it only grows */
	__atomic_store_n(&h->end, to, __ATOMIC_RELAXED);
	h->reach = heap_off(h, end);
	end->size_flags = HEAP_F_LAST;
	end->slack = 0;
	end->check = (uint16_t)~block_live_check(h, end);
}

struct heap *heap_init(void *control, void *span, size_t len, uint16_t key)
{
	struct heap *h = control;
	struct block *b;

	memset(h, 0, sizeof(*h));
	h->key = key;
	h->span = span;
	heap_set_end(h, (unsigned char *)span + len);
	b = (struct block *)((unsigned char *)span + HEAP_OVERHEAD);
	heap_put_free(h, b, len - HEAP_ENDS);
	return h;
}

void heap_extend(struct heap *h, size_t len)
{
	struct block *b = (struct block *)(h->end - sizeof(struct block));

	heap_set_end(h, h->end + len);
	/* the old end mark becomes a block of the new bytes, which is then freed */
	b->size_flags = (uint32_t)len | (b->size_flags & HEAP_F_PREV_FREE);
	h->used += len;
	heap_release(h, b);
}
