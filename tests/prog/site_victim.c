// SPDX-License-Identifier: MIT
/*
 * site_victim.c - allocates from named functions and says which blocks came from a pool
 */
/* libs: -ldl */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))
#define AFTER()	 __asm__ volatile("" ::: "memory")

static void *(*pool_of)(void *head, const void *block);

NOINLINE static void *hot(void)
{
	void *p = malloc(100);

	AFTER();
	return p;
}
NOINLINE static void *cold(void)
{
	void *p = malloc(100);

	AFTER();
	return p;
}
NOINLINE static void *copied(void)
{
	void *p = strdup("text");

	AFTER();
	return p;
}
NOINLINE static void *above(void)
{
	void *p = cold();

	AFTER();
	return p;
}
NOINLINE static void *grown(void)
{
	void *p = realloc(NULL, 10);

	AFTER();
	return p;
}
NOINLINE static void *aligned(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, 100))
		abort();
	AFTER();
	return p;
}

static void say(const char *who, void *p)
{
	printf("%s %s\n", who, pool_of && pool_of(NULL, p) ? "pool" : "plain");
	free(p);
}

static void *thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		say("hot", hot());
		say("cold", cold());
		say("copied", copied());
		say("above", above());
		say("grown", grown());
		say("aligned", aligned());
	}
	return NULL;
}

int main(void)
{
	pthread_t t;

	*(void **)&pool_of = dlsym(RTLD_DEFAULT, "rtm_get_pool");
	thread(NULL);
	if (pthread_create(&t, NULL, thread, NULL))
		return 1;
	pthread_join(t, NULL);
	return 0;
}
