/* SPDX-License-Identifier: MIT */
/*
 * heap_parts.c - how a heap grows by parts of its pool and gives them back
 *
 * A run of parts holds blocks from 8 bytes behind its first byte to the end mark, whose
 * header is its last 8 bytes. Where a heap has two parts side by side, neither the end
 * mark of the first nor the gap of the second is there: blocks lie across.
 *
 *	|8|block ... block|end| |8|block ... |end|      two runs
 *	|8|block ... block .... block ...... |end|      the same parts, merged
 *
 * Realtime: yes, but heap_trim() with a large max. Bound: PARTS_TRIES.
 */
#include "heap_list.h"

/* ---- more ---- */

/* What parts that were just taken add to a heap: bytes from `place` to `end`. */
struct heap_new {
	uint32_t place, end;
	uint32_t before; /* PREV_FREE if a free block is before, else 0 */
	uint32_t after;	 /* the first word of what is behind */
};

/* Where there is a part of the heap's below, the end mark there becomes the header. */
HEAP_INLINE struct heap_new heap_own_parts(struct heap *h, unsigned first, unsigned n)
{
	uint64_t own = h->own, mask = parts_mask(first, n);
	uint32_t lo = first * h->parts->size, hi = lo + n * h->parts->size;
	struct heap_new got = {lo + 8, hi - 8, 0, BLOCK_LAST};

	heap_set_own(h, own | mask);
	if (own << 1 & mask & -mask) {
		got.place = lo - 8;
		got.before = block_word(heap_at(h, got.place)) & BLOCK_PREV_FREE;
	}
	if (own >> 1 & mask & ~(mask >> 1)) {
		got.end = hi + 8;
		got.after = block_word(heap_at(h, got.end));
	} else {
		heap_set_end(heap_at(h, got.end), 0);
	}
	return got;
}

/* The free block before comes into hand, too. */
HEAP_INLINE uint32_t heap_join_before(struct heap *h, uint32_t place)
{
	uint32_t word, before = heap_before(h, heap_at(h, place), &word);

	list_remove(h, before, word);
	return before;
}

/* New parts and what is free beside them, in hand. */
static void heap_join(struct heap *h, unsigned first, unsigned n, struct heap_hand *hand)
{
	struct heap_new got = heap_own_parts(h, first, n);

	if (got.before)
		got.place = heap_join_before(h, got.place);
	if (got.after & BLOCK_FREE) {
		list_remove(h, got.end, got.after);
		got.end += got.after - BLOCK_FREE;
	} else {
		heap_set_after_free(heap_at(h, got.end), got.after);
	}
	hand->place = got.place;
	hand->had = got.end - got.place;
}

/* Free parts that would make one piece of memory, with what is free beside them. */
struct heap_gap {
	unsigned first, count;
	int64_t bytes; /* with all that is free around */
	bool high;     /* these are the last of it */
};

/* Bytes that new parts from `part` on get from what is before; 8 less at a run's start.
 */
static int64_t heap_room_before(const struct heap *h, unsigned part)
{
	struct block *mark;
	uint32_t word;

	if (!part || !heap_has_part(h, part - 1))
		return -8;
	mark = heap_at(h, part * h->parts->size - 8);
	if (!(block_word(mark) & BLOCK_PREV_FREE))
		return 8;
	heap_before(h, mark, &word);
	return 8L + (word & BLOCK_SIZE_MASK);
}

/* The same from what is behind, where `part` is the first that is not got. */
static int64_t heap_room_behind(const struct heap *h, unsigned part)
{
	uint32_t word;

	if (!heap_has_part(h, part))
		return -8;
	word = block_word(heap_at(h, part * h->parts->size + 8));
	return word & BLOCK_FREE ? 8L + (word & BLOCK_SIZE_MASK) : 8;
}

/* Parts that `size` bytes need where `room` bytes are beside them. */
static unsigned heap_parts_for(const struct heap *h, uint32_t size, int64_t room)
{
	int64_t bytes = h->parts->size, least = size - room + bytes - 1;

	return least < 2 * bytes ? 1 : (unsigned)(least / bytes);
}

/* The fewest of the free parts in `run` that do: from its end, where large blocks are in
 * nobody's way, from its start, all. False: they do not. */
