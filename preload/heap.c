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
	uint32_t off = *list_slot(h, class_of(size));

	for (int i = 0; off && i < HEAP_SCAN; i++, off = heap_at(h, off)->next) {
		if (!heap_reaches(h, off))
			return 0;
		if (block_size(heap_at(h, off)) >= size)
			return off;
	}
	return 0;
}

/* A free block of at least `size` bytes, taken out of its list. 0: none, or broken. */
static __attribute__((noinline)) uint32_t heap_take_exact_slow(
	struct heap *h, size_t size)
{
	uint32_t off = heap_find_exact_slow(h, size);

	return off && block_is_free(heap_at(h, off)) && list_remove(h, off) ? off : 0;
}

/* The first block of a list that is not empty. A free block's only flag is HEAP_F_FREE.
 */
static inline __attribute__((always_inline)) uint32_t heap_take_first(
	struct heap *h, size_t class)
{
	uint32_t off = *list_slot(h, class);

	if (HEAP_UNLIKELY(!block_is_free(heap_at(h, off)))) {
		heap_found_broken(h, off);
		return 0;
	}
	if (!list_remove_first(h, off, class))
		return 0;
	if (!off)
		__builtin_unreachable(); /* the bitmaps say that the list has one */
	return off;
}

/* From the smallest class whose blocks are sure to fit and which has one; else as above.
 */
static inline __attribute__((always_inline)) uint32_t heap_take(
	struct heap *h, size_t size)
{
	uint32_t class = (uint32_t)class_fitting(size), fl = class / HEAP_SL;
	uint32_t map = h->sl_map[fl] & ~0u << class % HEAP_SL;

	if (!map) {
		map = h->fl_map & ~1u << fl;
		if (HEAP_UNLIKELY(!map))
			return heap_take_exact_slow(h, size);
		fl = (uint32_t)__builtin_ctz(map);
		map = h->sl_map[fl];
	}
	return heap_take_first(h, fl * HEAP_SL + (uint32_t)__builtin_ctz(map));
}

static inline __attribute__((always_inline)) struct block *heap_serve(
	struct heap *h, size_t size)
{
	uint32_t off = heap_take(h, size);
	struct block *b = heap_at(h, off);

	if (HEAP_UNLIKELY(!off))
		return NULL;
	heap_count_more(h, heap_cut(h, b, off, block_size(b), size, 0));
	return b;
}

void *heap_alloc(struct heap *h, size_t wanted)
{
	struct block *b;

	if (HEAP_UNLIKELY(wanted > HEAP_BLOCK_MAX - 2 * HEAP_ALIGN))
		return NULL;
	b = heap_serve(h, heap_block_size(wanted));
	if (HEAP_UNLIKELY(!b))
		return NULL;
	block_set_slack(h, b, block_size(b) - HEAP_OVERHEAD - wanted);
	return block_payload(b);
}

void *heap_alloc_block(struct heap *h, size_t size)
{
	struct block *b = heap_serve(h, size);

	return HEAP_LIKELY(b != NULL) ? block_payload(b) : NULL;
}

/* Off the realtime path, but no slower. */
void *heap_alloc_end(struct heap *h, size_t size)
{
	uint32_t off = heap_take(h, size);
	struct block *b = heap_at(h, off), *end;
	size_t had;

	if (!off)
		return NULL;
	had = block_size(b);
	if (had - size < HEAP_BLOCK_MIN) {
		heap_count_more(h, heap_cut(h, b, off, had, size, 0));
		return block_payload(b);
	}
	heap_write_freed(h, b, off, had - size);
	end = block_at(b, had - size);
	/* relaxed: see block_word() */
	__atomic_store_n(block_header(end),
		(uint64_t)(uint16_t)~block_live_check(h, end) << 48 | size |
			HEAP_F_PREV_FREE,
		__ATOMIC_RELAXED);
	block_clear(block_at(end, size), HEAP_F_PREV_FREE);
	heap_count_more(h, size);
	return block_payload(end);
}

