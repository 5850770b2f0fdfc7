/* SPDX-License-Identifier: MIT */
/*
 * heap_check.c - every invariant of every block and list of a heap
 *
 * Not on the realtime path: linear in the number of blocks.
 */
#include "heap_list.h"

/* The next run of the heap from part *from on; places of its first block and its end
 * mark. False: there is none. */
static bool heap_next_run(
	const struct heap *h, unsigned *from, uint32_t *first, uint32_t *last)
{
	unsigned end = *from;

	if (!h->parts) {
		*first = BLOCK_HEADER;
		*last = h->end - (uint32_t)BLOCK_HEADER;
		return (*from)++ == 0 && h->end;
	}
	while (end < PARTS_MAX && !(h->own >> end & 1))
		end++;
	if (end >= PARTS_MAX)
		return false;
	*first = end * h->parts->size + (uint32_t)BLOCK_HEADER;
	while (end < PARTS_MAX && h->own >> end & 1)
		end++;
	*last = end * h->parts->size - (uint32_t)BLOCK_HEADER;
	*from = end;
	return true;
}

/* Is this free block in the list its size belongs to, linked both ways? */
static const char *heap_check_links(const struct heap *h, const struct block *b)
{
	uint32_t place = heap_place(h, b), class = class_of(block_size(b));

	if (b->prev & 1) {
		if (b->prev != list_head(class) || h->list[class] != place)
			return "a free block is in another size's list";
	} else if (!heap_reaches(h, b->prev) || heap_at(h, b->prev)->next != place) {
		return "a free block's link back is overwritten";
	}
	if (b->next && (!heap_reaches(h, b->next) || heap_at(h, b->next)->prev != place))
		return "a free block's link forward is overwritten";
	return NULL;
}

static const char *heap_check_block(
	const struct heap *h, struct block *b, bool before_free, size_t before)
{
	uint32_t word = block_word(b), mark = block_mark(b);
	uint32_t wrong = (mark ^ block_seal(&h->key, b, word & BLOCK_SIZE_MASK)) &
			 BLOCK_CHECK_MASK;
	bool is_free = word & BLOCK_FREE;

	if (!!(word & BLOCK_PREV_FREE) != before_free)
		return "a block is wrong about the one before it";
	if (before_free && *block_footer_before(b) != before)
		return "the size at the end of a free block is overwritten";
	if (before_free && is_free)
		return "two free blocks stand side by side";
	if (word & BLOCK_LAST)
		return NULL;
	if (is_free ? !block_is_free(&h->key, b, word)
		    : wrong && wrong != BLOCK_CHECK_MASK)
		return "a block's header is overwritten";
	return is_free ? heap_check_links(h, b) : NULL;
}

/* Bitmaps against lists; returns the number of blocks in lists or -1. */
static long heap_count_lists(const struct heap *h)
{
	long n = 0;

	for (unsigned fl = 0; fl < HEAP_FL; fl++) {
		if (!(h->fl_map >> fl & 1) != !h->sl_map[fl])
			return -1;
		for (unsigned sl = 0; sl < HEAP_SL; sl++) {
			uint32_t b = h->list[fl * HEAP_SL + sl];

			if (!(h->sl_map[fl] >> sl & 1) != !b)
				return -1;
			for (; b; b = heap_at(h, b)->next)
				n++;
		}
	}
	return n;
}

/* What was seen of the runs so far. */
struct heap_sum {
	long free;
	size_t used;
};

static const char *heap_check_run(const struct heap *h, uint32_t place, uint32_t last,
	struct heap_sum *sum, const void **where)
{
	bool before_free = false;
	size_t before = 0;

	for (;;) {
		struct block *b = heap_at(h, place);
		uint32_t size = block_size(b);
		const char *wrong = heap_check_block(h, b, before_free, before);

		*where = block_payload(b);
		if (wrong)
			return wrong;
		if (place == last)
			return block_word(b) & BLOCK_LAST ? NULL
							  : "an end mark is overwritten";
		if (size < BLOCK_MIN || size > last - place)
			return "a block's size is overwritten";
		before_free = block_word(b) & BLOCK_FREE;
		before = size;
		sum->free += before_free;
		sum->used += before_free ? 0 : size;
		place += size;
	}
}

const char *heap_check(const struct heap *h, const void **where)
{
	struct heap_sum sum = {0, 0};
	uint32_t first, last;
	unsigned from = 0;

	while (heap_next_run(h, &from, &first, &last)) {
		const char *wrong = heap_check_run(h, first, last, &sum, where);

		if (wrong)
			return wrong;
	}
	*where = NULL;
	if (heap_count_lists(h) != sum.free)
		return "lists and blocks disagree";
	if (sum.used != h->used)
		return "the count of used bytes is wrong";
	return NULL;
}

void heap_each_live(const struct heap *h, void (*fn)(void *p))
{
	uint32_t first, last;
	unsigned from = 0;

	while (heap_next_run(h, &from, &first, &last)) {
		while (first < last) {
			struct block *b = heap_at(h, first);

			/* behind an overwritten header nothing can be found */
			if (block_size(b) < BLOCK_MIN)
				return;
			first += block_size(b);
			if (block_is_live(&h->key, b))
				fn(block_payload(b));
		}
	}
}
