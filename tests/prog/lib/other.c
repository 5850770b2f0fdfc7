/* SPDX-License-Identifier: MIT */
/* libs: -ldl */
/* other.c - another preloaded library: counts malloc, wraps pthread_create, passes both
 * on */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long count;

void *malloc(size_t size)
{
	static void *(*next)(size_t);

	if (!next)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
	return next(size);
}

int pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	typedef int create(
		pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	create *next = (create *)dlsym(RTLD_NEXT, "pthread_create");

	return next(t, attr, fn, arg);
}

__attribute__((destructor)) static void end(void)
{
	if (count == 0 && getenv("OTHER_IS_FIRST"))
		abort();
}
