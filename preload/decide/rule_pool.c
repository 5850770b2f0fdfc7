/* SPDX-License-Identifier: MIT */
/*
 * rule_pool.c - pools of the policy: made once, and kept in step with a policy that
 * changes
 *
 * Never on the realtime path. Bound: the names of all policies that were in use.
 */
#include "rule_pool.h"

#include <string.h>

#include "os/base.h"
#include "os/child.h"
#include "os/log.h"
#include "engine/pools.h"

#define RULE_POOL_STEP (2UL << 20) /* committed at a time */

/* Append-only. */
CHILD_DATA static struct rule_pool *rule_pool_all;
CHILD_DATA static struct lock
	rule_lock; /* held to make or change a pool; never taken by malloc */

/* Keys that only count when the pool is made, and the two that may come too late. */
enum { WAITS_SIZE = 1, WAITS_MAX = 2, WAITS_LOCK = 4, WAITS_HUGE = 8, WAITS_FORK = 16 };

/* ---- what outlives the policy that said it ---- */

/* Names of pools, and of the rules that name them, as threads of the program may read
 * them at any time: kept for good. */
struct rule_word {
	struct rule_word *next;
	char text[];
};

/* NULL without memory. Under the lock. */
static char *rule_name(const char *text)
{
	static struct rule_word *words;
	struct rule_word *w = words;
	size_t len = strlen(text) + 1;

	while (w && strcmp(w->text, text) != 0)
		w = w->next;
	if (w)
		return w->text;
	w = je_malloc(sizeof(*w) + len);
	if (!w)
		return NULL;
	memcpy(w->text, text, len);
	w->next = words;
	words = w;
	return w->text;
}

/* Where it was written is the policy's alone. */
static void rule_pool_copy(struct rule_pool *m, const struct policy_pool *pp)
{
	char *name = m->as.name;

	m->as = *pp;
	m->as.name = name;
	m->as.origin = (struct policy_origin){.file = NULL};
	m->as.key_origin = NULL;
}

static const char *rule_name_or_none(const char *text)
{
	const char *name = rule_name(text);

	return name ? name : "";
}

static struct rule_pool *rule_pool_find(const struct policy_pool *pp)
{
	struct rule_pool *m;

	for (m = rule_pool_all; m; m = m->next) {
		if (strcmp(m->as.name, pp->name) == 0)
			return m;
	}
	m = je_calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->as.name = rule_name(pp->name);
	if (!m->as.name) {
		je_free(m);
		return NULL;
	}
	rule_pool_copy(m, pp);
	m->next = rule_pool_all;
	rule_pool_all = m;
	return m;
}

struct rule_pool *rule_pool_named(const struct policy_pool *pp)
{
	uint32_t me = lock_tid();
	struct rule_pool *m;

	lock_acquire(&rule_lock, me);
	m = rule_pool_find(pp);
	lock_release(&rule_lock, me);
	return m;
}

/* ---- made ---- */

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

static enum pool_full rule_when_full(const struct policy_pool *pp)
{
	return pp->when_full == POLICY_FULL_FAIL ? POOL_FULL_FAIL : POOL_FULL_BASE;
}

