/* SPDX-License-Identifier: MIT */
/*
 * init.h - start, fork, exit
 */
#ifndef INIT_H
#define INIT_H

/* A pool or another object of the API is about to exist, whether or not there is a
 * policy: forks are taken care of from now on, and free() looks at addresses. Idempotent.
 * Threads: any. */
void init_native(void);
/* After fork, in the child, this is called too. INIT_CHILDREN different functions at
 * most, each any number of times. */
#define INIT_CHILDREN 8
void init_child_also(void (*child)(void));

#endif
