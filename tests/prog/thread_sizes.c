/* SPDX-License-Identifier: MIT */
/* thread_sizes.c LO HI - every size from LO to HI comes from a pool, by every function of
 * the family; no other size does */
#include <malloc.h>

#include "victim.h"

static size_t lo, hi;

static void check(void *p, size_t n, const char *how)
{
	if (in_pool(p) != (n >= lo && n <= hi)) {
		dprintf(2, "%s of %zu: %s\n", how, n, in_pool(p) ? "pool" : "base");
		CHECK(!"as the rule says");
	}
	free(p);
}

int main(int argc, char **argv)
{
	lo = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	hi = argc > 2 ? strtoul(argv[2], NULL, 10) : SIZE_MAX;
	for (size_t n = 1; n < 200000; n += n < 300 ? 1 : n / 7) {
		void *p = NULL;

		check(malloc(n), n, "malloc");
		check(calloc(1, n), n, "calloc");
		check(realloc(NULL, n), n, "realloc");
		check(aligned_alloc(64, n), n, "aligned_alloc");
		CHECK_EQ(posix_memalign(&p, 64, n), 0);
		check(p, n, "posix_memalign");
	}
	return FAILED;
}