static struct pool *rule_make_pool(const struct policy_pool *pp, bool *advised)
{
	struct pool_attr attr = {
		.name = pp->name,
		.size = pp->size,
		.max = pp->max,
		.area_flags = rule_area_flags(pp),
		.when_full = rule_when_full(pp),
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

bool rule_pool_tried(const struct rule_pool *m)
{
	/* acquire: pairs with the release in rule_pool_make() */
	return __atomic_load_n(&m->tried, __ATOMIC_ACQUIRE);
}

void rule_pool_make(struct rule_pool *m, const char *rule)
{
	uint32_t me = lock_tid();

	lock_acquire(&rule_lock, me);
	if (!m->tried) {
		m->made = m->as;
		m->pool = rule_make_pool(&m->as, &m->advised);
		if (m->pool)
			m->pool->rule = rule_name_or_none(rule);
		/* release: the pool before the flag; pairs with rule_pool_tried() */
		__atomic_store_n(&m->tried, true, __ATOMIC_RELEASE);
	}
	lock_release(&rule_lock, me);
}

/* ---- kept in step ---- */

/* Keys of pp that the pool, as it was made, cannot follow. */
static unsigned rule_pool_waits(const struct rule_pool *m, const struct policy_pool *pp)
{
	const struct area *a = &m->pool->area;
	unsigned waits = 0;

	if (pool_area_size(m->pool, pp->size) > a->committed || pp->size < m->made.size)
		waits |= WAITS_SIZE;
	if (pool_area_size(m->pool, pp->max) > a->reserved || pp->max < m->made.max)
		waits |= WAITS_MAX;
	if (pp->lock != m->made.lock)
		waits |= WAITS_LOCK;
	if (pp->hugepages != m->made.hugepages)
		waits |= WAITS_HUGE;
	if (pp->fork != m->made.fork)
		waits |= WAITS_FORK;
	return waits;
}

/* Up to `size`, as far as its reservation goes. */
static void rule_pool_grow(struct pool *p, size_t size)
{
	size_t want = pool_area_size(p, size), step;

	want = want < p->area.reserved ? want : p->area.reserved;
	while (p->area.committed < want) {
		step = want - p->area.committed;
		step = step < RULE_POOL_STEP ? step : RULE_POOL_STEP;
		if (pool_grow(p, step) < 0)
			return;
	}
}

static void rule_pool_apply(struct rule_pool *m, const struct policy_pool *pp)
{
	struct pool *p = m->pool;

	/* relaxed: a word that realtime threads read when the pool is full */
	__atomic_store_n(&p->when_full, rule_when_full(pp), __ATOMIC_RELAXED);
	if (pp->size > p->size) {
		p->grow_failed = p->full_said = false;
		rule_pool_grow(p, pp->size);
		p->size = pp->size < p->max ? pp->size : p->max;
	}
}

static void rule_pool_say(const struct rule_pool *m, char *note, unsigned len)
{
	unsigned w = m->waits;

	log_format(note, len,
		"pool \"%s\":%s%s%s%s%s as the policy has it now must wait until the "
		"program starts again",
		m->as.name, w & WAITS_SIZE ? " size" : "", w & WAITS_MAX ? " max" : "",
		w & WAITS_LOCK ? " lock" : "", w & WAITS_HUGE ? " hugepages" : "",
		w & WAITS_FORK ? " fork" : "");
}

static void rule_pool_change(
	struct rule_pool *m, const struct policy_pool *pp, char *note, unsigned len)
{
	unsigned waited = m->waits;

	rule_pool_apply(m, pp);
	m->waits = rule_pool_waits(m, pp);
	if (m->waits & ~waited)
		rule_pool_say(m, note, len);
}

void rule_pool_follow(struct rule_pool *m, const struct policy_pool *pp, const char *rule,
	char *note, unsigned len)
{
	uint32_t me = lock_tid();

	note[0] = '\0';
	lock_acquire(&rule_lock, me);
	rule_pool_copy(m, pp);
	if (m->pool) {
		m->pool->rule = rule_name_or_none(rule);
		rule_pool_change(m, pp, note, len);
	} else {
		/* what there was no memory for is tried again; release: as above */
		__atomic_store_n(&m->tried, false, __ATOMIC_RELEASE);
	}
	lock_release(&rule_lock, me);
}

void rule_pool_child(void)
{
	for (struct rule_pool *m = rule_pool_all; m; m = m->next) {
		CHILD_SET(m->pool, NULL);
		CHILD_SET(m->waits, 0);
		CHILD_SET(m->tried, false);
	}
	lock_child(&rule_lock);
}
