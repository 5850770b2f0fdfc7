/* SPDX-License-Identifier: MIT */
/*
 * reload.h - the policy this process runs under, and another one taking its place
 *
 * The helper looks whether the files are still those that were read, and reads them again
 * when they have not changed for a moment. A thread follows the new policy from its
 * next malloc or free on. No signal, nothing on the realtime path. A process without a
 * helper does not notice changes; no rule can match there, or none has matched yet.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/model/match.h"

struct rule_set;

/* What came of reloads so far. */
struct reload_result {
	uint64_t reloads, failures;
	int64_t at; /* CLOCK_MONOTONIC, ns; 0: none */
	bool refused;
	uint32_t rules;
	char message[320];
};

/* At start, once: reads the policy. NULL: there is none. One with errors is returned,
 * too. secure: as for find_files(). */
struct policy *reload_first(bool secure);
/* Section [realtime] of the policy in use; NULL: there is none. What it points to stays
 * as it is. Threads: any. */
const struct policy_realtime *reload_realtime(void);
/* At start: this one is used (NULL: none), by the program exe. */
void reload_use(const struct policy *p, const char *exe);
/* At start, when no rule can ever match: nothing will be read again. */
void reload_never(void);

/* The helper, whose descriptors are its own: begins, looks in each turn, ends. */
void reload_open(int64_t now);
void reload_turn(int64_t now);
void reload_close(void);
/* After fork, in the child. */
void reload_child(void);

#endif
