/* SPDX-License-Identifier: MIT */
/*
 * heap.c - two-level segregated fit (Masmano, Ripoll, Crespo, Real: TLSF, ECRTS 2004)
 *
 *  1. Free blocks hang in lists by size class: 16-byte classes below 512 bytes, above
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
#include "heap_private.h"

#include <string.h>

size_t heap_control_size(void)
{
	return sizeof(struct heap);
}

/* ---- free lists ---- */

static inline void list_push(struct heap *h, struct block *b, size_t size)
{
	struct class c = class_of(size);
	struct block **head = &h->list[c.fl][c.sl];

	b->next = *head;
	b->prev = NULL;
	if (b->next)
		b->next->prev = b;
	*head = b;
	h->sl_map[c.fl] |= 1u << c.sl;
	h->fl_map |= 1u << c.fl;
}

/* False when the links do not lead back: the program wrote into a free block. */
static inline bool list_remove(struct heap *h, struct block *b, size_t size)
{
	struct class c = class_of(size);
	struct block *next = b->next, *prev = b->prev;
	struct block **from = prev ? &prev->next : &h->list[c.fl][c.sl];

	if (HEAP_UNLIKELY((prev && ((uintptr_t)prev < (uintptr_t)h->span ||
					   (uintptr_t)prev >= (uintptr_t)h->end)) ||
			  *from != b ||
			  (next && ((uintptr_t)next < (uintptr_t)h->span ||
					   (uintptr_t)next >= (uintptr_t)h->end ||
					   next->prev != b)))) {
		h->broken = block_payload(b);
		return false;
	}
	*from = next;
	if (next)
		next->prev = prev;
	else if (!prev) {
		h->sl_map[c.fl] &= ~(1u << c.sl);
		if (!h->sl_map[c.fl])
			h->fl_map &= ~(1u << c.fl);
	}
	return true;
}

/* ---- taking and giving ---- */

static inline void heap_count(struct heap *h, size_t size)
{
	h->used += size;
	if (h->used > h->peak)
		h->peak = h->used;
}

/* b becomes a free block of `size` bytes whose neighbours are not free. */
static inline void heap_put_free(
	struct heap *h, struct block *b, size_t size, uint32_t keep)
{
	struct block *after = block_at(b, size);

	block_set_flags(b, (uint32_t)size | HEAP_F_FREE | keep);
	b->check = (uint16_t)~block_live_check(h, b);
	*block_before_size(after) = size;
	block_set_flags(after, block_flags(after) | HEAP_F_PREV_FREE);
	list_push(h, b, size);
}

/* b, `had` bytes and in no list, becomes a live block of `size`; the rest goes back. */
static inline void *heap_make_live(
	struct heap *h, struct block *b, size_t had, size_t size, size_t wanted)
{
	uint32_t keep = block_flags(b) & HEAP_F_PREV_FREE;

	if (had - size >= HEAP_BLOCK_MIN) {
		heap_put_free(h, block_at(b, size), had - size, 0);
	} else {
		size = had;
		block_set_flags(block_at(b, size),
			block_flags(block_at(b, size)) & ~HEAP_F_PREV_FREE);
	}
	block_set_flags(b, (uint32_t)size | keep);
	b->slack = (uint16_t)(size - HEAP_OVERHEAD - wanted);
	b->check = block_live_check(h, b);
	return block_payload(b);
}

