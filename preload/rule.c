/* SPDX-License-Identifier: MIT */
/*
 * rule.c - from the policy's pools and rules to pools that exist and routes threads
 * follow
 *
 * Never on the realtime path: runs in interposed calls that change a thread, or in the
 * helper.
 */
#include "rule.h"

#include <sched.h>
#include <string.h>

#include "area_block.h"
#include "log.h"
#include "pools.h"
#include "recycle.h"

static const struct policy *rule_policy;
static const struct match_process *rule_process;
static struct route *rule_routes;

/* Per pool of the policy: what became of it. */
struct rule_made {
	struct pool *pool;
	bool tried;
	bool advised; /* said once, also for children of a fork */
};
static struct rule_made *rule_pools;

static unsigned rule_area_flags(const struct policy_pool *pp)
{
	unsigned flags = 0;

	if (pp->lock != POLICY_LOCK_NO)
		flags |= AREA_LOCK;
	if (pp->lock == POLICY_LOCK_REQUIRE)
		flags |= AREA_REQUIRE;
	if (pp->hugepages == POLICY_HUGE_TRY)
		flags |= AREA_HUGE;
	if (pp->fork == POLICY_FORK_AUTO)
		flags |= AREA_PIN;
	return flags;
}

static struct pool *rule_make_pool(const struct policy_pool *pp, bool *advised)
{
	struct pool_attr attr = {
		.name = pp->name,
		.size = pp->size,
		.max = pp->max,
		.area_flags = rule_area_flags(pp),
		.when_full = pp->when_full == POLICY_FULL_FAIL ? POOL_FULL_FAIL
							       : POOL_FULL_BASE,
	};
	int error = 0;
	struct pool *p = pools_create(&attr, &error);

	if (!p) {
		area_refused_advice(
			pp->size, pp->lock == POLICY_LOCK_REQUIRE, -error, pp->name);
		return NULL;
	}
	if (pp->lock != POLICY_LOCK_NO && p->area.locked < p->area.committed &&
		!*advised) {
		*advised = true;
		area_lock_advice(&p->area, pp->name);
	}
	return p;
}

/* The last rule of this program that names the pool. */
static const char *rule_naming(int pool)
{
	for (int i = rule_process->nrule; i-- > 0;) {
		if (rule_process->rule[i]->pool == pool)
			return rule_process->rule[i]->name;
	}
	return "";
}

static struct lock rule_lock; /* whoever makes a pool; never taken by malloc */

static void rule_make_one(int i)
{
	struct rule_made *m = &rule_pools[i];
	uint32_t me = lock_tid();

	lock_acquire(&rule_lock, me);
	if (!m->tried) {
		m->pool = rule_make_pool(&rule_policy->pool[i], &m->advised);
		if (m->pool)
			m->pool->rule = rule_naming(i);
		/* release: the pool before the flag; pairs with rule_tried() */
		__atomic_store_n(&m->tried, true, __ATOMIC_RELEASE);
	}
	lock_release(&rule_lock, me);
}

static bool rule_tried(int i)
{
	return i < 0 || __atomic_load_n(&rule_pools[i].tried, __ATOMIC_ACQUIRE);
}

static int rule_pool_of(const struct match_standing *st, int i)
{
	return rule_process->rule[st->cand[i].rule]->pool;
}

bool rule_ready(const struct match_standing *st)
{
	for (int i = 0; i < st->n; i++) {
		if (!rule_tried(rule_pool_of(st, i)))
			return false;
	}
	return true;
}

void rule_make(const struct match_standing *st)
{
	for (int i = 0; i < st->n; i++) {
		if (!rule_tried(rule_pool_of(st, i)))
			rule_make_one(rule_pool_of(st, i));
	}
}

void rule_start(const struct policy *p, const struct match_process *m)
{
	rule_policy = p;
	rule_process = m;
	if (p->npool)
		rule_pools = je_calloc((size_t)p->npool, sizeof(*rule_pools));
	for (int i = 0; i < m->nrule; i++) {
		int pool = m->rule[i]->pool;

		if (pool >= 0 && p->pool[pool].commit == POLICY_COMMIT_START)
			rule_make_one(pool);
	}
}

bool rule_pins_process(void)
{
	return rule_policy && rule_policy->realtime.pin_process;
}

bool rule_reports(void)
{
	return rule_policy && rule_policy->realtime.report;
}

