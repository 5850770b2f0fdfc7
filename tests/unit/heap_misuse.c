/* SPDX-License-Identifier: MIT */
/*
 * heap_misuse.c - every way to free what should not be freed: each is found, with the
 * right name, and sound blocks are not accused
 *
 * What two bytes of a seal cannot tell in one of 65,536 keys is tried with many keys, and
 * may pass with at most one of them.
 */
#include "heap_three.h"

#define KEYS 40u

/* ---- frees of what is not live, or no block ---- */

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
	again = unit_take(heap, 300);
	CHECK(again == a);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	CHECK(heap_free(heap, c) == HEAP_DOUBLE_FREE);
	memset(again, 0, 300);
	CHECK(heap_free(heap, b) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, again) == HEAP_OK);
	/* cached, or on its way back */
	fresh();
	block_flip(block_of(b));
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	block_flip(block_of(b));
	unit_return(heap, b);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	CHECK(heap_take_back(heap, 10) == 1);
	CHECK(heap_free(heap, b) == HEAP_DOUBLE_FREE);
	/* with a tag and slack */
	fresh();
	block_set_tag(block_of(b), 200);
	block_set_requested(block_of(b), 90);
	CHECK(heap_free(heap, b) == HEAP_OK && heap_free(heap, b) == HEAP_DOUBLE_FREE);
}

/* Of memory where blocks once were, and that is nobody's or another heap's now. */
static void of_parts_given_back(void)
{
	fresh();
	CHECK(heap_free(heap, a) == HEAP_OK && heap_free(heap, b) == HEAP_OK);
	CHECK(heap_free(heap, c) == HEAP_OK);
	unit_parts(PART, 8, 16, 1);
	a = unit_take(&heaps[1], 1000);
	CHECK(heap_free(&heaps[1], a) == HEAP_OK);
	heap_trim(&heaps[1], HEAP_ALL_OF_THEM);
	CHECK(!heaps[1].own && heap_free(&heaps[1], a) == HEAP_DOUBLE_FREE);
}

static void not_blocks(void)
{
	static unsigned char *end;
	int foreign = 0;

	fresh();
	end = memory + 8 * PART;
	for (size_t i = 1; i < 104; i++)
		CHECK(heap_free(heap, b + i) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, NULL) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, &foreign) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, heap) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, memory) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, memory - 16) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, memory + 16) != HEAP_NOT_A_BLOCK); /* a */
	for (int i = -64; i <= 64; i += 16)
		CHECK(heap_free(heap, end + i) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, memory + (4UL << 30) + 16) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, (void *)-16L) == HEAP_NOT_A_BLOCK);
	/* the end mark of a part */
	CHECK(heap_free(heap, memory + PART) == HEAP_NOT_A_BLOCK);
	fresh();
	/* of another pool, whose key differs */
	heaps[1].key = unit_key(2);
	CHECK(heap_free(&heaps[1], b) == HEAP_NOT_A_BLOCK);
	CHECK(heap_free(heap, b) == HEAP_OK);
}

/* ---- headers ---- */

/* 1, 4, 8 bytes past a block, and all between: b's neighbour is not taken for a block. */
static void past_the_end(void)
{
	for (size_t n = 1; n <= 16; n++) {
		unsigned passed = 0;

		for (unsigned key = 1; key <= KEYS; key++) {
			fresh_key(key);
			memset(b + 104, 0x41, n);
			passed += heap_check_pointer(heap, c) == HEAP_OK;
			if (heap_check_pointer(heap, c) == HEAP_OK)
				continue;
			/* nor does the free of b, which reads it, join them */
			CHECK(heap_free(heap, c) != HEAP_OK);
		}
		CHECK(passed <= 1);
	}
}

/* The size as another one, seal and all else as it was. */
static void overwritten_sizes(void)
{
	static const uint32_t sizes[] = {0, 16, 32, 96, 128, 224, 0x10000, 0xfffffff0};
	unsigned passed = 0;

	for (unsigned key = 1; key <= KEYS; key++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			fresh_key(key);
			block_of(b)->size_flags = sizes[i];
			passed += heap_free(heap, b) == HEAP_OK;
		}
	}
	CHECK(passed <= 1);
}

/* A header that was read at one place, or before, is not one of another place or size. */
static void forged_headers(void)
{
	unsigned passed = 0;

	for (unsigned key = 1; key <= KEYS; key++) {
		fresh_key(key);
		/* a's, inside b */
		memcpy(b + 24, a - 8, 8);
		passed += heap_free(heap, b + 32) == HEAP_OK;
		/* a's, as b's */
		fresh_key(key);
		memcpy(b - 8, a - 8, 8);
		passed += heap_free(heap, b) == HEAP_OK;
		/* a free block's, as a live one's */
		fresh_key(key);
		CHECK(heap_free(heap, b) == HEAP_OK);
		b[-8] &= (unsigned char)~BLOCK_FREE;
		passed += heap_free(heap, b) == HEAP_OK;
		/* with the difference between two that were read */
		fresh_key(key);
		block_of(c)->mark =
			block_of(b)->mark ^ (block_of(b)->mark ^ block_of(a)->mark);
		passed += heap_check_pointer(heap, c) == HEAP_OK;
	}
	CHECK(passed <= 1);
}

/* From a time when a block of another size began there. */
static void stale_headers(void)
{
	unsigned passed = 0;
	unsigned char old[8];

	for (unsigned key = 1; key <= KEYS; key++) {
		fresh_key(key);
		memcpy(old, b - 8, 8);
		CHECK(heap_free(heap, a) == HEAP_OK && heap_free(heap, b) == HEAP_OK);
		CHECK(unit_take(heap, 40) == a && (b = unit_take(heap, 120)) != NULL);
		memcpy(b - 8, old, 8);
		passed += heap_free(heap, b) == HEAP_OK;
	}
	CHECK(passed <= 1);
}

/* ---- sizes out of range ---- */

static void out_of_range(void)
{
	static const size_t sizes[] = {9 * PART, 1UL << 30, BLOCK_MAX / 2,
		BLOCK_MAX - PART, BLOCK_MAX - 4096, BLOCK_MAX - 64, BLOCK_MAX - 32};

	fresh();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK(!heap_alloc(heap, block_size_for(sizes[i]), 0));
		CHECK(!heap_serve(heap, block_size_for(sizes[i]), 0));
		CHECK(!heap_alloc_aligned(heap, 4096, block_size_for(sizes[i]), 0));
		CHECK(!heap_resize(heap, a, sizes[i]));
		CHECK(heap_check(heap, &(const void *){NULL}) == NULL);
		CHECK(parts_free(&parts) == parts_mask(1, 7));
	}
	for (unsigned bit = 31; bit < 64; bit++)
		CHECK(!heap_alloc_aligned(heap, 1UL << bit, 112, 0));
	CHECK(!heap_resize(heap, a, SIZE_MAX) && !heap_resize(heap, a, BLOCK_MAX));
	CHECK(heap_check_pointer(heap, a) == HEAP_OK && heap->own == 1);
}

int main(void)
{
	unit_memory(16 * PART);
	double_frees();
	of_parts_given_back();
	not_blocks();
	past_the_end();
	overwritten_sizes();
	forged_headers();
	stale_headers();
	out_of_range();
	return failures != 0;
}
