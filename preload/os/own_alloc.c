/* SPDX-License-Identifier: MIT */
/*
 * own_alloc.c - libc's names as this library means them: memory (see own.c)
 *
 * The policy and inih allocate from jemalloc, not by the program's malloc: the helper
 * reads policies, too, and code of a library in front of us must not run there. The same
 * goes for libc's functions that would call malloc. Never on the realtime path.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "sys.h"

#define OWN __attribute__((visibility("hidden")))

OWN void *__wrap_malloc(size_t size);
OWN void *__wrap_malloc(size_t size)
{
	return je_malloc(size);
}

OWN void *__wrap_calloc(size_t n, size_t size);
OWN void *__wrap_calloc(size_t n, size_t size)
{
	return je_calloc(n, size);
}

OWN void *__wrap_realloc(void *p, size_t size);
OWN void *__wrap_realloc(void *p, size_t size)
{
	return je_realloc(p, size);
}

OWN void __wrap_free(void *p);
OWN void __wrap_free(void *p)
{
	je_free(p);
}

OWN char *__wrap_strndup(const char *s, size_t max);
OWN char *__wrap_strndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *copy = je_malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

OWN char *__wrap_strdup(const char *s);
OWN char *__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}

/* Only as getcwd(NULL, 0): a new string. */
OWN char *__wrap_getcwd(char *buf, size_t len);
OWN char *__wrap_getcwd(char *buf, size_t len)
{
	char path[PATH_MAX];
	long n = sys_call3(SYS_getcwd, (long)path, sizeof(path), 0);

	if (n > 0 && path[0] == '/')
		return __wrap_strdup(path);
	errno = n < 0 ? (int)-n : ENOENT; /* not below our root directory */
	return NULL;
}

static void swap(char *a, char *b, size_t size)
{
	while (size--) {
		char c = a[size];

		a[size] = b[size];
		b[size] = c;
	}
}

/* The element at `at` goes down to where no child is greater. */
static void sift(char *v, size_t at, size_t n, size_t size,
	int (*compare)(const void *, const void *))
{
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n &&
			compare(v + child * size, v + (child + 1) * size) < 0)
			child++;
		if (compare(v + at * size, v + child * size) >= 0)
			return;
		swap(v + at * size, v + child * size, size);
	}
}

/* A heap sort: libc's takes memory for a long list. */
OWN void __wrap_qsort(
	void *v, size_t n, size_t size, int (*compare)(const void *, const void *));
OWN void __wrap_qsort(
	void *v, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = n / 2; i-- > 0;)
		sift(v, i, n, size, compare);
	for (size_t left = n; left-- > 1;) {
		swap(v, (char *)v + left * size, size);
		sift(v, 0, left, size, compare);
	}
}

/* Of inih's ini_parse(), which is not used: it would open the file with stdio. */
OWN FILE *__wrap_fopen64(const char *path, const char *mode);
OWN FILE *__wrap_fopen64(const char *path, const char *mode)
{
	errno = ENOSYS;
	return NULL;
}

OWN char *__wrap_fgets(char *s, int n, FILE *f);
OWN char *__wrap_fgets(char *s, int n, FILE *f)
{
	return NULL;
}

OWN int __wrap_fclose(FILE *f);
OWN int __wrap_fclose(FILE *f)
{
	return 0;
}
