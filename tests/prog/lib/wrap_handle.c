/* SPDX-License-Identifier: MIT */
/*
 * wrap_handle.c - stands in front of malloc and free, and finds those it passes the calls
 * on to by a handle of libc; says at exit whether anybody came by
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void *(*real_malloc)(size_t);
static void (*real_free)(void *);
static unsigned long calls;

static void find(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	real_free = (void (*)(void *))dlsym(libc, "free");
	real_malloc = (void *(*)(size_t))dlsym(libc, "malloc");
}

void *malloc(size_t size)
{
	static __thread int finding;
	static char early[4096];
	static size_t used;

	if (!real_malloc && !finding) {
		finding = 1;
		find();
		finding = 0;
	}
	if (!real_malloc) {
		used += (size + 15) & ~15UL;
		return early + used - ((size + 15) & ~15UL);
	}
	calls++;
	return real_malloc(size);
}

void free(void *p)
{
	if (!real_free)
		return;
	real_free(p);
}

static __attribute__((destructor)) void end(void)
{
	if (calls)
		(void)!write(1, "wrapped\n", 8);
}
