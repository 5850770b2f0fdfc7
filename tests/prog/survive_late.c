/* SPDX-License-Identifier: MIT */
/* survive_late.c - malloc and free in atexit handlers, in destructors of the program and
 * of a library opened by it, while a detached thread goes on allocating */
#include <dlfcn.h>

#include "victim.h"

static char *kept;

static void churn(void)
{
	for (size_t n = 1; n < 300000; n = n * 3 + 1) {
		char *p = malloc(n);

		memset(p, 1, n);
		p = realloc(p, n * 2);
		free(p);
	}
}

static void *forever(void *arg)
{
	for (;;)
		churn();
	return arg;
}

static void at_exit(void)
{
	free(kept);
	kept = malloc(500);
	churn();
	dprintf(1, "atexit\n");
}

__attribute__((destructor)) static void destructor(void)
{
	free(kept);
	churn();
	dprintf(1, "destructor\n");
}

int main(int argc, char **argv)
{
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	char *(*block)(void) = lib ? (char *(*)(void))dlsym(lib, "ctor_block") : NULL;
	pthread_t t;

	CHECK(block && !strcmp(block(), "made in a constructor"));
	kept = malloc(100);
	atexit(at_exit);
	pthread_create(&t, NULL, forever, NULL);
	pthread_detach(t);
	usleep(10000);
	return FAILED;
}
