/* SPDX-License-Identifier: MIT */
/* conform_zero.c - the edges: size 0, NULL, and what glibc's programs rely on there */
#include <malloc.h>

#include "victim.h"

static void check_unique(void)
{
	void *p[64];

	for (int i = 0; i < 64; i++) {
		p[i] = i % 3 == 0 ? malloc(0) : i % 3 == 1 ? calloc(0, 8) : calloc(8, 0);
		CHECK(p[i]);
		CHECK_EQ((uintptr_t)p[i] % 16, 0);
		for (int j = 0; j < i; j++)
			CHECK(p[i] != p[j]);
	}
	for (int i = 0; i < 64; i++)
		free(p[i]);
}

static void check_realloc(void)
{
	unsigned char *p;

	errno = 5;
	CHECK(realloc(malloc(100), opaque(0)) == NULL);
	CHECK(realloc(malloc(100000), opaque(0)) == NULL);
	CHECK(reallocarray(malloc(10), opaque(0), 16) == NULL);
	CHECK_EQ(errno, 5);
	p = realloc(NULL, 100);
	CHECK(p);
	fill(p, 100, 1);
	free(p);
	p = realloc(NULL, opaque(0));
	CHECK(p);
	free(p);
	p = reallocarray(NULL, 7, 11);
	fill(p, 77, 1);
	free(p);
	free(NULL);
	CHECK_EQ(malloc_usable_size(NULL), 0);
}

/* Grows and shrinks; the contents go along. */
static void check_contents(void)
{
	size_t n = 1;
	unsigned char *p = malloc(n);

	fill(p, n, 3);
	for (int i = 0; i < 200; i++) {
		size_t to = (n * 7 + (size_t)i * 131) % 300000 + 1;

		p = realloc(p, to);
		CHECK(p);
		CHECK(filled(p, n < to ? n : to, 3));
		fill(p, to, 3);
		n = to;
	}
	free(p);
}

static void victim(void)
{
	check_unique();
	check_realloc();
	check_contents();
}

int main(void)
{
	return in_both_threads(victim);
}
