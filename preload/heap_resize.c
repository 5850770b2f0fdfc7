/* SPDX-License-Identifier: MIT */
/*
 * heap_resize.c - growing and shrinking in place; what can be asked about blocks and
 * heaps
 *
 * No loop, no call out. Realtime: yes.
 */
#include "heap_list.h"

size_t heap_control_size(void)
{
	return sizeof(struct heap);
}

/* ---- growing and shrinking in place ---- */

static bool heap_shrink(struct heap *h, struct block *b, size_t size, size_t wanted)
{
	size_t had = block_size(b), rest = had - size;
	struct block *after = block_after(b), *tail;

	if (block_is_free(after)) {
		size_t more = block_size(after);

		if (rest && !list_remove(h, heap_off(h, after)))
			return false;
		if (rest)
			rest += more;
	} else if (rest < HEAP_BLOCK_MIN) {
		rest = 0;
	}
	if (rest) {
		tail = block_at(b, size);
		heap_put_free(h, tail, rest);
		block_set(b, (uint32_t)size | (block_word(b) & HEAP_F_PREV_FREE));
		heap_count_less(h, had - size);
	}
	block_set_slack(h, b, block_size(b) - HEAP_OVERHEAD - wanted);
	return true;
}

bool heap_resize(struct heap *h, void *p, size_t wanted)
{
	struct block *b = block_of(p), *after;
	size_t had = block_size(b), size, more;

	if (wanted > HEAP_BLOCK_MAX - 2 * HEAP_ALIGN)
		return false;
	size = heap_block_size(wanted);
	if (size <= had)
		return heap_shrink(h, b, size, wanted);
	after = block_after(b);
	more = block_is_free(after) ? block_size(after) : 0;
	if (had + more < size || !list_remove(h, heap_off(h, after)))
		return false;
	size = heap_cut(
		h, b, heap_off(h, b), had + more, size, block_word(b) & HEAP_F_PREV_FREE);
	heap_count_more(h, size - had);
	block_set_slack(h, b, size - HEAP_OVERHEAD - wanted);
	return true;
}

/* ---- without the lock ---- */

void *heap_carve(const struct heap *h, void *from, size_t size, size_t align)
{
	struct block *b = block_of(from), *cut;
	size_t had = block_size(b);

	size = size < HEAP_BLOCK_MIN ? HEAP_BLOCK_MIN : size;
	if (had < size + align - HEAP_ALIGN + HEAP_BLOCK_MIN)
		return NULL;
	cut = block_at(b, had - size);
	cut = block_of((void *)((uintptr_t)block_payload(cut) & -align));
	size = had - ((uintptr_t)cut - (uintptr_t)b);
	/* relaxed: see block_word(); who walks the heap finds the header once it is one
	 */
	__atomic_store_n(block_header(cut),
		(uint64_t)(uint16_t)~block_live_check(h, cut) << 48 | size,
		__ATOMIC_RELAXED);
	__atomic_fetch_sub(&b->size_flags, (uint32_t)size, __ATOMIC_RELEASE);
	return block_payload(cut);
}

/* ---- sizes ---- */

size_t heap_used(const struct heap *h)
{
	/* relaxed: a figure, read without the lock */
	return __atomic_load_n(&h->used, __ATOMIC_RELAXED);
}

const size_t *heap_used_at(const struct heap *h)
{
	return &h->used;
}

size_t heap_span_sure(size_t live, size_t blocks, size_t n)
{
	size_t size = heap_block_size(n);
	size_t step = HEAP_ALIGN;

	/* the distance between neighbouring classes */
	if (size > HEAP_ALIGN * HEAP_SL)
		step = 1UL << (63u - (unsigned)__builtin_clzl(size - 1) - HEAP_SL_BITS);
	size = (size + step - 1) & -step;
	return HEAP_ENDS + live + (blocks + 1) * (size - HEAP_ALIGN) + HEAP_ALIGN;
}

size_t heap_usable_of(const void *p)
{
	return block_size(block_of(p)) - HEAP_OVERHEAD;
}

size_t heap_taken_of(const void *p)
{
	return block_size(block_of(p));
}

size_t heap_size_of(const void *p)
{
	return heap_usable_of(p) - block_of(p)->slack;
}

void heap_set_size(const struct heap *h, void *p, size_t size)
{
	block_set_slack(h, block_of(p), heap_usable_of(p) - size);
}

size_t heap_phys_of(const struct heap *h, const void *p)
{
	const struct block *b = block_of(p), *after = block_after(b);
	size_t usable = heap_usable_of(p);

	return block_is_free(after) ? usable + block_size(after) : usable;
}

void heap_stats(const struct heap *h, struct heap_stats *out)
{
	/* relaxed: others read this without the lock, for figures; each map is looked at
	 * once, and a block that is not free any more is still memory of the heap */
	uint32_t fl_map = __atomic_load_n(&h->fl_map, __ATOMIC_RELAXED), sl_map = 0;
	const struct block *b = NULL;
	unsigned fl = 0;

	if (fl_map) {
		fl = 31u - (unsigned)__builtin_clz(fl_map);
		sl_map = __atomic_load_n(&h->sl_map[fl], __ATOMIC_RELAXED);
	}
	if (sl_map)
		b = heap_at(h, *list_slot(h, fl * HEAP_SL + 31u -
						     (unsigned)__builtin_clz(sl_map)));
	*out = (struct heap_stats){
		.span = (size_t)(h->end - h->span),
		.used = h->used,
		.peak = h->used > h->peak ? h->used : h->peak,
		.largest_free = b ? block_size(b) - HEAP_OVERHEAD : 0,
	};
}

const void *heap_broken_block(const struct heap *h)
{
	return h->broken;
}
