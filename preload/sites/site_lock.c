// SPDX-License-Identifier: MIT
/*
 * site_lock.c - a futex of three states: 0 free, 1 held, 2 held and perhaps waited for
 *
 * Never on the realtime path.
 */
#include "site_lock.h"

#include <linux/futex.h>
#include <stdbool.h>

#include "os/child.h"
#include "os/proc.h"
#include "os/sys.h"

CHILD_DATA static uint32_t word;

void site_lock(void)
{
	uint32_t seen = 0;

	proc_mine(); /* in a copy, who holds it is not there */
	/* acquire: pairs with the release in site_unlock() */
	if (__atomic_compare_exchange_n(
		    &word, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&word, 2, __ATOMIC_ACQUIRE) != 0)
		sys_futex(&word, FUTEX_WAIT_PRIVATE, 2, 0);
}

void site_unlock(void)
{
	/* release: pairs with the acquires in site_lock() */
	if (__atomic_exchange_n(&word, 0, __ATOMIC_RELEASE) == 2)
		sys_futex(&word, FUTEX_WAKE_PRIVATE, 1, 0);
}

void site_lock_child(void)
{
	CHILD_SET(word, 0);
}
