/* SPDX-License-Identifier: MIT */
/*
 * recycle.c - a table of freed blocks with their time
 *
 * A claimed place is as good as none: a thread that is stopped while it has claimed one
 * keeps one block from the others, and nobody waiting.
 */
#include "recycle.h"

#include <time.h>

#include "os/child.h"

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

/* ---- places ---- */

/* The thread that stores this value owns the place until it stores another one. */
#define RECYCLE_CLAIMED ((void *)1)

/* acquire: pairs with the release in recycle_set(); bytes and since are those of `block`
 */
static bool recycle_claim(struct recycle_place *k, void *block)
{
	return __atomic_compare_exchange_n(&k->block, &block, RECYCLE_CLAIMED, false,
		__ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* release: pairs with recycle_claim() */
static void recycle_set(struct recycle_place *k, void *block)
{
	__atomic_store_n(&k->block, block, __ATOMIC_RELEASE);
}

/* A hint until the place is claimed. seq_cst for recycle_stop() alone. */
static void *recycle_seen(const struct recycle_place *k)
{
	void *block = __atomic_load_n(&k->block, __ATOMIC_SEQ_CST);

	return block == RECYCLE_CLAIMED ? NULL : block;
}

static uint64_t recycle_since(const struct recycle_place *k)
{
	return __atomic_load_n(&k->since, __ATOMIC_RELAXED);
}

static size_t recycle_bytes(const struct recycle_place *k)
{
	return __atomic_load_n(&k->bytes, __ATOMIC_RELAXED);
}

/* The block there, which is the caller's now, if it still has this size. */
static void *recycle_take(struct recycle_place *k, size_t bytes)
{
	void *block = recycle_seen(k);

	if (!block || !recycle_claim(k, block))
		return NULL;
	if (recycle_bytes(k) == bytes) {
		recycle_set(k, NULL);
		return block;
	}
	recycle_set(k, block);
	return NULL;
}

/* ---- hit, keep ---- */

static struct recycle_place *recycle_newest(struct recycle *r, size_t bytes)
{
	struct recycle_place *found = NULL;

	for (int i = 0; i < RECYCLE_KEEP; i++) {
		struct recycle_place *k = &r->kept[i];

		if (recycle_seen(k) && recycle_bytes(k) == bytes &&
			(!found || recycle_since(k) > recycle_since(found)))
			found = k;
	}
	return found;
}

void *recycle_hit(struct recycle *r, size_t bytes)
{
	struct recycle_place *k;
	void *block = NULL;

	for (int i = 0; i < RECYCLE_TRIES && !block; i++) {
		k = recycle_newest(r, bytes);
		if (!k)
			break;
		block = recycle_take(k, bytes);
	}
	/* relaxed: a figure */
	__atomic_fetch_add(block ? &r->hits : &r->misses, 1, __ATOMIC_RELAXED);
	return block;
}

bool recycle_keep(struct recycle *r, void *block, size_t bytes)
{
	/* relaxed: a time that is compared with */
	if (!__atomic_load_n(&r->age, __ATOMIC_RELAXED))
		return false;
	for (int i = 0; i < RECYCLE_KEEP; i++) {
		struct recycle_place *k = &r->kept[i];

		/* relaxed: a hint */
		if (__atomic_load_n(&k->block, __ATOMIC_RELAXED) ||
			!recycle_claim(k, NULL))
			continue;
		__atomic_store_n(&k->bytes, bytes, __ATOMIC_RELAXED);
		__atomic_store_n(&k->since, recycle_now(), __ATOMIC_RELAXED);
		/* seq_cst, both: either this sees that nothing is kept any more, or
		 * recycle_stop() sees the block */
		__atomic_store_n(&k->block, block, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&r->age, __ATOMIC_SEQ_CST) ||
			!recycle_claim(k, block))
			return true;
		recycle_set(k, NULL);
		return false;
	}
	return false;
}

/* ---- what nobody wanted ---- */

/* Signed: a block may have been kept since `now` was asked. */
static bool recycle_old(
	const struct recycle *r, const struct recycle_place *k, uint64_t now)
{
	uint64_t age = __atomic_load_n(&r->age, __ATOMIC_RELAXED);

	return (int64_t)(now - recycle_since(k)) >= (int64_t)age;
}

void recycle_age(struct recycle *r, bool all)
{
	uint64_t now = recycle_now();

	for (int i = 0; i < RECYCLE_KEEP; i++) {
		struct recycle_place *k = &r->kept[i];
		void *block = recycle_seen(k);
		size_t bytes;

		if (!block || !(all || recycle_old(r, k, now)) ||
			!recycle_claim(k, block))
			continue;
		bytes = recycle_bytes(k);
		recycle_set(k, NULL);
		r->give(block, bytes, r->arg);
	}
}

void recycle_stop(struct recycle *r)
{
	/* seq_cst: pairs with recycle_keep() */
	__atomic_store_n(&r->age, 0, __ATOMIC_SEQ_CST);
	recycle_age(r, true);
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
}