/* Take a block with room for any shift, cut the front off, then the rest as usual. */
void *heap_alloc_aligned(struct heap *h, size_t align, size_t wanted)
{
	size_t size, had, gap;
	struct block *b;
	uint32_t off;

	if (align <= HEAP_ALIGN)
		return heap_alloc(h, wanted);
	if (wanted > HEAP_BLOCK_MAX / 2 || align > HEAP_BLOCK_MAX / 4)
		return NULL;
	size = heap_block_size(wanted);
	off = heap_take(h, size + align + HEAP_BLOCK_MIN);
	if (!off)
		return NULL;
	b = heap_at(h, off);
	had = block_size(b);
	gap = -(uintptr_t)block_payload(b) & (align - 1);
	if (gap && gap < HEAP_BLOCK_MIN)
		gap += align;
	if (gap) {
		heap_write_freed(h, b, off, gap);
		off += (uint32_t)gap;
		b = block_at(b, gap);
		had -= gap;
	}
	size = heap_cut(h, b, off, had, size, gap ? HEAP_F_PREV_FREE : 0);
	heap_count_more(h, size);
	b->owner = 0; /* where it was cut, no header stood */
	block_set_slack(h, b, size - HEAP_OVERHEAD - wanted);
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
	wrong = b->check ^ block_own_check(h, b);
	if (HEAP_UNLIKELY(wrong))
		return wrong == 0xffff ? HEAP_DOUBLE_FREE : HEAP_NOT_A_BLOCK;
	return HEAP_UNLIKELY(block_is_free(b)) ? HEAP_NOT_A_BLOCK : HEAP_OK;
}

/*
 * Merge cases, in memory order; capitals are free:
 *   a b c -> a B c     a b C -> a B     A b c -> A c     A b C -> A
 * b's check says already that it is not live; it has no slack and no owner.
 */
static inline __attribute__((always_inline)) enum heap_verdict heap_release(
	struct heap *h, struct block *b)
{
	uint32_t word = block_word(b), size = word & HEAP_SIZE_MASK, total = size;
	uint32_t off = heap_off(h, b), after = off + size, next;

	if (!heap_reaches(h, after))
		goto broken;
	next = block_word(heap_at(h, after));
	if (next & HEAP_F_FREE) {
		if (!list_remove(h, after))
			return HEAP_BROKEN;
		total += next & HEAP_SIZE_MASK;
	} else {
		block_or(heap_at(h, after), HEAP_F_PREV_FREE);
	}
	heap_count_less(h, size);
	if (word & HEAP_F_PREV_FREE) {
		uint32_t before = *(uint32_t *)block_before_size(b);

		off -= before;
		if (!heap_reaches(h, off) || HEAP_UNLIKELY(block_word(heap_at(h, off)) !=
							   (before | HEAP_F_FREE)))
			goto broken;
		if (!list_remove(h, off))
			return HEAP_BROKEN;
		total += before;
		b = heap_at(h, off);
	}
	heap_write_freed(h, b, off, total);
	return HEAP_OK;
broken:
	heap_found_broken(h, heap_off(h, b));
	return HEAP_BROKEN;
}

enum heap_verdict heap_free(struct heap *h, void *p)
{
	enum heap_verdict v = heap_check_pointer(h, p);

	if (HEAP_UNLIKELY(v != HEAP_OK))
		return v;
	heap_retire(p);
	return heap_release(h, block_of(p));
}

enum heap_verdict heap_free_known(struct heap *h, void *p)
{
	return heap_release(h, block_of(p));
}

enum heap_verdict heap_free_flipped(struct heap *h, void *p)
{
	struct block *b = block_of(p);

	/* it was looked at when it was flipped; who wrote to it since shows here */
	if (HEAP_UNLIKELY(((const heap_half *)p)[-1] !=
			  (uint32_t)(uint16_t)~block_live_check(h, b) << 16))
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
	end->slack = end->owner = 0;
	end->check = (uint16_t)~block_live_check(h, end);
}

struct heap *heap_init(void *control, void *span, size_t len, uint16_t key)
{
	struct heap *h = control;
	struct block *b;

	memset(h, 0, sizeof(*h));
	h->key = key;
	h->free_word = (uint64_t)(uint16_t)~key << 48 | HEAP_F_FREE;
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
	block_set(b, (uint32_t)len | (b->size_flags & HEAP_F_PREV_FREE));
	h->used += len;
	heap_release(h, b);
}