static inline size_t heap_block_size(size_t wanted)
{
	size_t size = (wanted + HEAP_OVERHEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return size < HEAP_BLOCK_MIN ? HEAP_BLOCK_MIN : size;
}

/* Blocks of the class `size` falls into may still be large enough. Bound: HEAP_SCAN. */
static __attribute__((noinline)) struct block *heap_find_exact_slow(
	const struct heap *h, size_t size)
{
	struct class c = class_of(size);
	struct block *b = h->list[c.fl][c.sl];

	for (int i = 0; b && i < HEAP_SCAN; i++, b = b->next) {
		if ((uintptr_t)b < (uintptr_t)h->span ||
			(uintptr_t)b >= (uintptr_t)h->end)
			return NULL;
		if (block_size(b) >= size)
			return b;
	}
	return NULL;
}

static inline struct block *heap_find(const struct heap *h, size_t size)
{
	struct class c = class_fitting(size);
	uint32_t map;

	if (HEAP_UNLIKELY(c.fl >= HEAP_FL))
		return heap_find_exact_slow(h, size);
	map = h->sl_map[c.fl] & (~0u << c.sl);
	if (!map) {
		map = c.fl + 1 < 32 ? h->fl_map & (~0u << (c.fl + 1)) : 0;
		if (HEAP_UNLIKELY(!map))
			return heap_find_exact_slow(h, size);
		c.fl = (unsigned)__builtin_ctz(map);
		map = h->sl_map[c.fl];
	}
	return h->list[c.fl][__builtin_ctz(map)];
}

void *heap_alloc(struct heap *h, size_t wanted)
{
	struct block *b;
	size_t size, had;

	if (HEAP_UNLIKELY(wanted > HEAP_BLOCK_MAX - HEAP_ALIGN))
		return NULL;
	size = heap_block_size(wanted);
	b = heap_find(h, size);
	if (HEAP_UNLIKELY(!b))
		return NULL;
	had = block_size(b);
	if (HEAP_UNLIKELY(!list_remove(h, b, had)))
		return NULL;
	heap_make_live(h, b, had, size, wanted);
	heap_count(h, block_size(b));
	return block_payload(b);
}

/* Take a block with room for any shift, cut the front off, then the rest as usual. */
void *heap_alloc_aligned(struct heap *h, size_t align, size_t wanted)
{
	size_t size, had, gap, room;
	struct block *b;
	uintptr_t p;

	if (align <= HEAP_ALIGN)
		return heap_alloc(h, wanted);
	if (wanted > HEAP_BLOCK_MAX / 2 || align > HEAP_BLOCK_MAX / 4)
		return NULL;
	size = heap_block_size(wanted);
	room = size + align + HEAP_BLOCK_MIN;
	b = heap_find(h, room);
	if (!b)
		return NULL;
	had = block_size(b);
	if (!list_remove(h, b, had))
		return NULL;
	p = (uintptr_t)block_payload(b);
	gap = (align - p % align) % align;
	if (gap && gap < HEAP_BLOCK_MIN)
		gap += align;
	if (gap) {
		struct block *aligned = block_at(b, gap);

		block_set_flags(aligned, 0);
		heap_put_free(h, b, gap, block_flags(b) & HEAP_F_PREV_FREE);
		b = aligned;
		had -= gap;
	}
	heap_make_live(h, b, had, size, wanted);
	heap_count(h, block_size(b));
	return block_payload(b);
}

enum heap_verdict heap_check_pointer(const struct heap *h, const void *p)
{
	const struct block *b = block_of(p);
	uint16_t live;
	size_t size;

	if ((uintptr_t)p % HEAP_ALIGN || (uintptr_t)p < (uintptr_t)h->span + HEAP_ALIGN ||
		(uintptr_t)p >= (uintptr_t)h->end)
		return HEAP_NOT_A_BLOCK;
	live = block_live_check(h, b);
	size = block_size(b);
	if (HEAP_LIKELY(b->check == live && !(block_flags(b) & HEAP_F_FREE) &&
			size >= HEAP_BLOCK_MIN &&
			(uintptr_t)b + size <= (uintptr_t)h->end - HEAP_OVERHEAD))
		return HEAP_OK;
	return (b->check ^ live) == 0xffff ? HEAP_DOUBLE_FREE : HEAP_NOT_A_BLOCK;
}

/* Merge cases, in memory order; capitals are free:
 *   a b c -> a B c     a b C -> a B     A b c -> A c     A b C -> A
 */
static inline enum heap_verdict heap_release(struct heap *h, struct block *b)
{
	size_t size = block_size(b), total = size;
	struct block *after = block_at(b, size);
	uint32_t keep = block_flags(b) & HEAP_F_PREV_FREE;

	/* whatever becomes of it, a second free of this pointer is seen */
	b->check = (uint16_t)~block_live_check(h, b);
	if (block_flags(after) & HEAP_F_FREE) {
		size_t more = block_size(after);

		if (HEAP_UNLIKELY((uintptr_t)after + more >= (uintptr_t)h->end) ||
			HEAP_UNLIKELY(!list_remove(h, after, more)))
			return HEAP_BROKEN;
		total += more;
	}
	if (keep) {
		size_t before = *block_before_size(b);
		struct block *front = (struct block *)((uintptr_t)b - before);

		if (HEAP_UNLIKELY(before > (uintptr_t)b - (uintptr_t)h->span ||
				  before < HEAP_BLOCK_MIN) ||
			HEAP_UNLIKELY(block_size(front) != before) ||
			HEAP_UNLIKELY(!list_remove(h, front, before)))
			return HEAP_BROKEN;
		total += before;
		b = front;
		keep = 0;
	}
	h->used -= size;
	heap_put_free(h, b, total, keep);
	return HEAP_OK;
}

enum heap_verdict heap_free(struct heap *h, void *p)
{
	enum heap_verdict v = heap_check_pointer(h, p);

	return HEAP_LIKELY(v == HEAP_OK) ? heap_release(h, block_of(p)) : v;
}

enum heap_verdict heap_free_flipped(struct heap *h, void *p)
{
	heap_flip(p);
	return heap_free(h, p);
}

/* ---- growing and shrinking in place ---- */

static bool heap_shrink(struct heap *h, struct block *b, size_t size, size_t wanted)
{
	size_t had = block_size(b), rest = had - size;
	struct block *after = block_after(b), *tail;

	if (block_flags(after) & HEAP_F_FREE) {
		size_t more = block_size(after);

		if (rest && !list_remove(h, after, more))
			return false;
		if (rest)
			rest += more;
	} else if (rest < HEAP_BLOCK_MIN) {
		rest = 0;
	}
	if (rest) {
		tail = block_at(b, size);
		block_set_flags(tail, 0);
		heap_put_free(h, tail, rest, 0);
		block_set_flags(b, (uint32_t)size | (block_flags(b) & HEAP_F_PREV_FREE));
		h->used -= had - size;
	}
	b->slack = (uint16_t)(block_size(b) - HEAP_OVERHEAD - wanted);
	return true;
}

bool heap_resize(struct heap *h, void *p, size_t wanted)
{
	struct block *b = block_of(p), *after;
	size_t had = block_size(b), size, more;

	if (wanted > HEAP_BLOCK_MAX - HEAP_ALIGN)
		return false;
	size = heap_block_size(wanted);
	if (size <= had)
		return heap_shrink(h, b, size, wanted);
	after = block_after(b);
	more = block_flags(after) & HEAP_F_FREE ? block_size(after) : 0;
	if (had + more < size || !list_remove(h, after, more))
		return false;
	heap_make_live(h, b, had + more, size, wanted);
	heap_count(h, block_size(b) - had);
	return true;
}

/* ---- sizes ---- */

size_t heap_used(const struct heap *h)
{
	/* relaxed: a figure, read without the lock */
	return __atomic_load_n(&h->used, __ATOMIC_RELAXED);
}

size_t heap_usable_of(const void *p)
{
	return block_size(block_of(p)) - HEAP_OVERHEAD;
}

size_t heap_size_of(const void *p)
{
	return heap_usable_of(p) - block_of(p)->slack;
}

size_t heap_phys_of(const struct heap *h, const void *p)
{
	const struct block *b = block_of(p), *after = block_after(b);
	size_t usable = heap_usable_of(p);

	return block_flags(after) & HEAP_F_FREE ? usable + block_size(after) : usable;
}

/* ---- the span ---- */

size_t heap_span_for(size_t total)
{
	/* the first 8 bytes, the block, the end mark */
	return ((heap_block_size(total) + 2 * HEAP_OVERHEAD) + HEAP_ALIGN - 1) &
	       ~(HEAP_ALIGN - 1);
}

/* A header of size 0 that is never free: what block_after() of the last block finds. */
static void heap_put_end(struct heap *h)
{
	struct block *end = (struct block *)(h->end - HEAP_OVERHEAD);

	block_set_flags(end, HEAP_F_LAST);
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
	h->end = (unsigned char *)span + len;
	heap_put_end(h);
	b = (struct block *)((unsigned char *)span + HEAP_OVERHEAD);
	heap_put_free(h, b, len - 2 * HEAP_OVERHEAD, 0);
	return h;
}

void heap_extend(struct heap *h, size_t len)
{
	struct block *b = (struct block *)(h->end - HEAP_OVERHEAD);

	h->end += len;
	heap_put_end(h);
	/* the old end mark becomes a live block of the new bytes, which is then freed */
	block_set_flags(b, (uint32_t)len | (block_flags(b) & HEAP_F_PREV_FREE));
	b->check = block_live_check(h, b);
	h->used += len;
	heap_release(h, b);
}

void heap_stats(const struct heap *h, struct heap_stats *out)
{
	struct block *b = NULL;

	if (h->fl_map) {
		unsigned fl = 31u - (unsigned)__builtin_clz(h->fl_map);

		b = h->list[fl][31u - (unsigned)__builtin_clz(h->sl_map[fl])];
	}
	*out = (struct heap_stats){
		.span = (size_t)(h->end - h->span),
		.used = h->used,
		.peak = h->peak,
		.largest_free = b ? block_size(b) - HEAP_OVERHEAD : 0,
	};
}

const void *heap_broken_block(const struct heap *h)
{
	return h->broken;
}
