/* SPDX-License-Identifier: MIT */
/*
 * contiguous.c - how often and how fast contiguous memory of each size is found
 *
 * One line a size: attempts, successes, milliseconds (fastest, median, slowest) of the
 * successes, and milliseconds of the slowest failure. The memory is freed in between.
 */
#include <intime/rt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

#define ATTEMPTS 10

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void one_size(DWORD size)
{
	double took[ATTEMPTS], worst = 0;
	int good = 0, tries = size < 32u << 20 ? ATTEMPTS : 3;

	for (int i = 0; i < tries; i++) {
		uint64_t start = now_ns();
		PVOID p = AllocateRtMemoryEx(size, 0, UINT64_MAX, 0);
		double ms = (double)(now_ns() - start) / 1e6;

		if (p)
			took[good++] = ms;
		else if (ms > worst)
			worst = ms;
		if (p)
			FreeRtMemory(p);
	}
	qsort(took, (size_t)good, sizeof(*took), by_value);
	printf("%8u KiB  %2d of %2d", size >> 10, good, tries);
	if (good)
		printf("  ms %8.2f %8.2f %8.2f", took[0], took[good / 2], took[good - 1]);
	if (good < tries)
		printf("  failing ms %8.2f", worst);
	putchar('\n');
	fflush(stdout);
}

int main(void)
{
	for (DWORD size = 4096; size <= 64u << 20; size *= 4)
		one_size(size);
	return 0;
}
