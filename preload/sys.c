/* SPDX-License-Identifier: MIT */
/*
 * sys.c - what the program's system call filter leaves us
 *
 * A filter may end the program for a call it would never have made without us, and cannot
 * be asked. Who installs one is seen by the entry points. A filter holds in the thread
 * that installs it and in those it creates, or, with TSYNC, in all.
 */
#include "sys.h"

enum { FREE, THREADS, EVERYBODY };

static uint32_t filtered = FREE; /* only grows */
static __attribute__((tls_model("initial-exec"))) __thread bool born_free;

void sys_restrict(bool every_thread)
{
	uint32_t now = every_thread ? EVERYBODY : THREADS;

	/* relaxed: a lone word; it is set before the program goes on, in its thread */
	if (__atomic_load_n(&filtered, __ATOMIC_RELAXED) < now)
		__atomic_store_n(&filtered, now, __ATOMIC_RELAXED);
}

void sys_mark_own_thread(void)
{
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
