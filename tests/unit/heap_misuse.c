/* SPDX-License-Identifier: MIT */
/*
 * heap_misuse.c - every way to free what should not be freed, and to write where one
 * should not: each is found, with the right name, and sound blocks are not accused
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "heap.h"

#define SPAN (256UL << 10)

static unsigned char *control;
static struct heap *heap;

/* Three neighbours and something behind them, in a heap of their own. */
static unsigned char *a, *b, *c;

static void fresh(void)
{
	size_t head = (heap_control_size() + 4095) & ~4095UL;

	heap = heap_init(control, control + head, SPAN, 0x1234);
	a = heap_alloc(heap, 104);
	b = heap_alloc(heap, 104);
	c = heap_alloc(heap, 104);
	CHECK(heap_alloc(heap, 104) != NULL);
	memset(a, 1, 104);
	memset(b, 1, 104);
	memset(c, 1, 104);
}

static void double_frees(void)
{
	unsigned char *again;

	fresh();
	CHECK(heap_free(heap, b) == HEAP_OK);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	CHECK(heap_check_pointer(heap, b) == HEAP_DOUBLE_FREE);
	/* merged with what stood before it, and after it */
	CHECK(heap_free(heap, a) == HEAP_OK);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	CHECK(heap_free(heap, a) == HEAP_DOUBLE_FREE);
	CHECK(heap_free(heap, c) == HEAP_OK);
	CHECK(heap_free(heap, c) == HEAP_DOUBLE_FREE);
	/* a larger block now covers the old ones */
	again = heap_alloc(heap, 300);
	CHECK(again == a);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	CHECK(heap_free(heap, c) == HEAP_DOUBLE_FREE);
	memset(again, 0, 300);
	CHECK(heap_free(heap, b) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, again) == HEAP_OK);
	/* cached, or on its way back */
	fresh();
	heap_flip(b);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	CHECK(heap_free_flipped(heap, b) == HEAP_OK);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
}

static void not_blocks(void)
{
	size_t head = (heap_control_size() + 4095) & ~4095UL;
	struct heap *mine;
	int foreign = 0;

	fresh();
	for (size_t i = 1; i < 104; i++)
		CHECK(heap_free(heap, b + i) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, NULL) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, &foreign) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, control) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, control + head) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, control + head + SPAN) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, control + head + SPAN - 16) != HEAP_OK);
	/* of another heap, whose key differs */
	mine = heap;
	heap = heap_init(
		control + (2UL << 20), control + (2UL << 20) + head, SPAN, 0x4321);
	CHECK(heap_free(heap, b) == HEAP_NOT_A_BLOCK);
	heap = mine;
	CHECK(heap_free(heap, b) == HEAP_OK);
}

/* Off by n: the header of the next block is written over. */
static void overwritten_headers(void)
{
	for (size_t n = 7; n <= 16; n++) {
		fresh();
		memset(b + 104, 0x41, n);
		CHECK(heap_free(heap, c) == HEAP_NOT_A_BLOCK || n < 7);
	}
	fresh();
	c[-2] ^= 1;
	CHECK(heap_free(heap, c) == HEAP_NOT_A_BLOCK);
	/* a size that leads out of the span */
	fresh();
	c[-5] = 0x7f;
	CHECK(heap_free(heap, c) == HEAP_BROKEN);
	CHECK(heap_broken_block(heap) == c);
}

/* Writing to b after it was freed: noticed when the list is used, wherever it points. */
static void overwritten_links(void)
{
	static const unsigned char fill[] = {0x00, 0x01, 0x10, 0x41, 0x80, 0xff};

	for (size_t i = 0; i < sizeof(fill); i++) {
		fresh();
		CHECK(heap_free(heap, b) == HEAP_OK);
		memset(b, fill[i], 8);
		CHECK(heap_free(heap, c) == HEAP_BROKEN);
		CHECK(heap_broken_block(heap) == b);
		fresh();
		CHECK(heap_free(heap, b) == HEAP_OK);
		memset(b, fill[i], 8);
		CHECK(heap_free(heap, a) == HEAP_BROKEN);
		fresh();
		CHECK(heap_free(heap, b) == HEAP_OK);
		memset(b, fill[i], 8);
		CHECK(heap_alloc(heap, 104) == NULL);
		CHECK(heap_broken_block(heap) == b);
		fresh();
		CHECK(heap_free(heap, b) == HEAP_OK);
		memset(b + 96, fill[i], 8); /* the size at its end */
		CHECK(heap_free(heap, c) == HEAP_BROKEN);
	}
}

/* A block that was flipped and then written over. */
static void overwritten_while_away(void)
{
	fresh();
	heap_flip(b);
	memset(b - 8, 0x41, 8);
	CHECK(heap_free_flipped(heap, b) == HEAP_BROKEN);
}

/* heap_check() names what it finds. */
static void check_finds(void)
{
	const void *where = NULL;

	fresh();
	CHECK(heap_check(heap, &where) == NULL);
	heap_free(heap, b);
	b[0] ^= 0x40;
	CHECK(heap_check(heap, &where) != NULL && where == b);
	b[0] ^= 0x40;
	CHECK(heap_check(heap, &where) == NULL);
	b[96] ^= 0x10;
	CHECK(heap_check(heap, &where) != NULL);
	b[96] ^= 0x10;
	a[-2] ^= 0x10;
	CHECK(heap_check(heap, &where) != NULL && where == a);
	a[-2] ^= 0x10;
	c[-8] ^= 0x10;
	CHECK(heap_check(heap, &where) != NULL);
	c[-8] ^= 0x10;
	CHECK(heap_check(heap, &where) == NULL);
}

int main(void)
{
	control = mmap(NULL, 4UL << 20, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (control == MAP_FAILED)
		return 1;
	double_frees();
	not_blocks();
	overwritten_headers();
	overwritten_links();
	overwritten_while_away();
	check_finds();
	return failures != 0;
}
