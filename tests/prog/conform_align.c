/* SPDX-License-Identifier: MIT */
/* conform_align.c - every block of every size is 16-byte aligned and can be written whole
 */
#include <malloc.h>

#include "victim.h"

static void check_block(void *p, size_t n)
{
	size_t usable = malloc_usable_size(p);

	if (!p || (uintptr_t)p % 16 || usable < n) {
		dprintf(2, "size %zu: %p, usable %zu\n", n, p, usable);
		CHECK(!"aligned and large enough");
	}
	fill(p, usable, (unsigned char)n);
	CHECK(filled(p, usable, (unsigned char)n));
	CHECK_EQ(malloc_usable_size(p), usable);
	free(p);
}

static void check_size(size_t n)
{
	void *grown = malloc(8);

	check_block(malloc(n), n);
	check_block(calloc(1, n), n);
	if (n) {
		grown = realloc(grown, n);
		check_block(grown, n);
	} else {
		free(grown);
	}
}

static void victim(void)
{
	for (size_t n = 0; n <= 4096; n++)
		check_size(n);
	for (size_t n = 8192; n <= (size_t)4 << 20; n *= 2) {
		check_size(n - 1);
		check_size(n);
		check_size(n + 1);
	}
}

int main(void)
{
	return in_both_threads(victim);
}
