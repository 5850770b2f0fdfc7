/* SPDX-License-Identifier: MIT */
/*
 * lint.c - the policy as a whole: unknown pools, pools that cannot be, rules that never
 * match, too many rules
 *
 * Never reads files. Bound: STEPS_MAX comparisons of bytes; past
 * them only warnings are lost.
 */
#include "lint.h"

#include <string.h>

#include "cover.h"
#include "glob.h"
#include "keys.h"
#include "match.h"
#include "model.h"
#include "near.h"

#define STEPS_MAX 100000000L /* of rule against rule: a tenth of a second or so */

/* Where a key was given, or its section when it was not. */
static const struct policy_origin *origin_of(
	const struct policy *p, int at, const void *section)
{
	enum keys_section kind = keys_table[at].section;
	const struct policy_origin *o = model_key_origin(p, kind, section);

	o += at - keys_kind[kind].first;
	return o->file != NULL ? o : model_origin(kind, section);
}

static bool given(const struct policy *p, int at, const void *section)
{
	enum keys_section kind = keys_table[at].section;

	return model_key_origin(p, kind, section)[at - keys_kind[kind].first].file !=
	       NULL;
}

static void lint_pool(struct policy *p, struct policy_pool *pool)
{
	if (pool->max == 0) /* not given: no value the parser takes is 0 */
		pool->max = pool->size;
	if (pool->max < pool->size)
		model_error(p, origin_of(p, KEYS_AT_pool_max, pool), true,
			"max of pool '%w' is smaller than its size", pool->name);
}

static void unknown_pool(struct policy *p, const struct policy_rule *r)
{
	const struct policy_origin *at = origin_of(p, KEYS_AT_rule_pool, r);
	struct near near;

	near_begin(&near, r->pool_name);
	near_offer(&near, "jemalloc", strlen("jemalloc"));
	for (int i = 0; i < p->npool; i++)
		near_offer(&near, p->pool[i].name, strlen(p->pool[i].name));
	if (near.best != NULL)
		model_error(p, at, true,
			"rule '%w' names an unknown pool '%w'; did you mean '%w'?",
			r->name, r->pool_name, near.best);
	else
		model_error(p, at, true, "rule '%w' names an unknown pool '%w'", r->name,
			r->pool_name);
}

static void lint_rule_pool(struct policy *p, struct policy_rule *r)
{
	int i;

	r->pool = POLICY_POOL_JEMALLOC;
	if (r->pool_name == NULL) {
		r->broken = true;
		if (!given(p, KEYS_AT_rule_pool, r))
			model_error(p, &r->origin, true,
				"rule '%w' names no pool (pool = NAME, or jemalloc)",
				r->name);
		return;
	}
	if (strcmp(r->pool_name, "jemalloc") == 0)
		return;
	i = model_find(p, KEYS_POOL, r->pool_name);
	if (i >= 0)
		r->pool = i;
	else
		unknown_pool(p, r);
	r->broken |= i < 0;
}

/* Does any priority the rule asks for exist in a class it asks for? */
static void lint_rule_priority(struct policy *p, const struct policy_rule *r)
{
	unsigned with = POLICY_SCHED_FIFO | POLICY_SCHED_RR;
	bool possible = false;

	if (r->priority.n == 0)
		return;
	for (int i = 0; i <= 99 && !possible; i++)
		possible = match_rule_priority(r, i) &&
			   (r->sched == 0 || (r->sched & (i > 0 ? with : ~with)) != 0);
	if (!possible)
		model_error(p, origin_of(p, KEYS_AT_rule_priority, r), true,
			"rule '%w' can never match: no thread of these classes has such "
			"a priority (fifo and rr have 1..99, the others 0)",
			r->name);
}

/* Rules of a kind that is switched off: written for nothing, by default. */
static void lint_rule_kind(struct policy *p, const struct policy_rule *r)
{
	static const char *const name[] = {"allocator", "audio", "video"};

	if (!match_rule_kind(p, r))
		model_error(p, origin_of(p, KEYS_AT_rule_kind, r), false,
			"rule '%w' is off: [realtime] says %w = no; write %w = yes there",
			r->name, name[r->kind], name[r->kind]);
}

/* Could an executable of that name be what the rule is about? */
static bool names_app(const struct policy_rule *r, const char *object)
{
	bool positive = false;

	for (int i = 0; i < r->app.n; i++) {
		positive |= !r->app.v[i].negated;
		if (!r->app.v[i].negated && glob_match_path(r->app.v[i].pattern, object))
			return true;
	}
	return !positive;
}

