/* SPDX-License-Identifier: MIT */
/*
 * reload_retired.c - policies that another one has replaced are freed
 *
 * A thread follows its route until its next malloc or free, so a policy is kept while a
 * slot names one of its routes (route_follows()), or while any thread is about to be
 * matched: that one may have read the rules before they were replaced.
 *
 * A signal handler may call malloc while its own thread is inside malloc. The switch to
 * the new route runs in the handler then, and the interrupted call goes on with the old
 * one, which no slot names. RETIRED_NS is for that: a handler that runs for longer and
 * returns into malloc is not provided for.
 *
 * Never on the realtime path. Bound: what was replaced in the last RETIRED_NS, and two
 * policies for each thread that has not called malloc since.
 */
#include "reload_retired.h"

#include "sites/site.h"
#include "rule.h"
#include "thread.h"

#define RETIRED_NS	10000000000L
#define RETIRED_LOOK_NS 1000000000L

struct retired_look {
	const struct rule_set *set;
	bool followed;
};

static bool retired_route(const struct route *r, void *arg)
{
	return route_follows(arg, r);
}

static void retired_slot(struct slot *s, void *arg)
{
	struct retired_look *look = arg;

	look->followed |= rule_set_any_route(look->set, retired_route, s);
}

static bool retired_followed(const struct rule_set *set)
{
	struct retired_look look = {.set = set};

	if (thread_coming())
		return true;
	thread_each(retired_slot, &look);
	return look.followed;
}

void reload_retired_turn(int64_t now)
{
	static int64_t next;
	struct rule_set *set = rule_retired(), *before;

	if (!set || now < next)
		return;
	next = now + RETIRED_LOOK_NS;
	for (; set; set = before) {
		before = rule_retired_next(set);
		if (now - rule_retired_since(set, now) < RETIRED_NS ||
			retired_followed(set))
			continue;
		site_edit_rules(rule_forget_sites, rule_process(set));
		rule_set_free(set);
	}
}
