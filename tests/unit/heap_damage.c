/* SPDX-License-Identifier: MIT */
/*
 * heap_damage.c - every way to write where one should not: the heap finds itself broken
 * before it follows what was written, and names the block
 */
#include "heap_three.h"

/* ---- what the heap does next ---- */

static bool grew;

static void free_a(void)
{
	CHECK(heap_free(heap, a) == HEAP_OK);
}
static void free_b(void)
{
	CHECK(heap_free(heap, b) == HEAP_OK);
}
static void free_c(void)
{
	CHECK(heap_free(heap, c) == HEAP_OK);
}
static void take_one(void)
{
	CHECK(unit_take(heap, 104) != NULL);
}
static void serve_one(void)
{
	CHECK(heap_serve(heap, 112, 0) != NULL);
}
static void grow_a(void)
{
	grew = heap_resize(heap, a, 160);
}
static void take_back(void)
{
	heap_take_back(heap, 10);
}
static void trim(void)
{
	heap_trim(heap, HEAP_ALL_OF_THEM);
}

/* ---- links, sizes at the end ---- */

static unsigned char written; /* what is written where nobody should */

/* What the program writes into a block that it freed. */
static void scribble(size_t at, size_t n)
{
	free_b();
	memset(b + at, written, n);
}

static void overwritten_links(void)
{
	static const unsigned char fill[] = {0x01, 0x10, 0x41, 0x80, 0xff};
	static void (*const next[])(void) = {free_a, free_c, take_one, grow_a, serve_one};

	for (size_t i = 0; i < sizeof(fill); i++) {
		written = fill[i];
		for (size_t k = 0; k < sizeof(next) / sizeof(next[0]); k++) {
			fresh();
			scribble(0, 8); /* both */
			CHECK(breaks(next[k]) && broken_block == b);
			fresh();
			scribble(0, 4); /* forward */
			CHECK(breaks(next[k]) && broken_block == b);
			fresh();
			scribble(4, 4); /* back */
			CHECK(breaks(next[k]) && broken_block == b);
		}
		/* the size at its end */
		fresh();
		scribble(96, 8);
		CHECK(breaks(free_c) && broken_block == c);
	}
}

/* Two in a list; each link of each leads where it must not. */
static unsigned char *first, *second, *third;

static void three_in_a_list(void)
{
	fresh();
	first = c;
	CHECK(heap_free(heap, a) == HEAP_OK && heap_free(heap, c) == HEAP_OK);
	second = a;
	third = unit_take(heap, 20000);
	CHECK(block_of(first)->next == heap_place(heap, block_of(second)));
}

static void links_of_lists(void)
{
	const uint32_t odd[] = {8, 24, 1, 17, 0x7ffffff8, 0xfffffff8, 0xffffffff,
		(uint32_t)(8 * PART - 8), (uint32_t)(8 * PART)};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		three_in_a_list();
		if (odd[i] != block_of(first)->next) {
			block_of(first)->next = odd[i];
			CHECK(breaks(take_one) && broken_block == first);
		}
		three_in_a_list();
		block_of(second)->prev = odd[i];
		CHECK(breaks(free_b));
		three_in_a_list();
		block_of(second)->next = odd[i];
		CHECK(breaks(free_b) && broken_block == second);
	}
	CHECK(third != NULL);
}

/* A write of 4 bytes into a link of a freed block: malloc does not return a chosen place.
 */
static void chosen_place(void)
{
	fresh();
	free_b();
	/* a made-up free block inside c, as good as one can be without the key */
	block_of(c + 16)->size_flags = 112 | BLOCK_FREE;
	block_of(c + 16)->mark = block_of(b)->mark;
	block_of(c + 16)->next = 0;
	block_of(c + 16)->prev = heap_place(heap, block_of(b));
	block_of(b)->next = heap_place(heap, block_of(c + 16));
	take_one(); /* b itself; the list begins with the made-up one now */
	CHECK(breaks(take_one) && broken_block == c + 16);
}

static void overwritten_free_headers(void)
{
	static void (*const next[])(void) = {free_a, take_one, grow_a};

	for (size_t k = 0; k < sizeof(next) / sizeof(next[0]); k++) {
		for (unsigned bit = 4; bit < 32; bit++) {
			fresh();
			free_b();
			block_of(b)->size_flags ^= 1u << bit;
			/* where too little seems to be free, nothing happens */
			grew = true;
			CHECK(breaks(next[k]) || !grew);
			fresh();
			free_b();
			block_of(b)->mark ^= 1u << bit;
			CHECK(breaks(next[k]));
		}
	}
	fresh();
	free_b();
	block_of(b)->size_flags &= ~BLOCK_FREE;
	CHECK(breaks(take_one) && broken_block == b);
	fresh();
	free_b();
	block_of(b)->size_flags &= ~BLOCK_FREE;
	CHECK(breaks(free_c) && broken_block == c);
	/* a size that leads out of the heap */
	fresh();
	block_of(b)->size_flags = 0x7ffffff0;
	block_retire(block_of(b));
	block_of(b)->mark = block_seal_not(&heap->key, block_of(b), 0x7ffffff0);
	CHECK(heap_push(heap, block_of(b), block_of(b), 1));
	CHECK(breaks(take_back) && broken_block == b);
}

/* ---- on the way back ---- */

