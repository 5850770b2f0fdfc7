/* SPDX-License-Identifier: MIT */
/*
 * site_lock.h - one slow-side change at a time
 *
 * Held while modules are read and compiled, which takes milliseconds and system calls, so
 * it is not a struct lock; no realtime thread ever takes it. A signal handler that calls
 * dlopen() inside dlopen() would wait for itself.
 */
#ifndef SITE_LOCK_H
#define SITE_LOCK_H

void site_lock(void);
void site_unlock(void);
/* In the child of a fork: its holder may not exist here. */
void site_lock_child(void);

#endif
