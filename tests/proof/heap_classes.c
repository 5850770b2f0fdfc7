/* SPDX-License-Identifier: MIT */
/*
 * heap_classes.c - size classes, proven by going through every size there can be
 *
 * Block sizes are 28-bit numbers of 16-byte units, so that all 268 million are looked at.
 * For every size: the classes are in range; both grow with the size, so that each is a
 * whole interval, and below 1 KiB each holds one size or none; a block of the fitting
 * class, the least one included, holds the size; no smaller class would do; the fitting
 * class is the exact one or the next, so that what the search misses is in one class
 * only.
 */
#include <stdio.h>

#include "engine/heap_list.h"

static size_t least[HEAP_LISTS + 1]; /* of each class: its smallest size */

static int fail(const char *what, size_t size)
{
	printf("size %zu: %s\n", size, what);
	return 1;
}

static int classes_are_intervals(void)
{
	size_t before = 0;

	least[0] = BLOCK_MIN;
	for (size_t size = BLOCK_MIN; size <= BLOCK_MAX; size += BLOCK_ALIGN) {
		size_t class = class_of((uint32_t)size);

		if (class >= HEAP_LISTS)
			return fail("its class is out of range", size);
		if (class < before ||
			(class == before && size > BLOCK_MIN && size < 1024))
			return fail("its class does not grow", size);
		if (size > 1024 && class > before + 1)
			return fail("there is a class of nothing before its own", size);
		while (before < class)
			least[++before] = size;
	}
	return 0;
}

static int fitting_fits(void)
{
	size_t last = class_of((uint32_t)BLOCK_MAX);

	for (size_t size = BLOCK_MIN; size <= BLOCK_MAX; size += BLOCK_ALIGN) {
		size_t fit = class_fitting((uint32_t)size);
		size_t class = class_of((uint32_t)size);

		if (fit > HEAP_LISTS)
			return fail("its fitting class is out of range", size);
		if (fit != class && fit != class + 1)
			return fail("its fitting class is not its own or the next", size);
		if (fit <= last && least[fit] < size)
			return fail("a block of its fitting class is too small", size);
		if (fit == class + 1 && least[class] >= size)
			return fail("its own class would have fitted", size);
	}
	return 0;
}

/* What a request becomes: large enough, a multiple of 16, and no more than needed. The
 * first and the last request of each size, since nothing changes between. */
static int requests_fit(void)
{
	for (size_t n = 8; n <= BLOCK_MAX - 2 * BLOCK_ALIGN; n += n % 16 == 8 ? 1 : 15) {
		size_t size = block_size_for(n);

		if (size % BLOCK_ALIGN || size < n + BLOCK_HEADER || size < BLOCK_MIN)
			return fail("is too small for its request", size);
		if (size >= n + BLOCK_HEADER + BLOCK_ALIGN && size > BLOCK_MIN)
			return fail("is too large for its request", size);
	}
	return 0;
}

/* What stands for a list in the links of its first block is no place of a block. */
static int heads_are_no_places(void)
{
	for (uint32_t class = 0; class < HEAP_LISTS; class ++) {
		if (!(list_head(class) & 1) || list_head(class) >> 4 != class)
			return fail("its list is not recognised", least[class]);
	}
	return 0;
}

int main(void)
{
	if (classes_are_intervals() || fitting_fits() || requests_fit() ||
		heads_are_no_places())
		return 1;
	printf("classes: all %lu sizes, %u classes\n", BLOCK_MAX / BLOCK_ALIGN - 1,
		class_of((uint32_t)BLOCK_MAX) + 1);
	return 0;
}
