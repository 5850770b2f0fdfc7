/* SPDX-License-Identifier: MIT */
/*
 * loader.c - keeps dl_iterate_phdr(3) and forks apart
 *
 * Never on the realtime path. Bound: LOADER_TRIES naps, and what libc's lock takes.
 */
#include "loader.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "child.h"
#include "proc.h"
#include "sys.h"

#define LOADER_TRIES  500
#define LOADER_NAP_NS 200000L

/* seq_cst, both: the second of two sees the first */
/* threads that are, or are about to look at forks */
CHILD_DATA static uint32_t loader_inside;
CHILD_DATA static uint32_t loader_forks; /* forks under way */

static void loader_nap(void)
{
	const struct timespec nap = {0, LOADER_NAP_NS};

	proc_mine(); /* in a copy, those who are waited for are not there */
	sys_call3(SYS_nanosleep, (long)&nap, 0, 0);
}

/* False: not now. */
static bool loader_enter(void)
{
	__atomic_fetch_add(&loader_inside, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&loader_forks, __ATOMIC_SEQ_CST) == 0)
		return true;
	__atomic_fetch_sub(&loader_inside, 1, __ATOMIC_SEQ_CST);
	return false;
}

int loader_each(int (*fn)(struct dl_phdr_info *, size_t, void *), void *arg)
{
	bool counted = false;
	int ret;

	for (int i = 0; i < LOADER_TRIES && !(counted = loader_enter()); i++)
		loader_nap();
	ret = dl_iterate_phdr(fn, arg);
	if (counted)
		__atomic_fetch_sub(&loader_inside, 1, __ATOMIC_SEQ_CST);
	return ret;
}

void loader_fork_prepare(void)
{
	__atomic_fetch_add(&loader_forks, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < LOADER_TRIES; i++) {
		if (__atomic_load_n(&loader_inside, __ATOMIC_SEQ_CST) == 0)
			return;
		loader_nap();
	}
}

void loader_fork_parent(void)
{
	__atomic_fetch_sub(&loader_forks, 1, __ATOMIC_SEQ_CST);
}

void loader_fork_child(void)
{
	CHILD_SET(loader_inside, 0);
	CHILD_SET(loader_forks, 0);
}
