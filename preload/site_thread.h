/* SPDX-License-Identifier: MIT */
/*
 * site_thread.h - a thread's stack bounds and the walks it has made
 *
 * TLS holds 32 bytes. The caches themselves are few, made and touched off the realtime
 * path (site_thread_stock), and handed out by one atomic operation to the first threads
 * that walk; the others walk each time, with the same answers.
 */
#ifndef SITE_THREAD_H
#define SITE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#define SITE_WORDS  26u /* stack words one remembered walk may depend on */
#define SITE_WALKED 64u /* remembered walks of a thread; a power of two */

enum { SITE_USES_RBP = 1, SITE_USES_RBX = 2 };

/* One walk: what it depended on, and its answer. 384 bytes. */
struct site_walked {
	uintptr_t ret, cfa, rbp, rbx, from;
	uint64_t generation; /* 0: empty */
	uint64_t want, holds;
	uint32_t uses; /* SITE_USES_* */
	uint32_t n;
	uintptr_t word[SITE_WORDS];
	uint32_t offset[SITE_WORDS]; /* of word[i] from cfa, bytes */
};

struct site_thread {
	uintptr_t lo, hi; /* the stack; 0: nobody announced it */
	struct site_walked *cache;
	uint32_t busy; /* a signal handler leaves the cache alone meanwhile */
};

extern __attribute__((tls_model("initial-exec"))) __thread struct site_thread site_self;

/* Realtime: yes. A cache from the stock, or NULL. */
struct site_walked *site_thread_take(void);

/* Is there a cache, and is nobody below us on this stack using it? */
static inline bool site_thread_enter(struct site_thread *t)
{
	if (t->busy)
		return false;
	if (__builtin_expect(!t->cache, 0) && !(t->cache = site_thread_take()))
		return false;
	t->busy = 1;
	/* only against a signal handler of this thread */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void site_thread_leave(struct site_thread *t)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->busy = 0;
}

/* Off the realtime path: make the stock, once. */
void site_thread_stock(void);

#endif
