/* SPDX-License-Identifier: MIT */
/*
 * heap_formula.c - how much memory is enough, whatever happened before: attacked
 *
 * heap.h says what span is sure to serve n bytes beside k live blocks. The adversary
 * leaves k blocks of the smallest size, as far from each other as a search for n bytes
 * allows, and sees to it that the few blocks the last search looks at are too small. In
 * the stated span it must be served; without its last 16 bytes, and the little that the
 * last search costs the adversary, it must fail: so the statement is not generous.
 */
#include <stdio.h>
#include <stdlib.h>

#include "heap_private.h"

#define K_MAX 300

static int failures;

/* Blocks from this size on are found for n bytes in one search, from below it in none. */
static size_t found_size(size_t n)
{
	size_t size = (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -HEAP_ALIGN;
	size_t sure = size;

	while (class_of(sure) < class_fitting(size))
		sure += HEAP_ALIGN;
	return sure;
}

/* Was n bytes served in a span of `len`, k blocks alive and the first 8 holes small? */
static bool attack(size_t n, unsigned k, size_t len)
{
	static void *pin[K_MAX], *gap[K_MAX];
	size_t hole = found_size(n) - HEAP_ALIGN;
	size_t small = ((n + HEAP_OVERHEAD - 1) & -HEAP_ALIGN);
	void *control = aligned_alloc(64, (heap_control_size() + len + 127) & -64UL);
	unsigned char *span = (unsigned char *)control + heap_control_size();
	struct heap *h;
	const void *where;
	bool served;

	span += -(uintptr_t)span & 15;
	h = heap_init(control, span, len, 0x5a5a);
	for (unsigned i = 0; i < k; i++) {
		gap[i] = heap_alloc_block(h, i < HEAP_SCAN ? small : hole);
		pin[i] = heap_alloc_block(h, HEAP_BLOCK_MIN);
		if (!gap[i] || !pin[i])
			exit(2);
	}
	/* the last in the list is the first to be looked at */
	for (unsigned i = k; i--;)
		heap_free_flipped(h, gap[i]);
	served = heap_alloc(h, n) != NULL;
	if (heap_check(h, &where)) {
		printf("n %zu k %u: not sound\n", n, k);
		failures++;
	}
	free(control);
	return served;
}

int main(void)
{
	for (size_t n = 1500; n < 300000; n += n / 3 + 8) {
		for (unsigned k = 16; k <= K_MAX; k += 71) {
			size_t hole = found_size(n) - HEAP_ALIGN;
			size_t small = (n + HEAP_OVERHEAD - 1) & -HEAP_ALIGN;
			size_t enough = heap_span_sure(k * HEAP_BLOCK_MIN, k, n);
			size_t lost = HEAP_SCAN * (hole - small) + HEAP_ALIGN;

			if (!attack(n, k, enough)) {
				printf("n %zu k %u: %zu bytes were not enough\n", n, k,
					enough);
				failures++;
			}
			if (attack(n, k, enough - lost)) {
				printf("n %zu k %u: the adversary is weak\n", n, k);
				failures++;
			}
		}
	}
	return failures != 0;
}
