/* SPDX-License-Identifier: MIT */
/*
 * misuse.h - what misuse_twice.c and misuse_where.c share
 *
 * PROGRAM CASE: one misuse of memory on a realtime thread per case; each has to end the
 * program with one line. Without an argument: prints the cases.
 *
 * The misuse happens in a thread "rt-1", which the test's policy matches; others() runs a
 * function in a thread no rule matches, peers() in one that is matched as well.
 */
#ifndef MISUSE_H
#define MISUSE_H

#include <malloc.h>

#include "victim.h"

enum { SMALL = 104, LARGE = 5000, HUGE = 200000 };

struct misuse {
	const char *name;
	void (*fn)(void);
};
#define CASE(fn)        \
	{               \
#fn, fn \
	}

static char *a, *b, *c; /* three blocks, one after the other where that matters */

static inline void in_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, arg) || pthread_join(t, NULL))
		_exit(3);
}

static inline void *named(void *fn)
{
	pthread_setname_np(pthread_self(), "rt-2");
	((void (*)(void))fn)();
	return NULL;
}

static inline void *unnamed(void *fn)
{
	/* a thread has its maker's name until it gets one */
	pthread_setname_np(pthread_self(), "other");
	((void (*)(void))fn)();
	return NULL;
}

static inline void *named_second(void *fn)
{
	pthread_setname_np(pthread_self(), "second");
	((void (*)(void))fn)();
	return NULL;
}

/* In a thread of another rule of the same pool. */
static inline void second_rule(void (*fn)(void))
{
	in_thread(named_second, (void *)fn);
}

static inline void peers(void (*fn)(void))
{
	in_thread(named, (void *)fn);
}

static inline void others(void (*fn)(void))
{
	in_thread(unnamed, (void *)fn);
}

static inline char *get(size_t n)
{
	char *p = malloc(n);

	if (!in_pool(p))
		_exit(4);
	return memset(p, 'x', n);
}

static inline void three(size_t n)
{
	a = get(n);
	b = get(n);
	c = get(n);
	get(n);
}

static inline void free_a(void)
{
	free(a);
}

static inline void get_a(void)
{
	a = get(SMALL);
}

static inline void get_and_free_a(void)
{
	get_a();
	free(a);
}

static inline void *victim(void *fn)
{
	pthread_setname_np(pthread_self(), "rt-1");
	((void (*)(void))fn)();
	/* the helper has had its turn */
	usleep(300000);
	_exit(0);
}

static inline int misuse_main(
	int argc, char **argv, const struct misuse *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (argc == 1)
			puts(cases[i].name);
		else if (!strcmp(argv[1], cases[i].name))
			in_thread(victim, (void *)cases[i].fn);
	}
	return argc == 1 ? 0 : 2;
}

#endif
