/* SPDX-License-Identifier: MIT */
/*
 * heap_resize.c - blocks grow and shrink in place; questions about blocks and heaps
 *
 * No loop, no call out. Realtime: yes, but heap_stats().
 */
#include "heap_list.h"

/* ---- growing and shrinking in place: the owner ---- */

/* What is cut off is released like any block. */
static void heap_shrink(struct heap *h, struct block *b, uint32_t size)
{
	uint32_t had = block_size(b), rest = had - size;
	struct block *tail = heap_at(h, heap_place(h, b) + size);

	if (rest < BLOCK_MIN)
		return;
	block_set(b, size | (block_word(b) & BLOCK_PREV_FREE));
	block_set(tail, rest);
	heap_release(h, tail);
}

static bool heap_grow(struct heap *h, struct block *b, uint32_t size)
{
	uint32_t had = block_size(b), place = heap_place(h, b), more;
	uint32_t word = block_word(heap_at(h, place + had));

	if (!(word & BLOCK_FREE))
		return false;
	more = word - BLOCK_FREE;
	if (had + more < size)
		return false;
	list_remove(h, place + had, word);
	heap_count_less(h, had);
	heap_cut(h, place, had + more, size, block_word(b) & BLOCK_PREV_FREE, 0);
	h->served_blocks--; /* it was served before */
	h->served_bytes -= block_size(b);
	return true;
}

bool heap_resize(struct heap *h, void *p, size_t wanted)
{
	struct block *b = block_of(p);
	uint8_t tag = block_tag(b);
	uint32_t size;

	if (wanted > BLOCK_MAX - 2 * BLOCK_ALIGN)
		return false;
	size = block_size_for(wanted);
	if (size <= block_size(b))
		heap_shrink(h, b, size);
	else if (!heap_grow(h, b, size))
		return false;
	block_revive(&h->key, b, tag);
	size = block_size(b) - (uint32_t)BLOCK_HEADER - (uint32_t)wanted;
	block_set_mark(b, block_mark(b) | (size < BLOCK_SLACK_MAX ? size : 0));
	return true;
}

/* ---- questions ---- */

enum heap_verdict heap_check_pointer(const struct heap *h, const void *p)
{
	const struct block *b = block_of(p);
	size_t place = (uintptr_t)b - (uintptr_t)h->lo;
	uint32_t wrong, word;

	if ((uintptr_t)p % BLOCK_ALIGN || place < BLOCK_HEADER || place >> 32 ||
		!heap_reaches(h, (uint32_t)place))
		return HEAP_NOT_A_BLOCK;
	word = block_word(b);
	if (word & BLOCK_FREE)
		return block_is_free(&h->key, b, word) ? HEAP_DOUBLE_FREE
						       : HEAP_NOT_A_BLOCK;
	wrong = (block_mark(b) ^ block_seal(&h->key, b, word & BLOCK_SIZE_MASK)) &
		BLOCK_CHECK_MASK;
	if (BLOCK_LIKELY(!wrong))
		return HEAP_OK;
	return wrong == BLOCK_CHECK_MASK ? HEAP_DOUBLE_FREE : HEAP_NOT_A_BLOCK;
}

size_t heap_room_of(const struct heap *h, const void *p)
{
	const struct block *b = block_of(p);
	const struct block *after = heap_at(h, heap_place(h, b) + block_size(b));
	size_t usable = block_usable_of(p);

	return block_word(after) & BLOCK_FREE ? usable + block_size(after) : usable;
}

/* What is looked at may be the program's by now: it is only a figure then. */
static __attribute__((no_sanitize("thread"))) uint32_t heap_largest(const struct heap *h)
{
	/* relaxed: others read this, for figures; each map is looked at once, and a block
	 * that is not free any more is still memory of the heap */
	uint32_t fl_map = __atomic_load_n(&h->fl_map, __ATOMIC_RELAXED), sl_map, fl,
		 place;

	if (!fl_map)
		return 0;
	fl = 31u - (uint32_t)__builtin_clz(fl_map);
	sl_map = __atomic_load_n(&h->sl_map[fl], __ATOMIC_RELAXED);
	if (!sl_map)
		return 0;
	place = __atomic_load_n(
		&h->list[fl * HEAP_SL + 31u - (uint32_t)__builtin_clz(sl_map)],
		__ATOMIC_RELAXED);
	if (!place)
		return 0;
	return __atomic_load_n((const uint32_t *)(const void *)(h->lo + place),
		       __ATOMIC_RELAXED) &
	       BLOCK_SIZE_MASK;
}

void heap_stats(const struct heap *h, struct heap_stats *out)
{
	uint64_t own = __atomic_load_n(&h->own, __ATOMIC_RELAXED);
	size_t used = __atomic_load_n(&h->used, __ATOMIC_RELAXED);
	size_t peak = __atomic_load_n(&h->peak, __ATOMIC_RELAXED);
	uint32_t largest = heap_largest(h);

	*out = (struct heap_stats){
		.span = h->parts ? (size_t)__builtin_popcountl(own) * h->parts->size
				 : h->end,
		.used = used,
		.peak = used > peak ? used : peak,
		.largest_free = largest ? largest - BLOCK_HEADER : 0,
	};
}
