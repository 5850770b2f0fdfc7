/* SPDX-License-Identifier: MIT */
/* survive_early.c - malloc before constructors: in an IFUNC resolver, in .preinit_array,
 * in the constructor with the lowest priority; and what they got can be freed later */
#include "victim.h"

static char *from_preinit;

static void use(char *p, size_t n)
{
	CHECK(p);
	memset(p, 7, n);
}

static void preinit(int argc, char **argv, char **env)
{
	(void)argc, (void)argv, (void)env;
	from_preinit = malloc(100);
	from_preinit = realloc(from_preinit, 50000);
	use(from_preinit, 50000);
	free(calloc(100, 100));
}
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(
	int, char **, char **) = preinit;

__attribute__((constructor(101))) static void first(void)
{
	void *p = NULL;

	CHECK_EQ(posix_memalign(&p, 256, 1000), 0);
	use(p, 1000);
	free(p);
}

int main(void)
{
	use(from_preinit, 50000);
	from_preinit = realloc(from_preinit, 100);
	free(from_preinit);
	return FAILED;
}
