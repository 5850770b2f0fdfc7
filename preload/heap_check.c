/* SPDX-License-Identifier: MIT */
/*
 * heap_check.c - every invariant of every block and list of a heap
 *
 * Not on the realtime path: linear in the number of blocks.
 */
#include "heap_private.h"

/* Is this free block in the list its size belongs to, linked both ways? */
static const char *heap_check_links(const struct heap *h, const struct block *b)
{
	uint32_t off = heap_off(h, b);

	if (!heap_reaches(h, b->prev) || heap_at(h, b->prev)->next != off)
		return "a free block's link back is overwritten";
	if (list_is_head(b->prev) && b->prev != list_head(class_of(block_size(b))))
		return "a free block is in another size's list";
	if (b->next && (!heap_reaches(h, b->next) || heap_at(h, b->next)->prev != off))
		return "a free block's link forward is overwritten";
	return NULL;
}

static const char *heap_check_block(
	const struct heap *h, struct block *b, bool before_free, size_t before)
{
	bool is_free = b->size_flags & HEAP_F_FREE;
	uint16_t wrong = b->check ^ block_live_check(h, b) ^ (uint16_t)(b->owner << 1);

	if (!!(b->size_flags & HEAP_F_PREV_FREE) != before_free)
		return "a block is wrong about the one before it";
	if (before_free && *block_before_size(b) != before)
		return "the size at the end of a free block is overwritten";
	if (before_free && is_free)
		return "two free blocks stand side by side";
	if (wrong > 1 && wrong < 0xfffe)
		return "a block's header is overwritten";
	if (is_free && (wrong != 0xffff || b->slack || b->owner))
		return "a free block looks live";
	if (wrong == !b->slack)
		return "a block's slack is overwritten";
	return is_free ? heap_check_links(h, b) : NULL;
}

/* Bitmaps against lists; returns the number of blocks in lists or -1. */
static long heap_count_lists(const struct heap *h)
{
	long n = 0;

	for (unsigned fl = HEAP_FIRST / HEAP_SL; fl < HEAP_FL; fl++) {
		if (!(h->fl_map >> fl & 1) != !h->sl_map[fl])
			return -1;
		for (unsigned sl = 0; sl < HEAP_SL; sl++) {
			uint32_t b = *list_slot(h, fl * HEAP_SL + sl);

			if (!(h->sl_map[fl] >> sl & 1) != !b)
				return -1;
			for (; b; b = heap_at(h, b)->next)
				n++;
		}
	}
	return n;
}

const char *heap_check(const struct heap *h, const void **where)
{
	struct block *b = (struct block *)(h->span + HEAP_OVERHEAD);
	bool before_free = false;
	size_t before = 0, used = 0;
	long nfree = 0;

	for (;;) {
		const char *wrong = heap_check_block(h, b, before_free, before);
		size_t size = block_size(b);

		*where = block_payload(b);
		if (wrong)
			return wrong;
		if (b->size_flags & HEAP_F_LAST)
			break;
		if (size < HEAP_BLOCK_MIN ||
			size > (size_t)(h->end - (unsigned char *)b) -
					sizeof(struct block))
			return "a block's size is overwritten";
		before_free = b->size_flags & HEAP_F_FREE;
		before = size;
		nfree += before_free;
		used += before_free ? 0 : size;
		b = block_at(b, size);
	}
	if ((unsigned char *)b != h->end - sizeof(struct block))
		return "the end mark is not at the end";
	if (heap_count_lists(h) != nfree)
		return "lists and blocks disagree";
	if (used != h->used)
		return "the count of used bytes is wrong";
	return NULL;
}

void heap_each_live(const struct heap *h, void (*fn)(void *p))
{
	struct block *b = (struct block *)(h->span + HEAP_OVERHEAD);

	for (; !(block_word(b) & HEAP_F_LAST); b = block_after(b)) {
		/* where a header is overwritten, nothing behind it can be found */
		if (block_size(b) < HEAP_BLOCK_MIN ||
			block_size(b) > (size_t)(h->end - (unsigned char *)b))
			return;
		if (heap_check_pointer(h, block_payload(b)) == HEAP_OK)
			fn(block_payload(b));
	}
}
