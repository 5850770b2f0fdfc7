/* SPDX-License-Identifier: MIT */
/* ctor.c - a library that allocates in its constructor and frees in its destructor, which
 * runs after the program's own */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *kept;

char *ctor_block(void)
{
	return kept;
}

__attribute__((constructor)) static void begin(void)
{
	kept = strdup("made in a constructor");
}

__attribute__((destructor)) static void end(void)
{
	char *p = malloc(3000);

	memset(p, 1, 3000);
	free(p);
	free(realloc(kept, 100000));
	if (write(1, "library gone\n", 13) < 0)
		_exit(9);
}
