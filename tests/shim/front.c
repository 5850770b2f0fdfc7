/* SPDX-License-Identifier: MIT */
/*
 * front.c - a preloaded library with every name that the library under test means as
 * libc's: each passes its call on, and says on standard error when it came from the
 * library itself, or from anybody on its helper thread
 *
 * The names are FRONT(name) lines of front.def, made from the list the library is linked
 * with. Not dlsym, which answers by who calls it. FRONT_BEHIND in the environment: it
 * stands behind the library, which passes the program's calls on to it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

typedef long any_fn(long, long, long, long, long, long, long, long);

static long raw(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

static unsigned long length(const char *s)
{
	unsigned long n = 0;

	while (s[n])
		n++;
	return n;
}

static int has(const char *s, const char *part)
{
	unsigned long n = length(part), i;

	for (; *s; s++) {
		for (i = 0; i < n && s[i] == part[i]; i++)
			;
		if (i == n)
			return 1;
	}
	return 0;
}

static int on_helper(void)
{
	char name[16] = "";

	raw(SYS_prctl, PR_GET_NAME, (long)name, 0);
	return has(name, "rtmem-helper");
}

static int from_library(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname &&
	       has(info.dli_fname, "librtpreload");
}

static void say(const char *name, const char *where)
{
	char line[128];
	unsigned long n = 0;

	for (const char *s = "front: "; *s; s++)
		line[n++] = *s;
	for (; *name && n < 60; name++)
		line[n++] = *name;
	for (; *where && n < 120; where++)
		line[n++] = *where;
	line[n++] = '\n';
	raw(SYS_write, 2, (long)line, (long)n);
}

extern char **environ;

static int behind(void)
{
	for (char **e = environ; e && *e; e++)
		if (has(*e, "FRONT_BEHIND="))
			return 1;
	return 0;
}

static void look(const char *name, const void *caller, long a)
{
	static __thread int looking;

	/* libc frees what a thread never had when it ends */
	if (looking || (!a && name[0] == 'f' && has(name, "free")))
		return;
	looking = 1;
	if (on_helper())
		say(name, " on the helper");
	else if (from_library(caller) && !behind())
		say(name, " from the library");
	looking = 0;
}

#define FRONT(name)                                                                \
	long front_##name(long, long, long, long, long, long, long, long) __asm__( \
		#name);                                                            \
	long front_##name(                                                         \
		long a, long b, long c, long d, long e, long f, long g, long h)    \
	{                                                                          \
		static any_fn *real;                                               \
                                                                                   \
		look(#name, __builtin_return_address(0), a);                       \
		if (!real)                                                         \
			real = (any_fn *)dlsym(RTLD_NEXT, #name);                  \
		return real(a, b, c, d, e, f, g, h);                               \
	}
#include "front.def"
