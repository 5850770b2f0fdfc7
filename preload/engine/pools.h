/* SPDX-License-Identifier: MIT */
/*
 * pools.h - all pools of the process, and the answer to "whose pointer is this"
 *
 * Ownership is decided by address: one range holds every pool (the hull); inside it a
 * sorted table of at most POOLS_MAX spans decides, so addresses of others inside the hull
 * are safe. Pools are created and deleted under a lock no realtime thread takes; look-ups
 * are lock-free.
 */
#ifndef POOLS_H
#define POOLS_H

#include "pool.h"

#define POOLS_MAX 256

/* The hull; span 0 while there is no pool. Hidden: read without the indirection of a
 * global. */
extern __attribute__((visibility("hidden"))) uintptr_t pools_lo;
extern __attribute__((visibility("hidden"))) size_t pools_span;

/* Realtime: yes. The pool p lies in, or NULL. Bound: 8 probes. */
struct pool *pools_find_slow(const void *p);
static inline bool pools_in_hull(const void *p)
{
	/* relaxed: the hull only grows, and who holds a pointer has synchronised with its
	 * maker */
	uintptr_t lo = __atomic_load_n(&pools_lo, __ATOMIC_RELAXED);
	size_t span = __atomic_load_n(&pools_span, __ATOMIC_RELAXED);

	return (uintptr_t)p - lo < span;
}

static inline struct pool *pools_find(const void *p)
{
	return __builtin_expect(pools_in_hull(p), 0) ? pools_find_slow(p) : NULL;
}

/* NULL and *error (negative errno) on failure. */
struct pool *pools_create(const struct pool_attr *attr, int *error);
/* Waits for nobody: the caller vouches that no other thread uses the pool. */
void pools_delete(struct pool *p);
/* Is this pointer a pool that exists? (for API calls that are handed any pointer) */
bool pools_valid(const struct pool *p);
/* i from 0; NULL entries are skipped by the callback form. */
void pools_each(void (*fn)(struct pool *, void *), void *arg);
/* The same, and no pool is made or deleted meanwhile. */
void pools_each_held(void (*fn)(struct pool *, void *), void *arg);

/* After fork, in the child: pools become read-only heritage (frees are dropped, blocks
 * can still be read, sized and copied); new ones are made when needed. */
void pools_child(void);
bool pools_inherited(const struct pool *p);

#endif
