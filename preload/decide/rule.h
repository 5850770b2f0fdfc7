/* SPDX-License-Identifier: MIT */
/*
 * rule.h - the rules of this process made concrete: the pool behind each, the routes they
 * give
 *
 * A policy's pool is reserved and committed when the first thread matches (commit =
 * match) or at start. Never on the realtime path.
 *
 * One reading of the policy makes one rule set. It is made beside the set in use, and one
 * store puts it in its place. The old set is retired: a thread may follow its routes
 * until the thread's next malloc. reload_retired.c frees it.
 */
#ifndef RULE_H
#define RULE_H

#include "route.h"

struct rule_set;

/* p (NULL: no policy) belongs to the set from now on, unless that is NULL, for want of
 * memory; m is copied. Its rules get numbers that none of the set in use has, as long as
 * 64 are enough for both. */
struct rule_set *rule_set_new(struct policy *p, const struct match_process *m);
/* set NULL: no rules. */
const struct match_process *rule_process(const struct rule_set *set);
/* For the call sites of both the set in use and this one, wherever numbers differ; NULL:
 * this one asks for none. */
const struct match_process *rule_sites(struct rule_set *set);
/* Once that set is in use: the same again. Helper. */
const struct match_process *rule_sites_known(void);
/* Pools become as the policy of this set says; those with commit = start are made. note:
 * what a live pool cannot follow, "" if nothing. */
void rule_set_pools(struct rule_set *set, char *note, unsigned len);
/* Under the thread lock: this is the set in use from now on; the one before is retired.
 */
void rule_use(struct rule_set *set);

/* Retired sets, the last one first. Helper, all of these. */
struct rule_set *rule_retired(void);
struct rule_set *rule_retired_next(const struct rule_set *set);
/* When this was asked first of the set; now, if it is now. */
int64_t rule_retired_since(struct rule_set *set, int64_t now);
/* Calls fn for its routes until that says true: was it? Under the thread lock. */
bool rule_set_any_route(const struct rule_set *set,
	bool (*fn)(const struct route *r, void *arg), void *arg);
/* Frees a set, retired or never used: no thread follows its routes, no call site is asked
 * for its rules (rule_forget_sites()). */
void rule_set_free(struct rule_set *set);
/* To be called under the site lock: m, a list of rules that call sites are compiled for,
 * has none of the set's from now on. */
void rule_forget_sites(struct match_process *m, const struct match_process *gone);
/* The set in use; NULL before there is one. Under the thread lock. */
struct rule_set *rule_in_use(void);

/* Are the pools of this decision made, as far as they can be? Under the thread lock. */
bool rule_ready(const struct rule_set *set, const struct match_candidates *st);
/* Makes them: takes milliseconds, without the thread lock. Threads: any. */
void rule_make(const struct rule_set *set, const struct match_candidates *st);

/* The route for candidate rules that are ready, or NULL for jemalloc. Same candidates,
 * same route. Under the thread lock. */
struct route *rule_route(
	struct rule_set *set, const struct match_candidates *st, int sched);

/* fifo, rr or deadline. */
bool rule_is_realtime_class(int sched);

/* [realtime] pin_process and report. */
bool rule_pins_process(void);
bool rule_reports(void);

/* After fork, in the child: pools are made anew when a thread matches. */
void rule_child(void);

#endif
