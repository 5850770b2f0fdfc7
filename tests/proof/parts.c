/* SPDX-License-Identifier: MIT */
/*
 * parts.c - parts_of(), proven by going through every case
 *
 * parts_of() divides by a multiplication: for every size that a part can have, and every
 * page up to 4 GiB and one part more (what a request rounded up can be), the quotient is
 * the exact one. That is 2^20 pages for each of 16,384 sizes, looked at where the
 * quotient changes: between two such places it is constant, since it does not fall.
 */
#include <stdio.h>

#include "engine/parts.h"

#define PAGE	  4096UL
#define SIZES	  16384UL /* parts of 1, 2 ... 16,384 pages: 64 of the last are 4 GiB */
#define PAGES_ALL (1UL << 20)

static struct parts p;

/* As parts_init() does, which is linked. */
static bool exact(size_t part)
{
	size_t most = (PAGES_ALL * PAGE + part) / part;

	parts_init(&p, part, part);
	for (size_t q = 0; q <= most; q++) {
		size_t off = q * part;

		if (parts_of(&p, off) != q || parts_of(&p, off + part - PAGE) != q ||
			parts_of(&p, off + part - 1) != q || parts_of(&p, off + 1) != q)
			return false;
	}
	return true;
}

/* It never falls: the product grows with the page. */
static int quotients(void)
{
	for (size_t n = 1; n <= SIZES; n++) {
		if (!exact(n * PARTS_LEAST)) {
			printf("parts of %zu bytes: a wrong quotient\n", n * PARTS_LEAST);
			return 1;
		}
		if (p.inverse > UINT64_MAX / (PAGES_ALL * 2)) {
			printf("parts of %zu bytes: an overflow\n", n * PARTS_LEAST);
			return 1;
		}
	}
	return 0;
}

/* Not more than needed, but where a part is to hold any block of a cache. */
static bool sparing(size_t size, size_t max)
{
	return size == PARTS_LEAST || (size - PARTS_LEAST) * PARTS_MAX < max ||
	       (size == PARTS_BEST && max / size >= PARTS_ENOUGH);
}

static int sizes_hold(void)
{
	for (size_t max = 1; max <= SIZES * PARTS_LEAST * PARTS_MAX;
		max += PAGE / 4 - 1) {
		size_t size = parts_size_for(max);

		if (size % PARTS_LEAST || size * PARTS_MAX < max || !sparing(size, max)) {
			printf("%zu bytes: parts of %zu\n", max, size);
			return 1;
		}
	}
	return 0;
}

int main(void)
{
	if (quotients() || sizes_hold())
		return 1;
	printf("parts: %lu sizes, every page of 4 GiB\n", SIZES);
	return 0;
}
