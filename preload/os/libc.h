/* SPDX-License-Identifier: MIT */
/*
 * libc.h - libc's own functions, also behind libraries that have the same names
 *
 * A preloaded library, the program itself or a tracer may define any name of libc's, and
 * the loader would bind us to theirs: code that allocates, waits for a clock it is just
 * setting up, or keeps descriptors that our helper does not have. So what we need of libc
 * is looked up in its own symbol table. No lock, no memory, no system call; works as soon
 * as this object is relocated, before any constructor.
 */
#ifndef LIBC_H
#define LIBC_H

#include <link.h>
#include <stdbool.h>

/* What libc.so.6 calls `name` by default, resolved where it is an IFUNC; NULL: nothing.
 */
void *libc_find(const char *name);

/* The same; without one the program ends with a line: only for names libc always had. */
void *libc_function(const char *name);

/* Is `at` inside of libc? */
bool libc_holds(const void *at);

/* A function of the type that the headers give it, looked up once; racing look-ups find
 * the same. */
#define LIBC(name)                                                                 \
	({                                                                         \
		static __typeof__(&name) libc_;                                    \
		__typeof__(&name) fn_ = __atomic_load_n(&libc_, __ATOMIC_RELAXED); \
		if (__builtin_expect(!fn_, 0)) {                                   \
			fn_ = (__typeof__(&name))libc_function(#name);             \
			__atomic_store_n(&libc_, fn_, __ATOMIC_RELAXED);           \
		}                                                                  \
		fn_;                                                               \
	})

#endif