void rule_child(void)
{
	for (int i = 0; rule_policy && i < rule_policy->npool; i++)
		rule_pools[i] = (struct rule_made){.advised = rule_pools[i].advised};
	rule_routes = NULL;
	rule_lock.word = 0;
}

bool rule_is_realtime_class(int sched)
{
	return sched == SCHED_FIFO || sched == SCHED_RR || sched == SCHED_DEADLINE;
}

static bool rule_same_standing(
	const struct match_standing *a, const struct match_standing *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++) {
		if (a->cand[i].rule != b->cand[i].rule ||
			a->cand[i].ask_size != b->cand[i].ask_size ||
			a->cand[i].ask_site != b->cand[i].ask_site)
			return false;
	}
	return true;
}

/* What a rule's big blocks are beside jemalloc's. */
struct rule_big {
	struct recycle recycle;
	bool locks; /* as its pool */
	bool lock;  /* the same, until the limit did not allow one */
};

static void rule_give_big(void *block, size_t bytes, void *arg)
{
	struct rule_big *b = arg;

	if (b->locks)
		area_block_let_go(block, bytes);
	je_free(block);
}

/* By the thread that found nothing kept: it would take the faults itself else. */
static void rule_fresh_big(void *block, size_t bytes, void *arg)
{
	struct rule_big *b = arg;

	/* relaxed: one more that is tried does no harm */
	if (!__atomic_load_n(&b->lock, __ATOMIC_RELAXED) || area_block_hold(block, bytes))
		return;
	__atomic_store_n(&b->lock, false, __ATOMIC_RELAXED);
	log_post("recycle: not all big blocks can be locked: see RLIMIT_MEMLOCK and "
		 "librtpreload(7)");
}

/* One table of kept blocks for each rule with `recycle =`, for as long as the process. */
static struct recycle *rule_recycle(int rule)
{
	static struct rule_big *made[POLICY_RULES_MAX];
	const struct policy_rule *r = rule_process->rule[rule];
	struct rule_big *b = made[rule];

	if (!b && r->recycle)
		b = made[rule] = je_calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	if (!b->recycle.age) {
		b->lock = b->locks =
			r->pool >= 0 && rule_policy->pool[r->pool].lock != POLICY_LOCK_NO;
		b->recycle.age = r->recycle;
		b->recycle.give = rule_give_big;
		b->recycle.fresh = rule_fresh_big;
		b->recycle.arg = b;
		recycle_register(&b->recycle);
	}
	return &b->recycle;
}

/* Candidates' pools; the cache is of the pool of the last candidate that has one: it is
 * asked least, so it serves most. */
static void rule_fill(struct route *r, int sched)
{
	const struct match_standing *st = &r->standing;

	for (int i = 0; i < st->n; i++) {
		int rule = st->cand[i].rule;
		int made = rule_process->rule[rule]->pool;
		struct pool *pool = made < 0 ? NULL : rule_pools[made].pool;

		r->pool_of[rule] = pool;
		if (pool)
			r->pool = pool;
		if (st->cand[i].ask_site) {
			r->want_sites |= 1ULL << rule;
			r->deep |= rule_process->rule[rule]->depth > 1;
		}
		if (!st->cand[i].ask_site && !st->cand[i].ask_size)
			r->always = 1ULL << rule;
		r->sizes |= st->cand[i].ask_size;
		if (!r->recycle)
			r->recycle = rule_recycle(rule);
	}
	r->rule = rule_process->rule[st->cand[0].rule];
	r->simple = r->pool && !st->cand[0].ask_size && !st->cand[0].ask_site;
	r->defer = r->simple || rule_is_realtime_class(sched);
}

/* Nothing but exemptions: the same as no rule. */
static bool rule_all_exempt(const struct match_standing *st)
{
	for (int i = 0; i < st->n; i++) {
		if (rule_process->rule[st->cand[i].rule]->pool >= 0)
			return false;
	}
	return true;
}

struct route *rule_route(const struct match_standing *st, int sched)
{
	bool defer = rule_is_realtime_class(sched);
	struct route *r;

	if (rule_all_exempt(st))
		return NULL;
	for (r = rule_routes; r; r = r->kept) {
		if (rule_same_standing(&r->standing, st) &&
			(r->simple || r->defer == defer))
			return r->pool ? r : NULL;
	}
	r = je_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->standing = *st;
	rule_fill(r, sched);
	r->kept = rule_routes;
	rule_routes = r;
	return r->pool ? r : NULL;
}
