/* SPDX-License-Identifier: MIT */
/*
 * parts.c - parts_of() and parts_runs(), proven by going through every case
 *
 * parts_of() divides by a multiplication: for every size that a part can have, and every
 * page up to 4 GiB and one part more (what a request rounded up can be), the quotient is
 * the exact one. That is 2^20 pages for each of 4,096 sizes, looked at where the quotient
 * changes: between two such places it is constant, since it does not fall.
 * parts_runs() is compared with a search bit by bit, for every length: all arrangements
 * of 14 bits in the middle and at both ends, in a word of zeros or of ones, and every
 * run.
 */
#include <stdio.h>

#include "parts.h"

#define PAGE	  4096UL
#define SIZES	  4096UL /* parts of 16 KiB, 32 KiB ... 64 MiB: 64 of them are 4 GiB */
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

static int sizes_hold(void)
{
	for (size_t max = 1; max <= SIZES * PARTS_LEAST * PARTS_MAX;
		max += PAGE / 4 - 1) {
		size_t size = parts_size_for(max);

		if (size % PARTS_LEAST || size * PARTS_MAX < max ||
			(size > PARTS_LEAST && (size - PARTS_LEAST) * PARTS_MAX >= max)) {
			printf("%zu bytes: parts of %zu\n", max, size);
			return 1;
		}
	}
	return 0;
}

static uint64_t runs_by_bit(uint64_t bits, unsigned n)
{
	uint64_t runs = 0;

	for (unsigned first = 0; first + n <= 64; first++) {
		unsigned k = 0;

		while (k < n && bits >> (first + k) & 1)
			k++;
		runs |= (uint64_t)(k == n) << first;
	}
	return runs;
}

static int runs_of(uint64_t bits)
{
	for (unsigned n = 1; n <= PARTS_MAX; n++) {
		if (parts_runs(bits, n) != runs_by_bit(bits, n)) {
			printf("%lx: runs of %u\n", bits, n);
			return 1;
		}
	}
	return 0;
}

#define BITS 14 /* at each of three places */
static int runs(void)
{
	static const unsigned at[] = {0, 25, 64 - BITS};

	for (unsigned i = 0; i < 3; i++) {
		uint64_t mask = parts_mask(at[i], BITS);

		for (uint64_t bits = 0; bits < 1UL << BITS; bits++) {
			if (runs_of(bits << at[i]) || runs_of(bits << at[i] | ~mask))
				return 1;
		}
	}
	for (unsigned first = 0; first < 64; first++) {
		for (unsigned n = 1; n <= 64 - first; n++) {
			if (runs_of(parts_mask(first, n)) ||
				runs_of(~parts_mask(first, n)))
				return 1;
		}
	}
	return 0;
}

int main(void)
{
	if (quotients() || sizes_hold() || runs())
		return 1;
	printf("parts: %lu sizes, every page of 4 GiB\n", SIZES);
	return 0;
}
