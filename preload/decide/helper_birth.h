/* SPDX-License-Identifier: MIT */
/*
 * helper_birth.h - the processors, class and limits of the helper, not those of its maker
 *
 * A new thread inherits processors, class and priority, nice, signal mask, memory policy
 * and control group. The maker may be a realtime thread that keeps one processor
 * to itself. The helper has the processors and nice of the process's start, no signals,
 * and the lowest realtime class where the process may. (Control groups: helper_group.h.)
 */
#ifndef HELPER_BIRTH_H
#define HELPER_BIRTH_H

#include <pthread.h>

/* At start: what the process is now. A child of fork() keeps it: the thread that forked
 * may be one with a processor to itself. */
void helper_birth_note(void);
/* Makes the thread; 0 or an errno. Leaves out what is refused. */
int helper_birth(pthread_t *t, void *(*main)(void *));
/* The first thing the new thread does: what its maker could not give it. */
void helper_birth_self(void);

#endif
