/* SPDX-License-Identifier: MIT */
/*
 * route.h - this thread's standing decision: where its next malloc and free go
 *
 * Every thread has a SLOT in our own memory, reached by one initial-exec TLS load. Its
 * first two words are the functions malloc() and free() jump to. A thread no rule matches
 * jumps straight into jemalloc; a matched one into its cache. Other threads may change a
 * slot's route (a parent names its child, rtkit promotes): they leave the new route in
 * `next` and point both functions at the switch, which the owner runs at its next malloc
 * or free.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdint.h>
#include <sys/types.h>

#include "../policy/match.h"
#include "cache.h"

struct slot;
typedef void *route_malloc_fn(size_t size, struct slot *s);
typedef void route_free_fn(void *p, struct slot *s);

/* The standing decision itself: immutable once published, kept until exit (few exist). */
struct route {
	struct match_standing standing;
	uint64_t want_sites; /* rules whose call-site condition has to be asked */
	struct pool *pool;   /* pool of the thread's cache; NULL: none */
	const struct policy_rule
		*rule; /* rule that decides without asking, or the first */
	bool simple;   /* standing is one rule that asks nothing: all go to `pool` */
	struct route *next_kept;
};

struct slot {
	/* line 0: read by every malloc and free of the thread */
	route_malloc_fn
		*malloc_fn; /* atomic: release by whoever, relaxed+dependency by owner */
	route_free_fn *free_fn;
	const struct route *route; /* owner writes; NULL: jemalloc */
	struct pool *entered;	   /* rtm_enter(): overrides the route; owner only */
	struct route *next;	   /* atomic: route to switch to; exchange by owner */
	uint32_t tid;
	uint32_t entered_depth;

	/* counters: owner writes with plain stores, anybody may read */
	_Alignas(64) uint64_t allocs, frees, bytes;
	uint64_t deferred, slow, fallbacks, misses;

	/* facts: under thread lock, never read by malloc */
	_Alignas(64) char name[16];
	int sched, priority;
	uint8_t state; /* enum slot_state in thread.h */
	bool name_fixed;
	struct slot *link;  /* registry */
	uint64_t last_look; /* CLOCK_MONOTONIC ns of the helper's last look */

	/* frees of jemalloc blocks by a matched thread: single producer, the helper
	 * consumes */
	_Alignas(
		64) uint32_t defer_head; /* atomic: release by owner, acquire by helper */
	uint32_t defer_tail;		 /* atomic: release by helper, acquire by owner */
	void *defer_list;		 /* overflow: Treiber stack through the block */
	void *defer_ring[256];

	_Alignas(64) unsigned char cache[CACHE_BYTES];
};

extern __attribute__((tls_model("initial-exec"))) __thread struct slot *route_self;

/* The slot of threads nobody registered: plain jemalloc until route_watch() */
extern struct slot route_nobody;

/* What an entry point calls when the thread is matched (route or entered is set). All are
 * Realtime: yes. caller: for call-site rules. */
void *route_alloc(struct slot *s, size_t size, size_t align, bool zero);
void *route_realloc(struct slot *s, void *p, size_t size);
void route_free(struct slot *s, void *p);

/* May this thread's allocations go to a pool? One load. */
static inline bool route_matched(const struct slot *s)
{
	return s->route != NULL || s->entered != NULL;
}

/* Under the thread lock, any thread: s shall follow r from its next operation on. */
void route_publish(struct slot *s, struct route *r);

/* Free of a pool block by any thread, also one without a slot; p lies in a pool. */
void route_free_pool(struct pool *pool, void *p);
/* Copy out of a pool block for realloc of an unmatched thread. */
void *route_realloc_pool(struct pool *pool, void *p, size_t size);

/* Helper: free what a matched thread left for jemalloc. Returns how many. */
unsigned route_drain_deferred(struct slot *s);

#endif
