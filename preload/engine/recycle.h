/* SPDX-License-Identifier: MIT */
/*
 * recycle.h - keep freed big blocks a while, and hand them out again at the same size
 *
 * What was just freed is still mapped, touched and locked: using it again costs no system
 * call and no fault. What nobody wanted for `age` goes back to where it came from. Where
 * that is, the owner says: this file maps nothing.
 *
 * A place of the table is claimed by one compare-and-swap, so nobody waits for anybody:
 * who finds a place claimed goes on to the next.
 *
 * Bound: RECYCLE_TRIES looks at RECYCLE_KEEP places.
 */
#ifndef RECYCLE_H
#define RECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/lock.h"

#define RECYCLE_KEEP  64
#define RECYCLE_TRIES 3 /* a look is in vain when another took what it found */

struct recycle {
	uint64_t age; /* nanoseconds; 0: nothing is kept */
	void (*give)(
		void *block, size_t bytes, void *arg); /* back to where it came from */
	/* what nobody had kept is made fit to be; NULL: it is as it is */
	void (*fresh)(void *block, size_t bytes, void *arg);
	void *arg;

	struct recycle_place {
		void *block; /* atomic; NULL: free; RECYCLE_CLAIMED */
		/* of who claimed the place; atomic, relaxed: others read them as hints */
		size_t bytes;
		uint64_t since; /* CLOCK_MONOTONIC ns of its free */
	} kept[RECYCLE_KEEP];
	uint64_t hits, misses; /* relaxed: figures */
	struct recycle *next;  /* registry */
};

uint64_t recycle_now(void);

/* r->age, give and arg are set by the caller, the rest is zero. Not on the realtime path.
 */
void recycle_register(struct recycle *r);
void recycle_unregister(struct recycle *r); /* flushes */

/* Realtime: yes. The block of exactly this size that was freed last, or NULL. */
void *recycle_hit(struct recycle *r, size_t bytes);
/* A block that had to be had elsewhere, of this size. Returns it; NULL: there was none.
 */
static inline void *recycle_fresh(const struct recycle *r, void *block, size_t bytes)
{
	if (block && r->fresh)
		r->fresh(block, bytes, r->arg);
	return block;
}
/* Realtime: yes. False: not kept (age is 0, or no room); the caller gives it back. */
bool recycle_keep(struct recycle *r, void *block, size_t bytes);

/* Nothing is kept from now on; all goes back. Realtime: no. */
void recycle_stop(struct recycle *r);
/* Gives back what was kept for longer than r->age (all: everything). Realtime: no. */
void recycle_age(struct recycle *r, bool all);
/* Helper: the same for every registered one. */
void recycle_age_all(void);
/* After fork, in the child: locks are free; a place that another thread had claimed stays
 * empty. */
void recycle_child(void);

#endif
