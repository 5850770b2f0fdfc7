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

#include "os/child.h"
#include "os/log.h"
#include "engine/tag.h"
#include "rule_pool.h"
#include "rule_recycle.h"

#define RULE_HALF (POLICY_RULES_MAX / 2)

struct rule_set {
	struct policy *policy;
	struct match_process process;
	struct match_process both; /* and the rules of the set before it */
	struct rule_pool **pool;   /* per pool of the policy */
	struct route *routes;	   /* under the thread lock */
	struct rule_set *before;   /* retired before this one was */
	int64_t since;		   /* see rule_retired_since() */
};

static struct rule_set *rule_now; /* atomic: release, acquire; see rule_use() */
CHILD_DATA static struct rule_set *rule_retired_sets;
/* [realtime], of the policy in use. Relaxed: no other memory goes with them. */
static bool rule_pin_process, rule_report;

struct rule_set *rule_in_use(void)
{
	return __atomic_load_n(&rule_now, __ATOMIC_ACQUIRE);
}

const struct match_process *rule_process(const struct rule_set *set)
{
	static const struct match_process none;

	return set ? &set->process : &none;
}

/* ---- numbers of rules ---- */

/* A number that is no rule: it asks for nothing, so nothing is looked for. */
static const struct policy_rule rule_none = {
	.name = (char *)"", .pool = POLICY_POOL_JEMALLOC};

/*
 * Where n rules are put beside those in use. A mask of rules is remembered with call
 * sites and in routes; a thread may be between two reads of such masks while the policy
 * changes, so a number must not change its meaning under it (tests/model/reload.pml). Two
 * halves take turns, and larger policies what is left. Where both together have more than
 * 64, numbers are used twice: until a thread has changed over, what it allocates may be
 * judged by the call sites of the new rule of the same number.
 */
static int rule_first(int n)
{
	const struct rule_set *now = rule_in_use();
	int lo = now ? now->process.first : 0, hi = now ? now->process.nrule : 0;

	if (n <= lo || hi == 0)
		return 0;
	if (n <= RULE_HALF && hi <= RULE_HALF)
		return RULE_HALF;
	return hi + n <= POLICY_RULES_MAX ? hi : 0;
}

static void rule_number(struct match_process *to, const struct match_process *m)
{
	int first = rule_first(m->nrule);

	*to = *m;
	to->first = first;
	to->nrule = first + m->nrule;
	for (int i = 0; i < POLICY_RULES_MAX; i++)
		to->rule[i] =
			i >= first && i < to->nrule ? m->rule[i - first] : &rule_none;
}

static bool rule_asks_sites(const struct match_process *m)
{
	for (int i = m->first; i < m->nrule; i++) {
		if (m->rule[i]->callsite.n)
			return true;
	}
	return false;
}

const struct match_process *rule_sites(struct rule_set *set)
{
	const struct rule_set *now = rule_in_use();
	struct match_process *both = &set->both;

	*both = set->process;
	both->first = 0;
	for (int i = now ? now->process.first : 0; now && i < now->process.nrule; i++) {
		if (both->rule[i] != &rule_none)
			continue;
		both->rule[i] = now->process.rule[i];
		both->nrule = i >= both->nrule ? i + 1 : both->nrule;
	}
	return rule_asks_sites(&set->process) ? both : NULL;
}

const struct match_process *rule_sites_known(void)
{
	const struct rule_set *now = rule_in_use();

	return now && now->both.nrule ? &now->both : rule_process(now);
}

/* ---- pools ---- */

/* The last rule of this program that names the pool. */
static const char *rule_naming(const struct rule_set *set, int pool)
{
	const struct match_process *m = &set->process;

	for (int i = m->nrule; i-- > m->first;) {
		if (m->rule[i]->pool == pool)
			return m->rule[i]->name;
	}
	return "";
}

static bool rule_tried(const struct rule_set *set, int i)
{
	return i < 0 || rule_pool_tried(set->pool[i]);
}

static int rule_pool_of(
	const struct rule_set *set, const struct match_candidates *st, int i)
{
	return set->process.rule[st->cand[i].rule]->pool;
}

bool rule_ready(const struct rule_set *set, const struct match_candidates *st)
{
	for (int i = 0; i < st->n; i++) {
		if (!rule_tried(set, rule_pool_of(set, st, i)))
			return false;
	}
	return true;
}

void rule_make(const struct rule_set *set, const struct match_candidates *st)
{
	for (int i = 0; i < st->n; i++) {
		int pool = rule_pool_of(set, st, i);

		if (!rule_tried(set, pool))
			rule_pool_make(set->pool[pool], rule_naming(set, pool));
	}
}

void rule_set_pools(struct rule_set *set, char *note, unsigned len)
{
	const struct policy *p = set->policy;
	char text[256];

	note[0] = '\0';
	for (int i = 0; p && i < p->npool; i++) {
		const char *rule = rule_naming(set, i);

		rule_pool_follow(set->pool[i], &p->pool[i], rule, text, sizeof(text));
		if (text[0] && note[0] == '\0')
			log_format(note, len, "%s", text);
		if (text[0])
			log_line("%s", text);
		if (rule[0] && p->pool[i].commit == POLICY_COMMIT_START)
			rule_pool_make(set->pool[i], rule);
	}
}

/* ---- sets ---- */

struct rule_set *rule_set_new(struct policy *p, const struct match_process *m)
{
	struct rule_set *set = je_calloc(1, sizeof(*set));
	int npool = p ? p->npool : 0;

