/* SPDX-License-Identifier: MIT */
/*
 * mutex.c - see mutex.h
 */
#include "mutex.h"

#include <linux/futex.h>
#include <stdbool.h>

#include "proc.h"
#include "sys.h"

void mutex_acquire(struct mutex *m)
{
	uint32_t seen = 0;

	proc_mine(); /* in a copy of the process its holder is not there */
	/* acquire, both: pairs with the release in mutex_release() */
	if (__atomic_compare_exchange_n(
		    &m->word, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&m->word, 2, __ATOMIC_ACQUIRE) != 0)
		sys_futex(&m->word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL);
}

void mutex_release(struct mutex *m)
{
	/* release: pairs with the acquires in mutex_acquire() */
	if (__atomic_exchange_n(&m->word, 0, __ATOMIC_RELEASE) == 2)
		sys_futex(&m->word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
}