/* A function where an object is asked for, or a library without its ".so". */
static void lint_site(
	struct policy *p, const struct policy_rule *r, const struct policy_site *s)
{
	const struct policy_origin *at = origin_of(p, KEYS_AT_rule_callsite, r);
	bool cxx = strstr(s->object, "::") != NULL || strchr(s->object, '(') != NULL;

	if (strchr(s->object, '/') != NULL || strstr(s->object, ".so") != NULL)
		return;
	if (glob_literal(s->object) && strncmp(s->object, "lib", 3) == 0)
		model_error(p, at, false,
			"callsite: no library's file is called '%w'; did you mean "
			"'%w.so*'?",
			s->object, s->object);
	else if (s->symbol == NULL &&
		 (cxx || (glob_literal(s->object) && !names_app(r, s->object))))
		model_error(p, at, false,
			"callsite: '%w' is compared with files, not with functions; did "
			"you mean '%w*!%w'?",
			s->object, s->negated ? "!" : "", s->object);
}

static void lint_shadowed(struct policy *p, int i, long *steps)
{
	const struct policy_rule *r = &p->rule[i];

	if (r->broken || !match_rule_kind(p, r))
		return;
	for (int j = i + 1; j < p->nrule; j++) {
		const struct policy_rule *later = &p->rule[j];

		if (later->broken || !match_rule_kind(p, later) ||
			!cover_rule(later, r, steps))
			continue;
		model_error(p, &r->origin, false,
			"rule '%w' can never win: the later rule '%w' (%s:%d) matches "
			"all "
			"that it matches",
			r->name, later->name, later->origin.file, later->origin.line);
		return;
	}
}

/* The rules a program of that name would have; *over is the first one too many. */
static int rules_of(
	const struct policy *p, const char *exe, const struct policy_rule **over)
{
	int n = 0;

	for (int i = 0; i < p->nrule; i++) {
		if (!match_rule_kind(p, &p->rule[i]) || !match_rule_app(&p->rule[i], exe))
			continue;
		if (n++ == POLICY_RULES_MAX)
			*over = &p->rule[i];
	}
	return n;
}

/* Bytes of all globs a program is compared with. */
static size_t app_bytes(const struct policy *p)
{
	size_t n = 1;

	for (int i = 0; i < p->nrule; i++)
		for (int k = 0; k < p->rule[i].app.n; k++)
			n += strlen(p->rule[i].app.v[k].pattern) + 1;
	return n;
}

/* Programs to try: one nobody names, and each that a rule names (a glob as if it were a
 * name: it matches itself and what is wider). */
static void lint_count(struct policy *p, long *steps)
{
	const struct policy_rule *over = NULL;
	const char *exe = "/";
	size_t bytes = app_bytes(p);
	int most = rules_of(p, exe, &over);

	for (int i = 0; i < p->nrule && most <= POLICY_RULES_MAX; i++) {
		for (int k = 0; k < p->rule[i].app.n && most <= POLICY_RULES_MAX; k++) {
			exe = p->rule[i].app.v[k].pattern;
			*steps -= (long)(bytes * (strlen(exe) + 1));
			if (*steps < 0)
				return;
			most = rules_of(p, exe, &over);
		}
	}
	if (most > POLICY_RULES_MAX)
		model_error(p, &over->origin, true,
			"rule '%w': %d rules apply to one program ('%w'); at most %d can",
			over->name, most, strcmp(exe, "/") == 0 ? "any" : exe,
			POLICY_RULES_MAX);
}

/* What follows compares rules with rules, value by value: keep it short. */
static bool small_enough(struct policy *p)
{
	int n = 0;

	for (int i = 0; i < p->nrule; i++) {
		const struct policy_rule *r = &p->rule[i];

		n += r->app.n + r->thread.n + r->priority.n + r->callsite.n + r->size.n;
		if (n > POLICY_VALUES_MAX) {
			model_error(p, &r->origin, true,
				"more than %d values in the rules up to '%w'",
				POLICY_VALUES_MAX, r->name);
			return false;
		}
	}
	return true;
}

void lint(struct policy *p)
{
	long steps = STEPS_MAX;

	for (int i = 0; i < p->npool; i++)
		lint_pool(p, &p->pool[i]);
	for (int i = 0; i < p->nrule; i++) {
		lint_rule_pool(p, &p->rule[i]);
		lint_rule_priority(p, &p->rule[i]);
		lint_rule_kind(p, &p->rule[i]);
		for (int k = 0; k < p->rule[i].callsite.n; k++)
			lint_site(p, &p->rule[i], &p->rule[i].callsite.v[k]);
	}
	if (!small_enough(p))
		return;
	if (p->nrule > POLICY_RULES_MAX)
		lint_count(p, &steps);
	for (int i = 0; i < p->nrule; i++)
		lint_shadowed(p, i, &steps);
}
