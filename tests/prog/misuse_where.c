/* SPDX-License-Identifier: MIT */
/* misuse_where.c CASE - frees where no block begins, writes where no block is */
#include "misuse.h"

static void base_a(void)
{
	a = malloc(SMALL);
	if (in_pool(a))
		_exit(4);
}

/* ---- not the start of a block ---- */

static void off(size_t n, size_t by)
{
	a = get(n);
	free(a + by);
}

static void off_1(void)
{
	off(SMALL, 1);
}

static void off_8(void)
{
	off(SMALL, 8);
}

static void off_16(void)
{
	off(SMALL, 16);
}

static void off_64(void)
{
	off(SMALL, 64);
}

static void off_before(void)
{
	three(SMALL);
	free(b - 16);
}

static void off_end(void)
{
	off(SMALL, SMALL);
}

static void off_page(void)
{
	off(HUGE, 4096);
}

static void off_middle(void)
{
	off(LARGE, LARGE / 2 / 16 * 16);
}

static void off_zeros(void)
{
	a = calloc(1, LARGE);
	free(a + 1600);
}

static void off_realloc(void)
{
	a = get(SMALL);
	a = realloc(a + 16, HUGE);
}

static void free_off_a(void)
{
	free(a + 16);
}

static void off_other(void)
{
	a = get(SMALL);
	others(free_off_a);
}

static void off_peer(void)
{
	a = get(SMALL);
	peers(free_off_a);
}

/* A header made up to look like that of a block, with this block's own flags. */
static void forged(void)
{
	a = get(LARGE);
	memcpy(a + 1600 - 8, a - 8, 8);
	free(a + 1600);
}

static void never_allocated(void)
{
	a = get(HUGE);
	free(a + 4 * HUGE);
}

/* The pool's own book-keeping, below its first block. */
static void below_blocks(void)
{
	a = get(SMALL);
	while (in_pool(a - 4096))
		a -= 4096;
	free((char *)((uintptr_t)a & ~4095UL));
}

static void beyond_blocks(void)
{
	a = get(SMALL);
	while (in_pool(a + 4096))
		a += 4096;
	free((char *)(((uintptr_t)a & ~4095UL) + 4096 - 16));
}

/* ---- written where one should not ---- */

static void overflow(size_t n)
{
	three(SMALL);
	memset(a, 'y', SMALL + n);
	free(b);
}

static void overflow_8(void)
{
	overflow(8);
}

static void overflow_16(void)
{
	overflow(16);
}

static void overflow_1(void)
{
	three(HUGE);
	memset(a, 'y', malloc_usable_size(a) + 1);
	free(a);
}

static void underflow(void)
{
	three(SMALL);
	memset(b - 8, 'y', 8);
	free(b);
}

static void after_free_then_alloc(void)
{
	three(SMALL);
	free(b);
	free(malloc(opaque(64UL << 20))); /* out of the cache, into a free list */
	memset(b, 'y', 8);
	get(SMALL);
}

static void after_free_then_neighbour(void)
{
	three(HUGE);
	free(b);
	memset(b, 'y', 8);
	free(c);
}

static void after_free_end(void)
{
	three(HUGE);
	free(b);
	memset(b + malloc_usable_size(a) - 8, 'y', 8);
	free(c);
}

static void after_return(void)
{
	three(SMALL);
	others(free_a);
	memset(a, 'y', 8);
	for (int i = 0; i < 100; i++)
		get(SMALL);
	free(malloc(opaque(64UL << 20)));
}

static void header_of_returned(void)
{
	three(HUGE);
	others(free_a);
	memset(a - 8, 'y', 8);
	free(malloc(opaque(64UL << 20)));
}

/* ---- not ours at all ---- */

static void odd_static(void)
{
	static char there[256];

	free(there + 1);
}

static void odd_stack(void)
{
	char here[256];

	free(here + 1);
}

static void odd_base(void)
{
	others(base_a);
	free(a + 4);
}

static const struct misuse cases[] = {
	CASE(off_1),
	CASE(off_8),
	CASE(off_16),
	CASE(off_64),
	CASE(off_before),
	CASE(off_end),
	CASE(off_page),
	CASE(off_middle),
	CASE(off_zeros),
	CASE(off_realloc),
	CASE(off_other),
	CASE(off_peer),
	CASE(forged),
	CASE(never_allocated),
	CASE(below_blocks),
	CASE(beyond_blocks),
	CASE(overflow_1),
	CASE(overflow_8),
	CASE(overflow_16),
	CASE(underflow),
	CASE(after_free_then_alloc),
	CASE(after_free_then_neighbour),
	CASE(after_free_end),
	CASE(after_return),
	CASE(header_of_returned),
	CASE(odd_static),
	CASE(odd_stack),
	CASE(odd_base),
};

int main(int argc, char **argv)
{
	return misuse_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
