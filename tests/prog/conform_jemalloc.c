/* SPDX-License-Identifier: MIT */
/* libs: -l:libjemalloc.so.2 */
/* conform_jemalloc.c - jemalloc's own family mixes with free and malloc_usable_size */
#include <malloc.h>

#include "victim.h"

#define LG_ALIGN(la) (la)
#define ZERO	     0x40

void *mallocx(size_t, int);
void *rallocx(void *, size_t, int);
size_t xallocx(void *, size_t, size_t, int);
size_t sallocx(const void *, int);
void dallocx(void *, int);
void sdallocx(void *, size_t, int);
size_t nallocx(size_t, int);
int mallctl(const char *, void *, size_t *, void *, size_t);
int mallctlnametomib(const char *, size_t *, size_t *);
int mallctlbymib(const size_t *, size_t, void *, size_t *, void *, size_t);
void malloc_stats_print(void (*)(void *, const char *), void *, const char *);

static size_t printed;

static void count_text(void *arg, const char *text)
{
	(void)arg;
	printed += strlen(text);
}

static void check_mallctl(void)
{
	const char *version = NULL;
	size_t len = sizeof(version), mib[4], miblen = 4;

	CHECK_EQ(mallctl("version", &version, &len, NULL, 0), 0);
	CHECK(version && version[0] == '5');
	CHECK_EQ(mallctlnametomib("version", mib, &miblen), 0);
	CHECK_EQ(mallctlbymib(mib, miblen, &version, &len, NULL, 0), 0);
	malloc_stats_print(count_text, NULL, "mdablxe");
	CHECK(printed > 100);
}

static void victim(void)
{
	for (size_t n = 1; n < 3000000; n = n * 3 + 5) {
		char *p = mallocx(n, 0);

		CHECK(sallocx(p, 0) >= n && malloc_usable_size(p) >= n &&
			nallocx(n, 0) >= n);
		fill(p, n, 2);
		p = rallocx(p, n * 2, 0);
		CHECK(filled(p, n, 2));
		free(p);
		dallocx(malloc(n), 0);
		sdallocx(mallocx(n, 0), n, 0);
		p = malloc(n);
		fill(p, n, 4);
		CHECK(xallocx(p, n, 0, 0) >= n);
		p = rallocx(p, n + 100, 0);
		CHECK(filled(p, n, 4));
		p = realloc(p, n);
		CHECK(filled(p, n, 4));
		dallocx(p, 0);
		p = mallocx(n, LG_ALIGN(12) | ZERO);
		CHECK((uintptr_t)p % 4096 == 0 && p[0] == 0 && p[n - 1] == 0);
		free(p);
	}
	check_mallctl();
}

int main(void)
{
	return in_both_threads(victim);
}
