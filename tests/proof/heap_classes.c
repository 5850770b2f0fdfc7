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

#include "heap_private.h"

static size_t least[HEAP_LISTS + 1]; /* of each class: its smallest size */

static int fail(const char *what, size_t size)
{
	printf("size %zu: %s\n", size, what);
	return 1;
}

static int classes_are_intervals(void)
{
	size_t before = 0;

	for (size_t size = HEAP_BLOCK_MIN; size <= HEAP_BLOCK_MAX; size += HEAP_ALIGN) {
		size_t class = class_of(size);

		if (class < HEAP_FIRST || class >= HEAP_LISTS)
			return fail("its class is out of range", size);
		if (class < before || (class == before && size < 1024))
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
	size_t last = class_of(HEAP_BLOCK_MAX);

	for (size_t size = HEAP_BLOCK_MIN; size <= HEAP_BLOCK_MAX; size += HEAP_ALIGN) {
		size_t fit = class_fitting(size), class = class_of(size);

		if (fit > HEAP_LISTS)
			return fail("its fitting class is out of range", size);
		/* the smallest block's may be lower: there is nothing between */
		if (fit != class && fit != class + 1 &&
			(size > HEAP_BLOCK_MIN || fit > class))
			return fail("its fitting class is not its own or the next", size);
		if (fit <= last && least[fit] < size)
			return fail("a block of its fitting class is too small", size);
		if (fit == class + 1 && least[class] >= size)
			return fail("its own class would have fitted", size);
	}
	return 0;
}

/* What a request becomes: large enough, a multiple of 16, and no more than needed. */
static int requests_fit(void)
{
	for (size_t class = class_of(HEAP_BLOCK_MIN); class <= class_of(HEAP_BLOCK_MAX);
		class ++) {
		uint32_t head = list_head(class);

		if (list_class(head) != class)
			return fail("its list's slot is not recognised", least[class]);
		if (head + offsetof(struct block, next) + sizeof(uint32_t) >
			sizeof(struct heap))
			return fail("its list's slot is outside", least[class]);
	}
	return 0;
}

int main(void)
{
	if (classes_are_intervals() || fitting_fits() || requests_fit())
		return 1;
	printf("classes: all %lu sizes, %zu classes\n", HEAP_BLOCK_MAX / HEAP_ALIGN - 1,
		class_of(HEAP_BLOCK_MAX) + 1 - HEAP_FIRST);
	return 0;
}
