// SPDX-License-Identifier: MIT
/*
 * site_cxx.c - allocates from functions with C++ names and says which blocks came from a
 * pool; without the C++ library, as a program that is linked with it statically
 */
/* libs: -ldl */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define NOINLINE __attribute__((noinline))
#define AFTER()	 __asm__ volatile("" ::: "memory")

NOINLINE void *bar(int n) __asm__("_ZN3Foo3barEi");
NOINLINE void *baz(int n) __asm__("_ZN3Foo3bazEi");

NOINLINE void *bar(int n)
{
	void *p = malloc((size_t)n);

	AFTER();
	return p;
}
NOINLINE void *baz(int n)
{
	void *p = malloc((size_t)n);

	AFTER();
	return p;
}

static NOINLINE void *own(int n) __asm__("_ZN12_GLOBAL__N_13ownEi");
static NOINLINE void *own(int n)
{
	void *p = malloc((size_t)n);

	AFTER();
	return p;
}

int main(void)
{
	void *(*pool_of)(void *, const void *) =
		(void *(*)(void *, const void *))dlsym(RTLD_DEFAULT, "rtm_get_pool");

	if (!pool_of)
		return 1;
	printf("bar %s\n", pool_of(NULL, bar(100)) ? "pool" : "plain");
	printf("baz %s\n", pool_of(NULL, baz(100)) ? "pool" : "plain");
	printf("own %s\n", pool_of(NULL, own(100)) ? "pool" : "plain");
	return 0;
}
