/* SPDX-License-Identifier: MIT */
/* misuse_twice.c CASE - a block that is freed, freed or resized again */
#include "misuse.h"

static void twice(size_t n)
{
	a = get(n);
	free(a);
	free(a);
}

static void twice_tiny(void)
{
	twice(1);
}

static void twice_small(void)
{
	twice(SMALL);
}

static void twice_large(void)
{
	twice(LARGE);
}

static void twice_huge(void)
{
	twice(HUGE);
}

static void twice_zero(void)
{
	a = malloc(0);
	free(a);
	free(a);
}

static void twice_calloc(void)
{
	a = calloc(7, 11);
	free(a);
	free(a);
}

static void twice_aligned(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 4096, SMALL))
		_exit(3);
	free(p);
	free(p);
}

static void twice_usable(void)
{
	a = get(SMALL);
	memset(a, 0, SMALL);
	free(a);
	memset(a, 0, SMALL); /* a program that writes to what it freed */
	free(a);
}

static void twice_other_between(void)
{
	three(SMALL);
	free(a);
	free(b);
	free(a);
}

static void twice_bin_full(void)
{
	char *p[100]; /* more than a bin holds */

	for (int i = 0; i < 100; i++)
		p[i] = get(SMALL);
	for (int i = 0; i < 100; i++)
		free(p[i]);
	free(p[99]);
}

static void twice_first_of_bin(void)
{
	char *p[100]; /* more than a bin holds */

	for (int i = 0; i < 100; i++)
		p[i] = get(SMALL);
	for (int i = 0; i < 100; i++)
		free(p[i]);
	free(p[0]);
}

static void twice_delayed(void)
{
	a = get(SMALL);
	free(a);
	for (int i = 0; i < 10000; i++)
		free(get(SMALL + 64 + (size_t)i % 3000));
	free(a);
}

static void twice_flushed(void)
{
	a = get(SMALL);
	free(a);
	free(malloc(opaque(64UL << 20))); /* does not fit: the cache is emptied first */
	free(a);
}

static void twice_neighbour_reused(void)
{
	three(HUGE);
	free(b);
	free(a);
	a = get(HUGE); /* the front of what was merged */
	free(b);
}

static void twice_merged_before(void)
{
	three(HUGE);
	free(a);
	free(b);
	free(b);
}

static void twice_merged_after(void)
{
	three(HUGE);
	free(b);
	free(a);
	free(b);
}

static void twice_merged_both(void)
{
	three(HUGE);
	free(a);
	free(c);
	free(b);
	free(c);
}

static void twice_covered(void)
{
	three(HUGE);
	free(a);
	free(b);
	a = malloc(2 * HUGE); /* untouched: b's old header is still there */
	free(b);
}

static void twice_covered_written(void)
{
	three(HUGE);
	free(a);
	free(b);
	a = get(2 * HUGE);
	free(b);
}

static void twice_owner_then_other(void)
{
	a = get(SMALL);
	free(a);
	others(free_a);
}

static void twice_other_then_owner(void)
{
	a = get(SMALL);
	others(free_a);
	free(a);
}

static void twice_other_then_other(void)
{
	a = get(SMALL);
	others(free_a);
	others(free_a);
}

static void twice_owner_then_peer(void)
{
	a = get(SMALL);
	free(a);
	peers(free_a);
}

static void twice_peer_then_owner(void)
{
	a = get(SMALL);
	peers(free_a);
	free(a);
}

static void twice_peer_large(void)
{
	a = get(HUGE);
	peers(free_a);
	free(a);
}

/* In the bins of a cache that books on another tag. */
static void twice_other_rule_then_owner(void)
{
	a = get(SMALL);
	second_rule(free_a);
	free(a);
}

static void twice_owner_then_other_rule(void)
{
	a = get(SMALL);
	free(a);
	second_rule(free_a);
}

static void twice_of_other_rule(void)
{
	second_rule(get_a);
	free(a);
	free(a);
}

static void twice_after_exit(void)
{
	peers(get_and_free_a);
	free(a);
}

static void twice_after_exit_left(void)
{
	peers(get_a);
	free(a);
	others(free_a);
}

static void twice_realloc_moved(void)
{
	three(SMALL);
	char *moved = realloc(a, HUGE);

	if (moved == a)
		_exit(3);
	free(a);
}

static void twice_realloc_zero(void)
{
	a = get(SMALL);
	if (realloc(a, opaque(0)))
		_exit(3);
	free(a);
}

static void realloc_freed(size_t n, size_t to)
{
	a = get(n);
	free(a);
	a = realloc(a, to);
}

static void realloc_freed_grow(void)
{
	realloc_freed(SMALL, HUGE);
}

static void realloc_freed_shrink(void)
{
	realloc_freed(SMALL, 8);
}

static void realloc_freed_large(void)
{
	realloc_freed(LARGE, LARGE * 2);
}

static void realloc_freed_huge(void)
{
	realloc_freed(HUGE, HUGE / 2);
}

static void realloc_a(void)
{
	a = realloc(a, LARGE);
}

static void realloc_freed_other(void)
{
	a = get(SMALL);
	free(a);
	others(realloc_a);
}

static const struct misuse cases[] = {
	CASE(twice_tiny),
	CASE(twice_small),
	CASE(twice_large),
	CASE(twice_huge),
	CASE(twice_zero),
	CASE(twice_calloc),
	CASE(twice_aligned),
	CASE(twice_usable),
	CASE(twice_other_between),
	CASE(twice_bin_full),
	CASE(twice_first_of_bin),
	CASE(twice_delayed),
	CASE(twice_flushed),
	CASE(twice_neighbour_reused),
	CASE(twice_merged_before),
	CASE(twice_merged_after),
	CASE(twice_merged_both),
	CASE(twice_covered),
	CASE(twice_covered_written),
	CASE(twice_owner_then_other),
	CASE(twice_other_then_owner),
	CASE(twice_other_then_other),
	CASE(twice_owner_then_peer),
	CASE(twice_peer_then_owner),
	CASE(twice_peer_large),
	CASE(twice_other_rule_then_owner),
	CASE(twice_owner_then_other_rule),
	CASE(twice_of_other_rule),
	CASE(twice_after_exit),
	CASE(twice_after_exit_left),
	CASE(twice_realloc_moved),
	CASE(twice_realloc_zero),
	CASE(realloc_freed_grow),
	CASE(realloc_freed_shrink),
	CASE(realloc_freed_large),
	CASE(realloc_freed_huge),
	CASE(realloc_freed_other),
};

int main(int argc, char **argv)
{
	return misuse_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
