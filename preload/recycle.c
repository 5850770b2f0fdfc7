/* SPDX-License-Identifier: MIT */
/*
 * recycle.c - a table of freed blocks with their time
 *
 * Blocks leave the table under the lock and are given back after it, so that nobody waits
 * for a system call of somebody else.
 */
#include "recycle.h"

#include <time.h>

#include "child.h"

CHILD_DATA static struct recycle *recycle_list; /* under recycle_lock */
CHILD_DATA static struct lock
	recycle_lock; /* held while the helper ages: not by realtime threads */

uint64_t recycle_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* the vDSO's: no system call */
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void recycle_register(struct recycle *r)
{
	uint32_t me = lock_tid();

	lock_acquire(&recycle_lock, me);
	r->next = recycle_list;
	recycle_list = r;
	lock_release(&recycle_lock, me);
}

void recycle_unregister(struct recycle *r)
{
	uint32_t me = lock_tid();

	lock_acquire(&recycle_lock, me);
	for (struct recycle **at = &recycle_list; *at; at = &(*at)->next) {
		if (*at == r) {
			*at = r->next;
			break;
		}
	}
	lock_release(&recycle_lock, me);
	recycle_age(r, true);
}

void *recycle_hit(struct recycle *r, size_t bytes)
{
	uint32_t me = lock_tid();
	void *block = NULL;
	int found = -1;

	if (!lock_enter(&r->lock, me))
		return NULL;
	for (int i = 0; i < RECYCLE_KEEP; i++)
		if (r->kept[i].block && r->kept[i].bytes == bytes &&
			(found < 0 || r->kept[i].since > r->kept[found].since))
			found = i;
	if (found >= 0) {
		block = r->kept[found].block;
		r->kept[found].block = NULL;
	}
	lock_release(&r->lock, me);
	/* relaxed: a figure */
	__atomic_fetch_add(block ? &r->hits : &r->misses, 1, __ATOMIC_RELAXED);
	return block;
}

bool recycle_keep(struct recycle *r, void *block, size_t bytes)
{
	uint32_t me = lock_tid();
	uint64_t now = recycle_now();
	bool kept = false;

	if (!lock_enter(&r->lock, me))
		return false;
	for (int i = 0; i < RECYCLE_KEEP && !kept && r->age; i++) {
		if (r->kept[i].block)
			continue;
		r->kept[i].block = block;
		r->kept[i].bytes = bytes;
		r->kept[i].since = now;
		kept = true;
	}
	lock_release(&r->lock, me);
	return kept;
}

/* Signed: a block may have been kept since `now` was asked. */
static bool recycle_old(const struct recycle *r, int i, uint64_t now)
{
	return (int64_t)(now - r->kept[i].since) >= (int64_t)r->age;
}

void recycle_age(struct recycle *r, bool all)
{
	struct {
		void *block;
		size_t bytes;
	} old[RECYCLE_KEEP];
	uint32_t me = lock_tid();
	uint64_t now = recycle_now();
	int n = 0;

	lock_acquire(&r->lock, me);
	for (int i = 0; i < RECYCLE_KEEP; i++) {
		if (!r->kept[i].block || (!all && !recycle_old(r, i, now)))
			continue;
		old[n].block = r->kept[i].block;
		old[n++].bytes = r->kept[i].bytes;
		r->kept[i].block = NULL;
	}
	lock_release(&r->lock, me);
	while (n-- > 0)
		r->give(old[n].block, old[n].bytes, r->arg);
}

void recycle_age_all(void)
{
	uint32_t me = lock_tid();

	if (!__atomic_load_n(&recycle_list, __ATOMIC_RELAXED)) /* the usual case */
		return;
	lock_acquire(&recycle_lock, me);
	for (struct recycle *r = recycle_list; r; r = r->next)
		recycle_age(r, false);
	lock_release(&recycle_lock, me);
}

void recycle_child(void)
{
	lock_child(&recycle_lock);
	for (struct recycle *r = recycle_list; r; r = r->next)
		lock_child(&r->lock);
}
