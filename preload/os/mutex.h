/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - a lock that may be held around system calls
 *
 * For slow work that no realtime thread does: so it inherits no priority, and works under
 * any system call filter that lets a program wait. Three states (Drepper, "Futexes Are
 * Tricky", mutex 2): 0 free, 1 held, 2 held and somebody may sleep. Not recursive.
 */
#ifndef MUTEX_H
#define MUTEX_H

#include <stdint.h>

#include "child.h"

struct mutex {
	uint32_t word;
};

void mutex_acquire(struct mutex *m);
void mutex_release(struct mutex *m);

/* In the child of a fork: its holder is not there. */
static inline void mutex_child(struct mutex *m)
{
	CHILD_SET(m->word, 0);
}

#endif
