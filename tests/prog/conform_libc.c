/* SPDX-License-Identifier: MIT */
/* conform_libc.c - glibc's second names for the family mix with the first ones */
#include <malloc.h>

#include "victim.h"

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);
void *__libc_memalign(size_t, size_t);
void *__libc_valloc(size_t);
void *__libc_pvalloc(size_t);

static void victim(void)
{
	char *line = NULL;
	size_t cap = 0;
	FILE *f;
	char *p;

	for (size_t n = 1; n < 200000; n = n * 3 + 7) {
		free(__libc_malloc(n));
		__libc_free(malloc(n));
		p = __libc_realloc(malloc(n), n * 2);
		memset(p, 1, n * 2);
		p = realloc(p, n);
		__libc_free(p);
		free(__libc_calloc(2, n));
		free(__libc_memalign(256, n));
		free(__libc_valloc(n));
		free(__libc_pvalloc(n));
	}
	/* blocks that libc makes and we free */
	free(strdup("a string"));
	free(strndup("a string", 3));
	CHECK(asprintf(&p, "%d %s", 5, "words") > 0);
	free(p);
	f = fopen("/proc/self/status", "r");
	while (f && getline(&line, &cap, f) > 0)
		;
	free(line);
	if (f)
		fclose(f);
	free(realpath("/proc/self", NULL));
	free(getcwd(NULL, 0));
}

int main(void)
{
	return in_both_threads(victim);
}
