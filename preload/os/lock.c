/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the contended side of lock.h: the kernel boosts the holder and hands over
 *
 * Never touches errno. Bound: one system call, unless the kernel says "again".
 */
#include "lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "sys.h"

#define LOCK_SPIN 16

static __thread uint32_t lock_own_tid __attribute__((tls_model("initial-exec")));
__thread uint32_t lock_system_calls;

uint32_t lock_tid(void)
{
	if (__builtin_expect(!lock_own_tid, 0))
		lock_own_tid = (uint32_t)sys_gettid();
	return lock_own_tid;
}

void lock_tid_forget(void)
{
	lock_own_tid = 0;
}

/*
 * A word left by a thread that died inside (it was killed with its process half gone).
 * `seen` is the word from before the call of the kernel: a thread that took the lock
 * since is alive.
 */
static bool lock_take_over(struct lock *l, uint32_t seen, uint32_t tid)
{
	/* acquire: as in lock_try() */
	return __atomic_compare_exchange_n(
		&l->word, &seen, tid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/*
 * The holder is in the middle of some hundred instructions: if it runs at all it is gone
 * before the kernel could be asked. Bound: LOCK_SPIN looks of 40 to 140 cycles each.
 */
static bool lock_spin(struct lock *l, uint32_t tid)
{
	for (int i = 0; i < LOCK_SPIN; i++) {
		if (__atomic_load_n(&l->word, __ATOMIC_RELAXED) == 0 && lock_try(l, tid))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

/*
 * There is no futex that inherits priority. The caller sleeps, so that a holder of any
 * class may run. A sandbox may even end the program for such a futex (Chromium's
 * does), and the holder for handing it over: nobody asks the kernel, and the holder finds
 * no waiter.
 */
static void lock_acquire_asleep(struct lock *l, uint32_t tid)
{
	const struct timespec moment = {0, 20000};

	while (!lock_try(l, tid)) {
		lock_system_calls++;
		if (sys_is_error(sys_call3(SYS_nanosleep, (long)&moment, 0, 0)))
			sys_call3(SYS_sched_yield, 0, 0, 0);
	}
}

void lock_acquire_slow(struct lock *l, uint32_t tid)
{
	if (lock_spin(l, tid))
		return;
	if (sys_filtered()) {
		lock_acquire_asleep(l, tid);
		return;
	}
	for (;;) {
		uint32_t seen;
		int ret;

		if (lock_try(l, tid))
			return;
		seen = __atomic_load_n(&l->word, __ATOMIC_RELAXED);
		lock_system_calls++;
		ret = sys_futex(&l->word, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL);
		if (ret == -ESRCH && (seen & FUTEX_TID_MASK) &&
			lock_take_over(l, seen, tid))
			return;
		/* acquire: the kernel wrote our tid; pairs with lock_release_slow() */
		if ((__atomic_load_n(&l->word, __ATOMIC_ACQUIRE) & FUTEX_TID_MASK) == tid)
			return;
		if (ret < 0 && ret != -EAGAIN && ret != -EINTR && ret != -ESRCH) {
			lock_acquire_asleep(l, tid); /* not here, or refused */
			return;
		}
	}
}

bool lock_enter_slow(struct lock *l, uint32_t tid)
{
	/* relaxed: nobody else writes this thread's number */
	if ((__atomic_load_n(&l->word, __ATOMIC_RELAXED) & FUTEX_TID_MASK) == tid)
		return false;
	lock_acquire_slow(l, tid);
	return true;
}

void lock_release_slow(struct lock *l)
{
	/* release: what was done under the lock, before the kernel hands it over */
	__atomic_fetch_or(&l->word, 0, __ATOMIC_RELEASE);
	lock_system_calls++;
	if (sys_futex(&l->word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL) < 0)
		__atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
}

/* It sleeps: where the caller is of a realtime class and the holder is not, standing
 * aside lets nobody run. */
void lock_acquire_patient(struct lock *l, uint32_t tid)
{
	const struct timespec moment = {0, 300000};

	while (!lock_try(l, tid))
		sys_call3(SYS_nanosleep, (long)&moment, 0, 0);
}
