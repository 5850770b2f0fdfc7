/* SPDX-License-Identifier: MIT */
/* cflags: -fno-optimize-sibling-calls */
/* callers.c - functions whose calls of malloc a call-site rule can tell apart */
#include <stdlib.h>
#include <string.h>

#define CALLER __attribute__((noinline))

CALLER void *caller_named(size_t n)
{
	void *p = malloc(n);

	return p;
}

CALLER void *caller_other(size_t n)
{
	void *p = malloc(n);

	return p;
}

CALLER void *caller_zeroed(size_t n)
{
	void *p = calloc(1, n);

	return p;
}

CALLER void *caller_resized(void *p, size_t n)
{
	p = realloc(p, n);
	return p;
}

CALLER static void *caller_static(size_t n)
{
	void *p = malloc(n);

	return p;
}

CALLER void *caller_of_static(size_t n)
{
	void *p = caller_static(n);

	return p;
}

/* strdup is an allocation wrapper: the caller is this function */
CALLER void *caller_wrapped(const char *text)
{
	void *p = strdup(text);

	return p;
}
