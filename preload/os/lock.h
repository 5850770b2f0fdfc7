/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a priority-inheriting lock of one word, taken without a system call when it is
 * free
 *
 * States of the word (the kernel's PI futex protocol): 0 free; TID held, nobody waits;
 * TID | FUTEX_WAITERS held, the kernel has waiters and hands it over at unlock.
 * Realtime threads try lock_try() first and have something else to do when it fails;
 * lock_acquire() is the last resort and boosts the holder. Held for a bounded number of
 * instructions only: no system call, no page touched for the first time, no callback.
 *
 * The tid is the caller's: from its slot, never from a system call.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "child.h"

struct lock {
	uint32_t word;
};

/* System calls that the calling thread made for a lock; only differences mean something.
 */
extern __attribute__((tls_model("initial-exec"))) __thread uint32_t lock_system_calls;

/* The kernel's side of a contended lock; any error is treated as "try again". */
void lock_acquire_slow(struct lock *l, uint32_t tid);
void lock_release_slow(struct lock *l);

static inline bool lock_try(struct lock *l, uint32_t tid)
{
	uint32_t free_word = 0;

	/* acquire: pairs with the release in lock_release() and with the kernel's
	 * hand-over */
	return __atomic_compare_exchange_n(
		&l->word, &free_word, tid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_acquire(struct lock *l, uint32_t tid)
{
	if (__builtin_expect(!lock_try(l, tid), 0))
		lock_acquire_slow(l, tid);
}

/*
 * The same for what a signal handler may want of the thread that it interrupted: false
 * where that one is inside. The handler then does without.
 */
bool lock_enter_slow(struct lock *l, uint32_t tid);

static inline bool lock_enter(struct lock *l, uint32_t tid)
{
	return __builtin_expect(lock_try(l, tid), 1) || lock_enter_slow(l, tid);
}

/* For a thread nobody waits for, the helper: it stands aside until the lock is free, so
 * that the holder needs no system call to let it go. Bound: none. */
void lock_acquire_patient(struct lock *l, uint32_t tid);

static inline void lock_release(struct lock *l, uint32_t tid)
{
	uint32_t nobody = 0;

	/* made here, not kept in a register since lock_try(): that costs more */
	__asm__("" : "+r"(nobody));
	/* release: pairs with the acquire in lock_try() */
	if (__builtin_expect(!__atomic_compare_exchange_n(&l->word, &tid, nobody, false,
				     __ATOMIC_RELEASE, __ATOMIC_RELAXED),
		    0))
		lock_release_slow(l);
}

/* In the child of a fork the holder does not exist. */
static inline void lock_child(struct lock *l)
{
	CHILD_SET(l->word, 0);
}

/* Tid of the calling thread: kept in initial-exec TLS, asked of the kernel once. */
uint32_t lock_tid(void);
/* In the child of a fork the kept tid is another thread's: ask again. */
void lock_tid_forget(void);

#endif