	if (!set)
		return NULL;
	set->policy = p;
	rule_number(&set->process, m);
	if (npool)
		set->pool = je_calloc((size_t)npool, sizeof(struct rule_pool *));
	for (int i = 0; i < npool; i++) {
		if (set->pool)
			set->pool[i] = rule_pool_named(&p->pool[i]);
		if (!set->pool || !set->pool[i]) {
			je_free(set->pool);
			je_free(set);
			return NULL;
		}
	}
	return set;
}

void rule_use(struct rule_set *set)
{
	const struct policy *p = set ? set->policy : NULL;
	struct rule_set *was = rule_in_use();

	if (was) {
		was->before = rule_retired_sets;
		rule_retired_sets = was;
	}
	__atomic_store_n(
		&rule_pin_process, p && p->realtime.pin_process, __ATOMIC_RELAXED);
	__atomic_store_n(&rule_report, p && p->realtime.report, __ATOMIC_RELAXED);
	/* release: the set before its address; pairs with rule_in_use() */
	__atomic_store_n(&rule_now, set, __ATOMIC_RELEASE);
}

bool rule_pins_process(void)
{
	return __atomic_load_n(&rule_pin_process, __ATOMIC_RELAXED);
}

bool rule_reports(void)
{
	return __atomic_load_n(&rule_report, __ATOMIC_RELAXED);
}

/* ---- retired sets ---- */

struct rule_set *rule_retired(void)
{
	return rule_retired_sets;
}

struct rule_set *rule_retired_next(const struct rule_set *set)
{
	return set->before;
}

int64_t rule_retired_since(struct rule_set *set, int64_t now)
{
	if (!set->since)
		set->since = now;
	return set->since;
}

bool rule_set_any_route(const struct rule_set *set,
	bool (*fn)(const struct route *r, void *arg), void *arg)
{
	for (const struct route *r = set->routes; r; r = r->kept) {
		if (fn(r, arg))
			return true;
	}
	return false;
}

void rule_forget_sites(struct match_process *m, const struct match_process *gone)
{
	for (int i = gone->first; i < gone->nrule; i++) {
		if (m->rule[i] == gone->rule[i])
			m->rule[i] = &rule_none;
	}
}

void rule_set_free(struct rule_set *set)
{
	struct rule_set **link = &rule_retired_sets, *other = rule_in_use();
	struct route *r;

	while (*link && *link != set)
		link = &(*link)->before;
	if (*link)
		*link = set->before;
	if (other)
		rule_forget_sites(&other->both, &set->process);
	for (other = rule_retired_sets; other; other = other->before)
		rule_forget_sites(&other->both, &set->process);
	while ((r = set->routes)) {
		set->routes = r->kept;
		je_free(r);
	}
	policy_free(set->policy);
	je_free(set->pool);
	je_free(set);
}

void rule_child(void)
{
	struct rule_set *now = rule_in_use();

	if (now)
		CHILD_SET(now->routes, NULL);
	rule_pool_child();
}

/* ---- routes ---- */

bool rule_is_realtime_class(int sched)
{
	return sched == SCHED_FIFO || sched == SCHED_RR || sched == SCHED_DEADLINE;
}

static bool rule_same_candidates(
	const struct match_candidates *a, const struct match_candidates *b)
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

/* Are big blocks of the rule to be locked? As its pool is. */
static bool rule_locks(const struct rule_set *set, const struct policy_rule *r)
{
	return r->pool >= 0 && set->policy->pool[r->pool].lock != POLICY_LOCK_NO;
}

/* Candidates' pools; the cache is of the pool of the last candidate that has one: it is
 * asked least, so it serves most. */
static void rule_fill(const struct rule_set *set, struct route *r, int sched)
{
	const struct match_candidates *st = &r->candidates;

	r->process = &set->process;
	for (int i = 0; i < st->n; i++) {
		int number = st->cand[i].rule;
		const struct policy_rule *rule = set->process.rule[number];
		struct pool *pool = rule->pool < 0 ? NULL : set->pool[rule->pool]->pool;

		r->pool_of[number] = pool;
		if (pool) {
			r->pool = pool;
			r->tag = r->tag_of[number] = tag_rule(rule->name);
		}
		if (st->cand[i].ask_site) {
			r->want_sites |= 1ULL << number;
			r->deep |= rule->depth > 1;
		}
		if (!st->cand[i].ask_site && !st->cand[i].ask_size)
			r->always = 1ULL << number;
		r->sizes |= st->cand[i].ask_size;
		if (!r->recycle)
			r->recycle = rule_recycle(rule, rule_locks(set, rule));
	}
	r->rule = set->process.rule[st->cand[0].rule];
	r->simple = r->pool && !st->cand[0].ask_size && !st->cand[0].ask_site;
	r->defer = r->simple || rule_is_realtime_class(sched);
}

/* Nothing but exemptions: the same as no rule. */
static bool rule_all_exempt(const struct rule_set *set, const struct match_candidates *st)
{
	for (int i = 0; i < st->n; i++) {
		if (rule_pool_of(set, st, i) >= 0)
			return false;
	}
	return true;
}

struct route *rule_route(
	struct rule_set *set, const struct match_candidates *st, int sched)
{
	bool defer = rule_is_realtime_class(sched);
	struct route *r;

	if (rule_all_exempt(set, st))
		return NULL;
	for (r = set->routes; r; r = r->kept) {
		if (rule_same_candidates(&r->candidates, st) &&
			(r->simple || r->defer == defer))
			return r->pool ? r : NULL;
	}
	r = je_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->candidates = *st;
	rule_fill(set, r, sched);
	r->kept = set->routes;
	set->routes = r;
	return r->pool ? r : NULL;
}