static bool heap_gap_in(const struct heap *h, uint32_t size, struct heap_gap *run)
{
	int64_t before = heap_room_before(h, run->first);
	int64_t behind = heap_room_behind(h, run->first + run->count);
	unsigned low = heap_parts_for(h, size, before - 8);
	unsigned high = heap_parts_for(h, size, behind - 8);

	run->bytes = (int64_t)run->count * h->parts->size + before + behind;
	if (run->bytes < size)
		return false;
	if (high <= low && high <= run->count) {
		run->first += run->count - high;
		run->count = high;
		run->high = true;
	} else if (low <= run->count) {
		run->count = low;
	}
	return true;
}

/* The smallest gap that is large enough. Bound: 32 runs. */
static bool heap_find_gap(
	const struct heap *h, uint32_t size, uint64_t free, struct heap_gap *best)
{
	best->bytes = INT64_MAX;
	while (free) {
		struct heap_gap run = {.first = (unsigned)__builtin_ctzl(free)};
		uint64_t taken = ~(free >> run.first);

		run.count = taken ? (unsigned)__builtin_ctzl(taken) : PARTS_MAX;
		free &= ~parts_mask(run.first, run.count);
		if (heap_gap_in(h, size, &run) && run.bytes < best->bytes)
			*best = run;
	}
	return best->bytes != INT64_MAX;
}

/* A block of which one part is not enough. */
static __attribute__((noinline)) bool heap_more_run(
	struct heap *h, uint32_t size, struct heap_hand *hand)
{
	struct heap_gap gap;
	uint64_t free;

	for (int i = 0; i < PARTS_TRIES; i++) {
		free = parts_free(h->parts);
		if (!heap_find_gap(h, size, free, &gap))
			return false;
		if (parts_take_these(
			    h->parts, parts_mask(gap.first, gap.count), h->number) == 0) {
			hand->high = gap.high;
			heap_join(h, gap.first, gap.count, hand);
			return true;
		}
	}
	return false;
}

/* One more part: its number, or -1. Bound: PARTS_TRIES. */
HEAP_INLINE int heap_take_one(struct heap *h)
{
	uint64_t seen = parts_free(h->parts), one;

	for (int i = 0; seen && i < PARTS_TRIES; i++) {
		one = parts_choose_one(seen, h->own);
		if (BLOCK_LIKELY(parts_swap(h->parts, &seen, one))) {
			int part = __builtin_ctzl(one);

			parts_set_owner(h->parts, (unsigned)part, h->number);
			return part;
		}
	}
	return -1;
}

bool heap_more(struct heap *h, uint32_t size, struct heap_hand *hand)
{
	int part;

	if (!h->parts)
		return false;
	if (size > h->part_block)
		return heap_more_run(h, size, hand);
	part = heap_take_one(h);
	if (part >= 0)
		heap_join(h, (unsigned)part, 1, hand);
	return part >= 0;
}

static __attribute__((noinline)) void *heap_serve_run(
	struct heap *h, uint32_t size, uint8_t tag)
{
	struct heap_hand hand;

	return heap_more(h, size, &hand) ? heap_cut_hand(h, &hand, size, tag)
					 : heap_serve_last(h, size, tag);
}

/*
 * One call merges with one neighbour: between two that are free, what was before comes
 * into hand, and the block is cut from the end.
 */
void *heap_serve_more(struct heap *h, uint32_t size, uint8_t tag)
{
	struct heap_new got;
	int part;

	if (BLOCK_UNLIKELY(size > h->part_block))
		return heap_serve_run(h, size, tag);
	part = heap_take_one(h);
	if (BLOCK_UNLIKELY(part < 0))
		return heap_serve_last(h, size, tag);
	got = heap_own_parts(h, (unsigned)part, 1);
	if (got.before)
		got.place = heap_join_before(h, got.place);
	if (!(got.after & BLOCK_FREE)) {
		heap_set_after_free(heap_at(h, got.end), got.after);
	} else if (!got.before) {
		list_remove(h, got.end, got.after);
		got.end += got.after - BLOCK_FREE;
	} else {
		got.end -= size;
		heap_put_free(h, got.place, got.end - got.place);
		return heap_put_live(h, got.end, size, BLOCK_PREV_FREE, tag);
	}
	return heap_cut(h, got.place, got.end - got.place, size, 0, tag);
}

/* ---- less ---- */

