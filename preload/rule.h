/* SPDX-License-Identifier: MIT */
/*
 * rule.h - the rules of this process made concrete: the pool behind each, the routes they
 * give
 *
 * A policy's pool is reserved and committed when the first thread matches (commit =
 * match) or at start. Callers hold the thread lock. Never on the realtime path.
 */
#ifndef RULE_H
#define RULE_H

#include "route.h"

/* p and m live until the process ends. Pools with commit = start are made here. */
void rule_start(const struct policy *p, const struct match_process *m);

/* Are the pools of this decision made, as far as they can be? Under the thread lock. */
bool rule_ready(const struct match_standing *st);
/* Makes them: takes milliseconds, without the thread lock. Threads: any. */
void rule_make(const struct match_standing *st);

/* The route for a standing decision that is ready, or NULL for jemalloc. Same decision,
 * same route. Under the thread lock. */
struct route *rule_route(const struct match_standing *st, int sched);

/* fifo, rr or deadline. */
bool rule_is_realtime_class(int sched);

/* [realtime] pin_process and report. */
bool rule_pins_process(void);
bool rule_reports(void);

/* After fork, in the child: pools are made anew when a thread matches. */
void rule_child(void);

#endif