static void returned_blocks(void)
{
	static void (*const next[])(void) = {take_back, serve_one};

	for (size_t k = 0; k < 2; k++) {
		for (unsigned i = 0; i < 3; i++) {
			const uint32_t odd[] = {0x41414141, (uint32_t)(8 * PART),
				heap_place(heap, block_of(c))};

			fresh();
			unit_return(heap, a);
			unit_return(heap, b);
			memcpy(b, &odd[i], 4);
			CHECK(breaks(next[k]) || k); /* b itself is sound */
			CHECK(!k || breaks(next[k]));
		}
		fresh();
		unit_return(heap, b);
		memset(b - 8, 0x41, 8);
		CHECK(breaks(next[k]) && broken_block == b);
		fresh();
		unit_return(heap, b);
		b[-8] ^= 0x20; /* its size */
		CHECK(breaks(next[k]) && broken_block == b);
		/* back where it is: the second time it is not on its way any more */
		fresh();
		unit_return(heap, b);
		*heap_link(block_of(b)) = heap_place(heap, block_of(b));
		CHECK(k || breaks(take_back));
		if (k) {
			serve_one();
			CHECK(breaks(serve_one) && broken_block == b);
		}
	}
	fresh();
	block_retire(block_of(b));
	heap_release_later(heap, block_of(b));
	b[-1] ^= 1;
	CHECK(breaks(take_back) && broken_block == b);
}

/* ---- where parts meet ---- */

static void take_part(void)
{
	unit_take(heap, PART - 2000);
}

static void take_parts(void)
{
	unit_take(heap, 3 * PART);
}

/* The free block below a new part, whose size is found through its end. */
static void where_parts_meet(void)
{
	unsigned char *low;

	/* taken together with the part above */
	unit_parts(PART, 8, 16, 1);
	low = unit_take(heap, PART - 4000);
	CHECK(low != NULL && heap->own == 1);
	memset(memory + PART - 16, 0x41, 8); /* the size at the end of what is left */
	CHECK(breaks(take_part));
	unit_parts(PART, 8, 16, 1);
	low = unit_take(heap, PART - 4000);
	memset(memory + PART - 16, 0x41, 8);
	CHECK(breaks(take_parts));
	/* its links */
	unit_parts(PART, 8, 16, 1);
	low = unit_take(heap, PART - 4000);
	memset(low + block_usable_of(low) + 8, 0x41, 8);
	CHECK(breaks(take_part));
	/* one above a new part */
	unit_parts(PART, 8, 16, 1);
	parts_take_these(&parts, 1, 9);
	low = unit_take(heap, 4000);
	CHECK(low && heap->own == 4 && unit_take(heap, PART - 6000));
	parts_give(&parts, 1);
	CHECK(heap_free(heap, low) == HEAP_OK);
	memset(low, 0x41, 8);
	CHECK(breaks(take_part) && broken_block == low);
	/* what is trimmed */
	unit_parts(PART, 8, 16, 1);
	low = unit_take(heap, 100);
	CHECK(heap_free(heap, low) == HEAP_OK);
	memset(low, 0x41, 8);
	CHECK(breaks(trim) && broken_block == low);
}

/* ---- heap_check() ---- */

static void finds(unsigned char *at, unsigned char bits, const void *block)
{
	const void *where = NULL;

	CHECK(heap_check(heap, &where) == NULL);
	*at ^= bits;
	CHECK(heap_check(heap, &where) != NULL && (!block || where == block));
	*at ^= bits;
	CHECK(heap_check(heap, &where) == NULL);
}

static void check_finds(void)
{
	unsigned char *lists = (unsigned char *)heap->list;

	fresh();
	free_b();
	finds(b, 0x40, b);	   /* forward */
	finds(b + 4, 0x40, b);	   /* back: another list */
	finds(b + 4, 0x41, b);	   /* back: a place */
	finds(b + 96, 0x10, NULL); /* the size at its end */
	finds(a - 2, 0x10, a);	   /* seals */
	finds(b - 2, 0x10, b);
	finds(a - 8, 0x20, NULL); /* sizes */
	finds(a - 6, 0xff, NULL);
	finds(b - 8, 0x20, NULL);
	finds(b - 8, BLOCK_FREE, NULL);
	finds(c - 8, BLOCK_PREV_FREE, c);
	finds(memory + PART - 8, BLOCK_LAST, NULL); /* an end mark */
	finds(memory + PART - 8, BLOCK_FREE, NULL);
	finds((unsigned char *)&heap->used, 16, NULL);
	finds((unsigned char *)&heap->fl_map, 0x80, NULL);
	finds((unsigned char *)&heap->sl_map[2], 0x80, NULL);
	lists += class_of(48) * sizeof(uint32_t);
	finds(lists, 0x18, NULL); /* a list nobody is in */
	/* two free blocks side by side */
	fresh();
	free_b();
	block_of(c)->size_flags |= BLOCK_FREE;
	CHECK(heap_check(heap, &(const void *){NULL}) != NULL);
}

/* Behind an overwritten header nothing is found, and nothing is read. */
static unsigned live;

static void one_more(void *p)
{
	live++;
}

static void each_live(void)
{
	fresh();
	live = 0;
	heap_each_live(heap, one_more);
	CHECK(live == 4);
	free_b();
	live = 0;
	heap_each_live(heap, one_more);
	CHECK(live == 3);
	block_of(c)->size_flags = 0;
	live = 0;
	heap_each_live(heap, one_more);
	CHECK(live == 1);
}

int main(void)
{
	unit_memory(16 * PART);
	overwritten_links();
	links_of_lists();
	chosen_place();
	overwritten_free_headers();
	returned_blocks();
	where_parts_meet();
	check_finds();
	each_live();
	return failures != 0;
}
