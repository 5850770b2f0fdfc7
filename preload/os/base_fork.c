/* SPDX-License-Identifier: MIT */
/*
 * base_fork.c - jemalloc's locks around a fork
 *
 * jemalloc's handlers take all its locks before a fork. When a signal handler forks while
 * its thread is inside jemalloc, that never ends: the thread waits for itself, or for our
 * helper, which waits for the thread. In a program of one thread such a lock is left as
 * it is. The thread releases it later, in both processes.
 *
 * Never on the realtime path. Bound: BASE_WAITS looks at each lock, BASE_SKIPPED locks.
 */
#include "base.h"

#include <time.h>

#include "child.h"
#include "lock.h"
#include "sys.h"

#define BASE_SKIPPED 16
#define BASE_WAITS   400 /* 50 microseconds each: the helper may just be at work */

/* The thread that forks, where the program has no other; 0: none. Atomic, relaxed: it is
 * compared with the caller's own number. The rest is that thread's. */
CHILD_DATA static uint32_t base_alone;
CHILD_DATA static unsigned base_skips;
static const void *base_skipped[BASE_SKIPPED];

void base_fork_alone(bool alone)
{
	__atomic_store_n(&base_alone, alone ? lock_tid() : 0, __ATOMIC_RELAXED);
	CHILD_SET(base_skips, 0);
}

bool base_fork_is_alone(void)
{
	uint32_t tid = __atomic_load_n(&base_alone, __ATOMIC_RELAXED);

	return __builtin_expect(tid != 0, 0) && tid == lock_tid();
}

bool base_fork_leaves(const void *lock, unsigned tries)
{
	const struct timespec moment = {0, 50000};

	if (tries < BASE_WAITS || base_skips == BASE_SKIPPED) {
		sys_call3(SYS_nanosleep, (long)&moment, 0, 0);
		return false;
	}
	base_skipped[base_skips++] = lock;
	return true;
}

bool base_fork_left(const void *lock)
{
	for (unsigned i = 0; i < base_skips; i++) {
		if (base_skipped[i] == lock) {
			base_skipped[i] = base_skipped[--base_skips];
			return true;
		}
	}
	return false;
}
