/* SPDX-License-Identifier: MIT */
/*
 * rule_pool.h - the pools that policies name: one for each name, as long as the process
 *
 * A policy read again finds its pools here. Pools are never shrunk, moved or deleted:
 * blocks of the program are in them.
 *
 * Never on the realtime path.
 */
#ifndef RULE_POOL_H
#define RULE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/model/policy.h"
#include "engine/pool.h"

struct rule_pool {
	struct rule_pool *next;
	struct policy_pool as;	 /* what the policy in use says; under the lock */
	struct policy_pool made; /* what it said when the pool was made */
	struct pool *pool;	 /* NULL: not made, or there was no memory for it */
	unsigned waits;		 /* keys that wait for the next start of the program */
	bool tried;		 /* atomic: pool is what it will be */
	bool advised;		 /* said once, also for children of a fork */
};

/* The place of pp's name, made now if there is none; NULL without memory. By one thread
 * at a time: at start, then the helper. */
struct rule_pool *rule_pool_named(const struct policy_pool *pp);

/* From now on m is as pp says, and serves `rule`. What a live pool cannot follow waits
 * for the next start of the program: said in one line, which note holds, too, when there
 * is any ("" otherwise). Helper, or at start. */
void rule_pool_follow(struct rule_pool *m, const struct policy_pool *pp, const char *rule,
	char *note, unsigned len);

/* Made, as far as it can be? */
bool rule_pool_tried(const struct rule_pool *m);
/* Makes it: takes milliseconds. Threads: any. */
void rule_pool_make(struct rule_pool *m, const char *rule);

/* After fork, in the child: all are to be made anew. */
void rule_pool_child(void);

#endif
