/* SPDX-License-Identifier: MIT */
/* conform_memalign.c - the aligned family, with the alignments glibc takes */
#include <malloc.h>

#include "victim.h"

static size_t power_above(size_t n)
{
	size_t p = 16;

	while (p < n)
		p *= 2;
	return p;
}

static void check(void *p, size_t align, size_t n)
{
	if (!p || (uintptr_t)p % align || malloc_usable_size(p) < n) {
		dprintf(2, "align %zu size %zu: %p\n", align, n, p);
		CHECK(!"aligned as asked");
		return;
	}
	fill(p, n, 5);
	p = realloc(p, n + 1000);
	CHECK(p && filled(p, n, 5));
	free(p);
}

static void check_align(size_t align, size_t n)
{
	void *p = NULL;

	check(memalign(align, n), align, n);
	check(aligned_alloc(align, n), align, n);
	if (align >= sizeof(void *)) {
		CHECK_EQ(posix_memalign(&p, align, n), 0);
		check(p, align, n);
	}
}

static void victim(void)
{
	static const size_t sizes[] = {0, 1, 17, 100, 4096, 5000, 100000};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t n = sizes[i];

		for (size_t align = 1; align <= (size_t)1 << 20; align *= 2)
			check_align(align, n);
		/* odd alignments are rounded up to a power of two */
		for (size_t align = 3; align < 5000; align = align * 3 + 1)
			check(memalign(align, n), power_above(align), n);
		check(memalign(0, n), 16, n);
		check(valloc(n), page, n);
		check(pvalloc(n), page, (n + page - 1) / page * page);
	}
	/* an alignment no power of two can reach */
	errno = 0;
	CHECK(memalign(opaque(SIZE_MAX), 8) == NULL);
	CHECK_EQ(errno, EINVAL);
	/* many at once, freed in another order */
	for (int round = 0; round < 3; round++) {
		void *p[300];

		for (int i = 0; i < 300; i++) {
			p[i] = memalign((size_t)16 << (i % 8), (size_t)i * 7);
			CHECK_EQ((uintptr_t)p[i] % ((size_t)16 << (i % 8)), 0);
			memset(p[i], i, (size_t)i * 7);
		}
		for (int i = 0; i < 300; i++)
			free(p[(i * 7) % 300]);
	}
}

int main(void)
{
	return in_both_threads(victim);
}
