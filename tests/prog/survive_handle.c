/* SPDX-License-Identifier: MIT */
/*
 * survive_handle.c - asks handles for libc's allocator, as language runtimes do: of libc
 * itself, and of an object that needs it. What one gives the other takes. RTLD_NEXT,
 * RTLD_DEFAULT and every other name answer as without the library.
 */
#include <dlfcn.h>

#include "victim.h"

typedef void *malloc_fn(size_t);
typedef void *realloc_fn(void *, size_t);
typedef int memalign_fn(void **, size_t, size_t);
typedef size_t usable_fn(void *);
typedef void free_fn(void *);
typedef char *strdup_fn(const char *);

static const char *object_of(void *fn)
{
	Dl_info info;
	const char *slash;

	if (!fn || !dladdr(fn, &info))
		return "nothing";
	slash = strrchr(info.dli_fname, '/');
	return slash ? slash + 1 : info.dli_fname;
}

static void both_ways(void *handle)
{
	malloc_fn *make = (malloc_fn *)dlsym(handle, "malloc");
	free_fn *give = (free_fn *)dlsym(handle, "free");
	realloc_fn *resize = (realloc_fn *)dlsym(handle, "realloc");
	usable_fn *usable = (usable_fn *)dlsym(handle, "malloc_usable_size");
	memalign_fn *align = (memalign_fn *)dlsym(handle, "posix_memalign");
	strdup_fn *copy = (strdup_fn *)dlsym(handle, "strdup");
	char *s;
	void *p;

	for (size_t size = 1; size < 300000; size = size * 3 + 1) {
		p = make(size);
		CHECK(usable(p) >= size);
		CHECK((p = realloc(p, size * 2)));
		free(p);
		CHECK((p = resize(malloc(size), size * 2)));
		give(p);
		CHECK(align(&p, 64, size) == 0 && (uintptr_t)p % 64 == 0);
		free(p);
	}
	give(strdup("of the program"));
	s = copy("of the handle");
	CHECK(strcmp(s, "of the handle") == 0);
	give(s);
}

int main(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY);
	void *libm = dlopen("libm.so.6", RTLD_LAZY);
	void *fresh = dlmopen(LM_ID_BASE, "libutil.so.1", RTLD_LAZY | RTLD_DEEPBIND);

	CHECK(libc && libm && fresh);
	both_ways(libc);
	both_ways(libm);
	both_ways(fresh);
	CHECK(dlvsym(libc, "free", "GLIBC_2.2.5") == dlsym(libc, "free"));
	CHECK(dlsym(RTLD_DEFAULT, "malloc") == (void *)malloc);
	CHECK(strcmp(object_of(dlsym(libc, "strlen")), "libc.so.6") == 0);
	CHECK(dlsym(libc, "no_such_name_at_all") == NULL && dlerror());
	/* the program's next is the first library that has it */
	printf("next %s\n", object_of(dlsym(RTLD_NEXT, "malloc")));
	printf("versioned next %s\n",
		object_of(dlvsym(RTLD_NEXT, "malloc", "GLIBC_2.2.5")));
	return FAILED;
}