static void heap_give(struct heap *h, unsigned first, unsigned end)
{
	uint64_t mask = parts_mask(first, end - first);

	heap_set_own(h, h->own & ~mask);
	parts_give(h->parts, mask);
}

/* The part behind the last that can go of free bytes up to `end`; *right: bytes behind it
 * that stay. */
HEAP_INLINE unsigned heap_last_part(const struct heap *h, uint32_t end, uint32_t *right)
{
	uint32_t bytes = h->parts->size, last = parts_of(h->parts, end + 8UL);

	*right = 0;
	if (end + 8 == last * bytes) {
		if (!heap_has_part(h, last))
			return last; /* with the end mark of the run */
		last--;		     /* no block begins in the 8 bytes before a part */
	} else if (end == last * bytes + 8 + BLOCK_ALIGN) {
		last--; /* nor has one 16 */
	}
	*right = end - (last * bytes + 8);
	return last;
}

/*
 * Of `total` free bytes at `place`, in no list and four parts or about, the first whole
 * part is kept, and the others go back. What is left waits in the inbox: lists are for
 * another call.
 */
static void heap_give_some(struct heap *h, uint32_t place, uint32_t total)
{
	uint32_t end = place + total, bytes = h->parts->size, right, left;
	unsigned first = parts_of(h->parts, place + 7UL + bytes) + 1;
	unsigned last = heap_last_part(h, end, &right);
	struct block *after = heap_at(h, end);

	BLOCK_ASSERT(last > first); /* spare_map */
	left = first * bytes - 8 - place;
	heap_set_end(heap_at(h, first * bytes - 8), 0);
	heap_put_returned(h, place, left);
	if (end + 8 != last * bytes)
		block_set(after, block_word(after) & ~BLOCK_PREV_FREE);
	if (right)
		heap_put_returned(h, last * bytes + 8, right);
	heap_count_more(h, left + right);
	heap_give(h, first, last);
}

void heap_give_spare(struct heap *h)
{
	uint32_t had, place = list_take_first(h, list_find(h, h->spare_class), &had);

	heap_give_some(h, place, had);
}

/*
 * The first part that can go of free bytes from `place` on; *left: bytes before it that
 * stay, of which a block can be made. A run's first part goes without an end mark.
 */
static unsigned heap_first_part(const struct heap *h, uint32_t place, uint32_t *left)
{
	uint32_t bytes = h->parts->size;
	unsigned first = parts_of(h->parts, place + 7UL + bytes);
	unsigned in = parts_of(h->parts, place);

	*left = 0;
	if (place - in * bytes == 8 && !(in && heap_has_part(h, in - 1)))
		return in;
	if (first * bytes - 8 - place == BLOCK_ALIGN)
		first++;
	*left = first * bytes - 8 - place;
	return first;
}

/* Of `total` free bytes at `place`, in no list, all whole parts go back. */
static void heap_give_all(struct heap *h, uint32_t place, uint32_t total)
{
	uint32_t end = place + total, left, right, bytes = h->parts->size;
	unsigned first = heap_first_part(h, place, &left);
	unsigned last = heap_last_part(h, end, &right);
	struct block *after = heap_at(h, end);

	if (last <= first) {
		heap_put_free(h, place, total);
		return;
	}
	if (place < first * bytes)
		heap_set_end(heap_at(h, first * bytes - 8), left ? BLOCK_PREV_FREE : 0);
	if (left)
		heap_put_free(h, place, left);
	if (right)
		heap_put_free(h, last * bytes + 8, right);
	else if (end > last * bytes)
		block_set(after, block_word(after) & ~BLOCK_PREV_FREE);
	heap_give(h, first, last);
}

void heap_trim(struct heap *h, unsigned max)
{
	uint32_t class = h->parts ? class_of(h->part_block) : HEAP_NO_CLASS;

	while (class < HEAP_LISTS && (class = list_find(h, class)) != HEAP_NO_CLASS) {
		uint32_t place = h->list[class], next;

		for (; place; place = next) {
			uint32_t size = block_size(heap_at(h, place));

			if (max-- == 0)
				return;
			next = heap_at(h, place)->next;
			list_remove(h, place, size | BLOCK_FREE);
			/* what is left is a smaller block, or comes first in its list */
			heap_give_all(h, place, size);
		}
		class += 1;
	}
}
