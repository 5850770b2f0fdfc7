/* SPDX-License-Identifier: MIT */
/*
 * site_ask.h - for unit/site*.c: the program's own malloc asks which rules hold
 *
 * While a test is asking, so that libc's and libstdc++'s wrappers are between the asker
 * and the caller, as in the library.
 */
#ifndef SITE_ASK_H
#define SITE_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sites/site.h"
#include "site_here.h"

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER()	 __asm__ volatile("" ::: "memory")

static int failures;
static uint64_t want, answer;
static __thread bool asking;

#define CHECK(cond) check((cond), #cond, __LINE__)
static void check(bool ok, const char *what, int line)
{
	if (!ok) {
		printf("%s:%d: %s (answer %lx)\n", __BASE_FILE__, line, what,
			(unsigned long)answer);
		failures++;
	}
}

void *__libc_malloc(size_t size);
__attribute__((visibility("default"), noinline)) void *malloc(size_t size)
{
	SITE_FRAME(caller);

	if (asking) {
		asking = false;
		answer = site_match(&caller, want);
	}
	return __libc_malloc(size);
}

static inline void ask(void (*fn)(void))
{
	answer = ~0ull;
	asking = true;
	fn();
	AFTER();
}

#endif
