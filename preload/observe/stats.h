/* SPDX-License-Identifier: MIT */
/*
 * stats.h - the statistics page (include/rtmem_stats.h): made, written, left behind
 *
 * The helper makes and writes it; nothing of this is on the realtime path. Without a page
 * (AT_SECURE, no memfd, no memory) every function does nothing.
 */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>

#include "decide/route.h"

/* Before the helper starts, and from it; p (NULL: none) lives until the process ends. */
void stats_policy(const struct policy *p);

/* Helper: has somebody asked for a reload since the last answer? */
bool stats_reload_asked(void);
/* What came of reloads so far; answer: of the one that was asked for. */
struct stats_reload {
	uint64_t reloads, failures;
	int64_t at; /* CLOCK_MONOTONIC, ns; 0: none */
	bool refused;
	uint32_t rules;
	char message[320];
};
void stats_reload(const struct stats_reload *r, bool answer);

/* Helper only, its descriptor table being its own. now: CLOCK_MONOTONIC, ns. */
void stats_open(int64_t now);
/* Each turn: looks whether somebody watches, and publishes when it is time. */
void stats_turn(int64_t now);
/* The helper leaves: the page goes. */
void stats_close(void);

/* Under the thread lock: a matched thread has ended; its figures are kept. */
void stats_thread_gone_locked(struct slot *s);
/* The process ends: the last figures, for readers that hold the page. Any thread. */
void stats_exit(void);
/* After fork, in the child. */
void stats_child(void);

#endif
