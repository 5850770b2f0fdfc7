/* SPDX-License-Identifier: MIT */
/*
 * sys.c - the system calls that are left under a filter of the program
 *
 * A filter may end the program for a call that it would never have made without us, and a
 * filter cannot be asked. The entry points see when the program installs one. A filter
 * holds in the thread that installs it and in those it creates, or, with TSYNC, in all.
 */
#include "sys.h"

#include <limits.h>
#include <time.h>

#include "child.h"
#include "proc.h"

enum { FREE, THREADS, EVERYBODY };

static uint32_t filtered = FREE; /* only grows */
static __attribute__((tls_model("initial-exec"))) __thread bool born_free, own_thread;

void sys_restrict(bool every_thread)
{
	uint32_t now = every_thread ? EVERYBODY : THREADS;

	/* relaxed: a lone word; it is set before the program goes on, in its thread */
	if (__atomic_load_n(&filtered, __ATOMIC_RELAXED) < now)
		__atomic_store_n(&filtered, now, __ATOMIC_RELAXED);
}

void sys_mark_own_thread(void)
{
	own_thread = true;
	born_free = __atomic_load_n(&filtered, __ATOMIC_RELAXED) == FREE; /* as above */
}

bool sys_filtered(void)
{
	return __atomic_load_n(&filtered, __ATOMIC_RELAXED) != FREE; /* as above */
}

bool sys_restricted(void)
{
	uint32_t now = __atomic_load_n(&filtered, __ATOMIC_RELAXED); /* as above */

	return now == EVERYBODY || (now == THREADS && !born_free);
}

/* ---- while a filter is put up ---- */

/* Each side says its own and looks at the other's: seq_cst, all four. */
CHILD_DATA static uint32_t busy, held;
static __attribute__((tls_model("initial-exec"))) __thread unsigned char depth;

static void wait_a_moment(void)
{
	const struct timespec moment = {0, 50000};

	proc_mine(); /* in a copy, those who were there are not */
	sys_call3(SYS_nanosleep, (long)&moment, 0, 0);
}

void sys_breathe(void)
{
	/* a shorter one is over before the kernel has put the thread to sleep, and does
	 * not count as one (RLIMIT_RTTIME) */
	if (own_thread)
		wait_a_moment();
}

bool sys_try_optional(void)
{
	if (depth++)
		return true;
	__atomic_fetch_add(&busy, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&held, __ATOMIC_SEQ_CST))
		return true;
	sys_end_optional();
	return false;
}

void sys_begin_optional(void)
{
	while (!sys_try_optional())
		wait_a_moment();
}

void sys_end_optional(void)
{
	/* release: what was called; pairs with the load in sys_hold_optional() */
	if (!--depth)
		__atomic_fetch_sub(&busy, 1, __ATOMIC_RELEASE);
}

bool sys_try_hold_optional(unsigned long moments)
{
	__atomic_fetch_add(&held, 1, __ATOMIC_SEQ_CST);
	/* this thread may be there itself: a signal handler's filter or fork */
	while (__atomic_load_n(&busy, __ATOMIC_SEQ_CST) > (depth ? 1 : 0)) {
		if (!moments--) {
			sys_go_on();
			return false;
		}
		wait_a_moment();
	}
	return true;
}

void sys_hold_optional(void)
{
	sys_try_hold_optional(ULONG_MAX);
}

void sys_go_on(void)
{
	/* release: what is known of the filter; pairs with sys_begin_optional() */
	__atomic_fetch_sub(&held, 1, __ATOMIC_RELEASE);
}

void sys_child(void)
{
	CHILD_SET(held, 0);
	CHILD_SET(busy, depth ? 1u : 0u);
}
