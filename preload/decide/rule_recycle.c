/* SPDX-License-Identifier: MIT */
/*
 * rule_recycle.c - see rule_recycle.h
 *
 * After a reload, a rule finds the table of the old rule with its name, with all blocks
 * that are kept there. Bound: the names of all policies that were in use.
 */
#include "rule_recycle.h"

#include <string.h>

#include "os/base.h"
#include "os/log.h"
#include "memory/area_block.h"

/* Relaxed, all flags: one block more or less that is locked does no harm. */
struct rule_kept {
	struct rule_kept *next;
	struct recycle table;
	bool wish;  /* the policy's: its blocks are to be locked */
	bool lock;  /* the same, until the limit did not allow one */
	bool locks; /* some may be locked */
	char rule[];
};

static void rule_give_big(void *block, size_t bytes, void *arg)
{
	struct rule_kept *k = arg;

	if (__atomic_load_n(&k->locks, __ATOMIC_RELAXED))
		area_block_let_go(block, bytes);
	je_free(block);
}

/* By the thread that found nothing kept: it would take the faults itself else. */
static void rule_fresh_big(void *block, size_t bytes, void *arg)
{
	struct rule_kept *k = arg;

	if (!__atomic_load_n(&k->lock, __ATOMIC_RELAXED) || area_block_hold(block, bytes))
		return;
	__atomic_store_n(&k->lock, false, __ATOMIC_RELAXED);
	log_post(
		"recycle: not all big blocks can be locked: see RLIMIT_MEMLOCK and librtpreload(7)");
}

static void rule_kept_follow(struct rule_kept *k, const struct policy_rule *r, bool lock)
{
	/* relaxed: a time that is compared with */
	__atomic_store_n(&k->table.age, r->recycle, __ATOMIC_RELAXED);
	if (lock == k->wish)
		return;
	k->wish = lock;
	if (lock)
		__atomic_store_n(&k->locks, true, __ATOMIC_RELAXED);
	__atomic_store_n(&k->lock, lock, __ATOMIC_RELAXED);
}

struct recycle *rule_recycle(const struct policy_rule *r, bool lock)
{
	static struct rule_kept *all;
	struct rule_kept *k = all;

	if (!r->recycle)
		return NULL;
	while (k && strcmp(k->rule, r->name) != 0)
		k = k->next;
	if (k) {
		rule_kept_follow(k, r, lock);
		return &k->table;
	}
	k = je_calloc(1, sizeof(*k) + strlen(r->name) + 1);
	if (!k)
		return NULL;
	strcpy(k->rule, r->name);
	k->table.give = rule_give_big;
	k->table.fresh = rule_fresh_big;
	k->table.arg = k;
	rule_kept_follow(k, r, lock);
	k->next = all;
	all = k;
	recycle_register(&k->table);
	return &k->table;
}
