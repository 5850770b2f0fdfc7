/* SPDX-License-Identifier: MIT */
/*
 * route_watch.h - what a matched thread counts while somebody looks at its figures
 *
 * Memory of the thread's own, locked and touched before the thread is pointed at the
 * counting functions; nothing of this is reached otherwise. The owner writes with plain
 * stores, anybody may read: figures, not facts to act on.
 */
#ifndef ROUTE_WATCH_H
#define ROUTE_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "include/rtmem_stats.h"
#include "policy/model/policy.h"

struct route_watch {
	uint64_t allocations, frees, bytes, largest;
	uint64_t worst_alloc, worst_free; /* ticks */
	uint64_t rule_calls[POLICY_RULES_MAX], rule_bytes[POLICY_RULES_MAX];
	uint32_t rule_sizes[POLICY_RULES_MAX][RTMEM_STATS_SIZES];
	uint32_t alloc_ticks[RTMEM_STATS_BUCKETS], free_ticks[RTMEM_STATS_BUCKETS];

	uint64_t interrupted; /* calls during which something else ran on its processor */
	uint64_t system_calls, lock_calls; /* within the calls; for a lock, of those */

	/* by the helper: page faults and involuntary waits of the thread when counting
	 * began, and now */
	uint64_t minor_first, major_first, waits_first, minor, major, waits;
	uint32_t tid; /* of whom; another: begin anew */
};

static inline uint64_t route_watch_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

struct audit_call;
/* Realtime: yes. Around each call that is counted; end counts what happened within. */
void route_watch_begin(struct audit_call *call);
void route_watch_end(struct route_watch *w, struct audit_call *call);
/* Realtime: yes. rule: index into the rules of its route, -1: none. */
void route_watch_alloc(struct route_watch *w, int rule, size_t size, uint64_t ticks);
void route_watch_free(struct route_watch *w, uint64_t ticks);

#endif
