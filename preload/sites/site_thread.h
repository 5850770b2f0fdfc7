/* SPDX-License-Identifier: MIT */
/*
 * site_thread.h - a thread's stack bounds and the walks it has made
 *
 * TLS holds 32 bytes. A thread's WALKS are made and touched off the realtime path
 * (site_walks_make) for every thread whose route asks for call sites, and belong to its
 * slot. A thread without them walks each time, with the same answers.
 *
 * An entry is verified by comparing every word and register its walk depended on. The
 * words' addresses are absolute and on the thread's own stack, so that reading them is
 * safe for every entry. A signal handler of the same thread may replace an
 * entry while it is being read; its caller's stack pointer is another one than ours for
 * as long as ours is live, so a reader that compares cfa last has read one entry only.
 */
#ifndef SITE_THREAD_H
#define SITE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITE_WORDS  26u /* stack words one remembered walk may depend on */
#define SITE_WALKED 64u /* remembered walks of a thread; a power of two */

enum { SITE_USES_RBP = 1, SITE_USES_RBX = 2 };

struct slot; /* the asking thread's; nothing here looks into it */
struct site_walked;
/* What malloc does at a stack that was seen before … */
typedef void *site_then_fn(size_t size, struct slot *s);
/* … and what makes sure that it is that stack. */
typedef void *site_check_fn(
	size_t size, struct slot *s, const struct site_walked *e, uintptr_t cfa);

struct site_word {
	const uintptr_t *at;
	uintptr_t word;
};

/* One walk: what it depended on, and its answer. The first three lines are all that a hit
 * of depth 8 reads. 512 bytes. */
struct site_walked {
	_Alignas(64) uintptr_t quick; /* ret when check and then are set, else 0 */
	uint64_t generation;	      /* 0: empty */
	site_check_fn *check;
	site_then_fn *then;
	uintptr_t cfa;
	struct site_word word[SITE_WORDS];
	uint32_t n;
	uint32_t uses; /* SITE_USES_* */
	uintptr_t ret, rbp, rbx;
	uint64_t want, holds;
};

_Static_assert(sizeof(struct site_walked) == 512, "site_walked_at() shifts by 9");

struct site_thread {
	uintptr_t lo, hi;	   /* the stack; 0: nobody announced it */
	struct site_walked *walks; /* its slot's; NULL: none */
	uint32_t busy;		   /* a signal handler leaves the walks alone meanwhile */
};

extern __attribute__((tls_model("initial-exec"))) __thread struct site_thread site_self;

/* The place of a stack among a thread's walks: (cfa + 8 ret) / 16 modulo their number. */
static inline struct site_walked *site_walked_at(
	struct site_walked *walks, uintptr_t ret, uintptr_t cfa)
{
	return (struct site_walked *)(void *)((char *)walks +
					      (((cfa + 8 * ret) << 5) &
						      ((SITE_WALKED - 1) << 9)));
}

/* Is nobody below us on this stack using the walks? */
static inline bool site_thread_enter(struct site_thread *t)
{
	if (!t->walks || t->busy)
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

/* Realtime: yes. As site_match(); *e: the entry that remembers the answer, or NULL. */
uint64_t site_match_walked(
	const struct site_frame *f, uint64_t want, struct site_walked **e);
/* Realtime: yes. From now on a stack that e's check finds to be f's does `then`. */
void site_walked_quick(struct site_walked *e, const struct site_frame *f,
	site_check_fn *check, site_then_fn *then);

/* Off the realtime path, any thread: memory for a thread's walks, unless *walks has some
 * or there is none left. It is never given back: slots are reused. */
void site_walks_make(struct site_walked **walks);
/* Realtime: yes. The calling thread's walks from now on, forgotten first; or NULL. */
void site_thread_walks(struct site_walked *walks);

/* Off the realtime path: the stack of a thread that has not ended, [lo, *hi); 0: not
 * known. */
uintptr_t site_thread_find(pthread_t thread, uint32_t tid, uintptr_t *hi);

/* In the child of a fork: nobody holds the lock of site_walks_make(). */
void site_thread_child(void);

#endif
