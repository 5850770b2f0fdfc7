/* SPDX-License-Identifier: MIT */
/* thread_sites.c LIBRARY - prints where blocks made by functions of LIBRARY and by this
 * program come from, one line each */
#include <dlfcn.h>

#include "victim.h"

typedef void *make_fn(size_t);

static void *library;

static void say(const char *what, void *p)
{
	printf("%s %s\n", what, in_pool(p) ? "pool" : "base");
	free(p);
}

static void check(const char *name)
{
	make_fn *make = (make_fn *)dlsym(library, name);

	/* twice: a site is decided once and remembered */
	CHECK(in_pool(make(100)) == in_pool(make(100)));
	say(name, make(100));
}

int main(int argc, char **argv)
{
	void *(*resized)(void *, size_t);
	void *(*wrapped)(const char *);

	library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW);
	if (!library)
		return 2;
	resized = (void *(*)(void *, size_t))dlsym(library, "caller_resized");
	wrapped = (void *(*)(const char *))dlsym(library, "caller_wrapped");
	check("caller_named");
	check("caller_other");
	check("caller_zeroed");
	check("caller_of_static");
	say("caller_resized", resized(NULL, 100));
	say("caller_wrapped", wrapped("some text"));
	say("main", malloc(100));
	return FAILED;
}
