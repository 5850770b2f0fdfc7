/* SPDX-License-Identifier: MIT */
/*
 * next.c - libc's functions behind our names
 */
#include "next.h"

#include <dlfcn.h>

#include "libc.h"
#include "log.h"

void *next_function(const char *name)
{
	void *fn = LIBC(dlsym)(RTLD_NEXT, name);

	if (!fn)
		log_misuse("cannot find %s behind this library", name);
	return fn;
}

typedef int next_create_fn(
	pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int next_pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	return NEXT(next_create_fn, "pthread_create")(t, attr, fn, arg);
}
