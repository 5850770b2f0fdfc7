/* SPDX-License-Identifier: MIT */
/*
 * tag_block.c - see tag_block.h
 *
 * The seal is a function of the block's address and of a number that other processes do
 * not know; of what else may stand there, one in 2^52 words passes for a tag.
 */
#include "tag_block.h"

static uint64_t *tag_tail(const void *p)
{
	return (uint64_t *)((uintptr_t)p + block_usable_of(p) - TAG_TAIL);
}

/* splitmix64's finish: each bit of the address changes half of the seal's. */
static uint64_t tag_seal(const void *p)
{
	uint64_t x = (uintptr_t)p ^ tag_secret;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

static void tag_write(void *p, const struct tag *t)
{
	*tag_tail(p) = tag_seal(p) ^ t->index;
}

void tag_put(void *p, size_t size, struct tag *t)
{
	block_set_requested(block_of(p), size);
	tag_write(p, t);
	tag_book(t, size);
}

struct tag *tag_of(const void *p)
{
	if (!tag_any() || block_slack(block_of(p)) < TAG_TAIL)
		return NULL;
	return tag_at(*tag_tail(p) ^ tag_seal(p));
}

struct tag *tag_of_any(const struct heap *h, const void *p)
{
	return tag_any() && heap_check_pointer(h, p) == HEAP_OK ? tag_of(p) : NULL;
}

struct tag *tag_of_all(const struct heap *h, const void *p)
{
	struct tag *t;

	if (heap_check_pointer(h, p) != HEAP_OK)
		return NULL;
	t = tag_of(p);
	return t ? t : tag_numbered(block_tag(block_of(p)));
}

void tag_own(void *p, uint8_t number)
{
	block_set_tag(block_of(p), number);
	tag_count(number, 1, (long)block_taken_of(p));
}

void tag_hand_over(void *p, uint8_t number)
{
	uint8_t from = block_tag(block_of(p));

	if (from == number)
		return;
	tag_count(from, -1, -(long)block_taken_of(p));
	tag_own(p, number);
}

void tag_leave_slow(void *p)
{
	struct tag *t = tag_of(p);

	if (!t)
		return;
	*tag_tail(p) = 0; /* the next block here is not born with it */
	tag_unbook(t, block_requested_of(p));
}

static bool tag_resize_owned(struct heap *h, void *p, size_t size)
{
	size_t had = block_taken_of(p);
	bool fits = heap_resize(h, p, size);

	tag_count(block_tag(block_of(p)), 0, (long)(block_taken_of(p) - had));
	return fits;
}

bool tag_resize(struct heap *h, void *p, size_t size)
{
	struct tag *t = tag_of(p);
	size_t had = block_requested_of(p);

	if (!t)
		return tag_resize_owned(h, p, size);
	if (size > SIZE_MAX - TAG_TAIL)
		return false;
	*tag_tail(p) = 0;
	if (!heap_resize(h, p, size + TAG_TAIL)) {
		tag_write(p, t);
		return false;
	}
	block_set_requested(block_of(p), size);
	tag_write(p, t);
	tag_rebook(t, had, size);
	return true;
}

size_t tag_room(const struct heap *h, const void *p)
{
	return block_usable_of(p) - (tag_of_any(h, p) ? TAG_TAIL : 0);
}
