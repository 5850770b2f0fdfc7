/* SPDX-License-Identifier: MIT */
/*
 * cover.c - does one rule match everything another matches?
 *
 * Condition by condition: a positive value of the small rule has to lie inside a positive
 * value of the wide one, and the small one has to exclude all that the wide one
 * excludes. Never guesses: when in doubt, no.
 */
#include "cover.h"

#include <string.h>

#include "glob.h"

static bool glob_inside(const char *wide, const char *small, long *steps)
{
	*steps -= (long)(strlen(wide) * strlen(small)) + 1;
	if (*steps < 0)
		return false;
	return strcmp(wide, "*") == 0 || strcmp(wide, small) == 0 ||
	       (glob_literal(small) && glob_match(wide, small));
}

static int positives(const struct policy_globs *g)
{
	int n = 0;

	for (int i = 0; i < g->n; i++)
		n += !g->v[i].negated;
	return n;
}

static bool some_glob(const struct policy_globs *g, bool negated, const char *wide,
	const char *small, long *steps)
{
	for (int i = 0; i < g->n; i++)
		if (g->v[i].negated == negated &&
			glob_inside(wide != NULL ? wide : g->v[i].pattern,
				small != NULL ? small : g->v[i].pattern, steps))
			return true;
	return false;
}

/* path: values are basenames or paths, and only values of one sort can be compared. */
static bool cover_globs(const struct policy_globs *wide, const struct policy_globs *small,
	bool path, long *steps)
{
	for (int i = 0; i < wide->n; i++)
		for (int k = 0; path && k < small->n; k++)
			if ((strchr(wide->v[i].pattern, '/') == NULL) !=
					(strchr(small->v[k].pattern, '/') == NULL) &&
				strcmp(wide->v[i].pattern, "*") != 0)
				return false;
	for (int i = 0; i < wide->n; i++)
		if (wide->v[i].negated &&
			!some_glob(small, true, NULL, wide->v[i].pattern, steps))
			return false;
	if (positives(wide) == 0)
		return true;
	if (positives(small) == 0)
		return some_glob(wide, false, NULL, "*", steps);
	for (int i = 0; i < small->n; i++)
		if (!small->v[i].negated &&
			!some_glob(wide, false, NULL, small->v[i].pattern, steps))
			return false;
	return true;
}

static bool some_range(
	const struct policy_ranges *r, bool negated, const struct policy_range *inner)
{
	for (int i = 0; i < r->n; i++)
		if (r->v[i].negated == negated && r->v[i].lo <= inner->lo &&
			inner->hi <= r->v[i].hi)
			return true;
	return false;
}

static bool cover_ranges(
	const struct policy_ranges *wide, const struct policy_ranges *small)
{
	const struct policy_range all = {.lo = 0, .hi = UINT64_MAX};
	bool wide_positive = false, small_positive = false;

	for (int i = 0; i < wide->n; i++) {
		wide_positive |= !wide->v[i].negated;
		if (wide->v[i].negated && !some_range(small, true, &wide->v[i]))
			return false;
	}
	for (int i = 0; i < small->n; i++) {
		if (small->v[i].negated)
			continue;
		small_positive = true;
		if (wide_positive && !some_range(wide, false, &small->v[i]))
			return false;
	}
	return small_positive || !wide_positive || some_range(wide, false, &all);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Call sites are compared as lists: the same values, looked for equally deep. */
static bool cover_sites(const struct policy_rule *wide, const struct policy_rule *small)
{
	const struct policy_sites *w = &wide->callsite, *s = &small->callsite;

	if (w->n == 0)
		return true;
	if (w->n != s->n || wide->depth != small->depth)
		return false;
	for (int i = 0; i < w->n; i++)
		if (w->v[i].negated != s->v[i].negated ||
			!same_text(w->v[i].object, s->v[i].object) ||
			!same_text(w->v[i].symbol, s->v[i].symbol))
			return false;
	return true;
}

bool cover_rule(
	const struct policy_rule *wide, const struct policy_rule *small, long *steps)
{
	return cover_globs(&wide->app, &small->app, true, steps) &&
	       cover_globs(&wide->thread, &small->thread, false, steps) &&
	       (wide->sched == 0 ||
		       (small->sched != 0 && (small->sched & ~wide->sched) == 0)) &&
	       cover_ranges(&wide->priority, &small->priority) &&
	       cover_sites(wide, small) && cover_ranges(&wide->size, &small->size);
}
