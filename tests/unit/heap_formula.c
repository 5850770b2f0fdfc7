/* SPDX-License-Identifier: MIT */
/*
 * heap_formula.c - how much memory is enough, whatever happened before: attacked
 *
 * heap_span_sure() says what span is sure to serve n bytes beside k live blocks. The
 * adversary leaves k blocks of the smallest size, as far from each other as a search for
 * n bytes allows, and sees to it that the few blocks the last search looks at are too
 * small. In the stated span it must be served; without its last 16 bytes, and the little
 * that the last search costs the adversary, it must fail: so the statement is not
 * generous. The span is that of a native pool; for blocks that one part holds, a run of
 * parts as well.
 */
#include "heap_unit.h"

#define K_MAX 300
#define SCAN  8 /* HEAP_SCAN of heap.c */

/*
 * Bytes of one run in which n bytes are sure to be served beside `blocks` live blocks of
 * `live` bytes (headers and rounding included), whatever was allocated and freed before:
 *
 *	span = HEAP_RUN_ENDS + live + (blocks + 1) * (s - 16) + 16
 *
 * s is the block for n rounded up to the next of 32 classes per power of two, at most
 * 1/32 more. Proof: free blocks never touch, so there are at most blocks + 1 of them;
 * when n cannot be served each has at most s - 16 bytes. The adversary is
 * refused in little less.
 */
static size_t heap_span_sure(size_t live, size_t blocks, size_t n)
{
	size_t size = block_size_for(n), step = BLOCK_ALIGN;

	/* the distance between neighbouring classes */
	if (size > BLOCK_ALIGN * HEAP_SL)
		step = 1UL << (63u - (unsigned)__builtin_clzl(size - 1) - HEAP_SL_BITS);
	size = (size + step - 1) & -step;
	return HEAP_RUN_ENDS + live + (blocks + 1) * (size - BLOCK_ALIGN) + BLOCK_ALIGN;
}

/* Blocks from this size on are found for n bytes in one search, from below it in none. */
static uint32_t found_size(size_t n)
{
	uint32_t size = block_size_for(n), sure = size;

	while (class_of(sure) < class_fitting(size))
		sure += BLOCK_ALIGN;
	return sure;
}

static uint32_t small_size(size_t n)
{
	return (uint32_t)((n + BLOCK_HEADER - 1) & -BLOCK_ALIGN);
}

/* A heap of `len` bytes, in parts or not. What is more in the last part is taken. */
static struct heap *span_of(size_t len, bool parted)
{
	struct heap *h = &heaps[0];
	size_t part, left, half;

	if (!parted) {
		unit_native(len, 1);
		return h;
	}
	part = parts_size_for(len + BLOCK_MIN);
	left = (len + BLOCK_MIN + part - 1) / part * part - len;
	unit_parts(part, (unsigned)((len + left) / part), PARTS_MAX, 1);
	/* in two: one part is enough for each, and they come first */
	half = left >= 2 * BLOCK_MIN ? left / 2 & -BLOCK_ALIGN : 0;
	if (half && !heap_alloc(h, (uint32_t)half, 0))
		exit(2);
	if (!heap_alloc(h, (uint32_t)(left - half), 0))
		exit(2);
	return h;
}

/* A hole of the adversary's got 16 bytes more, which were left at the end of a part. */
static bool spoiled;

/* Was n bytes served in a span of `len`, k blocks alive and the first of the holes small?
 */
static bool attack(size_t n, unsigned k, size_t len, bool parted)
{
	static void *pin[K_MAX], *gap[K_MAX];
	uint32_t hole = found_size(n) - (uint32_t)BLOCK_ALIGN;
	struct heap *h = span_of(len, parted);
	const void *where;
	bool served;

	spoiled = false;
	for (unsigned i = 0; i < k; i++) {
		gap[i] = heap_alloc(h, i < SCAN ? small_size(n) : hole, 0);
		pin[i] = heap_alloc(h, BLOCK_MIN, 0);
		if (!gap[i] || !pin[i])
			exit(2);
		spoiled |= block_size(block_of(gap[i])) > hole;
	}
	/* the last in the list is the first to be looked at */
	for (unsigned i = k; i--;)
		CHECK(heap_free(h, gap[i]) == HEAP_OK);
	served = unit_take(h, n) != NULL;
	CHECK(!heap_check(h, &where));
	return served;
}

static void attacks(size_t n, unsigned k, bool parted)
{
	size_t hole = found_size(n) - BLOCK_ALIGN;
	size_t enough = heap_span_sure(k * BLOCK_MIN, k, n);
	size_t lost = SCAN * (hole - small_size(n)) + BLOCK_ALIGN;

	if (!attack(n, k, enough, parted)) {
		printf("n %zu k %u: %zu bytes were not enough\n", n, k, enough);
		failures++;
	}
	if (attack(n, k, enough - lost, parted) && !spoiled) {
		printf("n %zu k %u: the adversary is weak\n", n, k);
		failures++;
	}
}

int main(void)
{
	unit_memory(256UL << 20);
	for (size_t n = 1500; n < 300000; n += n / 3 + 8) {
		for (unsigned k = 16; k <= K_MAX; k += 71) {
			attacks(n, k, false);
			if (found_size(n) < parts_size_for(k * n))
				attacks(n, k, true);
		}
	}
	return failures != 0;
}
