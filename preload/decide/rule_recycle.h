/* SPDX-License-Identifier: MIT */
/*
 * rule_recycle.h - big blocks that a rule with `recycle =` keeps: one table for each name
 * of such a rule, for as long as the process
 *
 * Never on the realtime path.
 */
#ifndef RULE_RECYCLE_H
#define RULE_RECYCLE_H

#include <stdbool.h>

#include "policy/model/policy.h"
#include "engine/recycle.h"

/* r's table, as r says now, or NULL: r keeps nothing, or there is no memory. lock: its
 * pool is to be locked, and so are its big blocks. Under the thread lock. */
struct recycle *rule_recycle(const struct policy_rule *r, bool lock);

#endif
