/* SPDX-License-Identifier: MIT */
/*
 * victim.h - what the small programs share that the library is tried on
 *
 * CHECK() goes on after a failure, so that one run shows them all; FAILED is the exit
 * code. where() asks the library whose block this is: without it, every block is
 * jemalloc's (glibc's), so that a victim can run bare as well.
 *
 * VICTIM_EXPECT=pool|base in the environment: what expect_here() demands of a new block,
 * so that a test that means a matched thread fails when the thread is none.
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RTM_WEAK
#include "media/RealtimeAlloc.h"

static int victim_failed;
#define FAILED __atomic_load_n(&victim_failed, __ATOMIC_RELAXED)

#define CHECK(expr)                                               \
	do {                                                      \
		if (!(expr))                                      \
			victim_report(__FILE__, __LINE__, #expr); \
	} while (0)

#define CHECK_EQ(a, b)                                                   \
	do {                                                             \
		long long a_ = (long long)(a), b_ = (long long)(b);      \
		if (a_ != b_) {                                          \
			victim_report(__FILE__, __LINE__, #a " == " #b); \
			dprintf(2, "  left %lld, right %lld\n", a_, b_); \
		}                                                        \
	} while (0)

static inline void victim_report(const char *file, int line, const char *expr)
{
	dprintf(2, "%s:%d: %s\n", file, line, expr);
	__atomic_store_n(&victim_failed, 1, __ATOMIC_RELAXED);
}

/* Does this block lie in a pool? */
static inline bool in_pool(void *p)
{
	return rtm_get_pool && rtm_get_pool(NULL, p) != NULL;
}

/* Where the calling thread's next block comes from: "pool" or "base". */
static inline const char *where(void)
{
	void *p = malloc(48);
	const char *w = in_pool(p) ? "pool" : "base";

	free(p);
	return w;
}

static inline void expect_here(void)
{
	const char *expect = getenv("VICTIM_EXPECT");

	if (expect && strcmp(expect, where())) {
		dprintf(2, "blocks come from %s, expected %s\n", where(), expect);
		__atomic_store_n(&victim_failed, 1, __ATOMIC_RELAXED);
	}
}

/* A value the compiler cannot know: keeps absurd sizes out of its warnings. */
static inline size_t opaque(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline void fill(void *p, size_t n, unsigned char seed)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)p)[i] = (unsigned char)(seed + i);
}

static inline bool filled(const void *p, size_t n, unsigned char seed)
{
	for (size_t i = 0; i < n; i++) {
		if (((const unsigned char *)p)[i] != (unsigned char)(seed + i))
			return false;
	}
	return true;
}

/* Runs fn in the main thread, then in a thread of its own. */
static inline void *victim_thread(void *fn)
{
	expect_here();
	((void (*)(void))fn)();
	return NULL;
}

static inline int in_both_threads(void (*fn)(void))
{
	pthread_t t;

	victim_thread((void *)fn);
	if (pthread_create(&t, NULL, victim_thread, (void *)fn) || pthread_join(t, NULL))
		CHECK(!"a thread can be made");
	return FAILED;
}

#endif
