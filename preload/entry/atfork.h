/* SPDX-License-Identifier: MIT */
/*
 * atfork.h - our handlers of fork(), outermost in every order of registration
 *
 * libc runs the handlers that were registered last first, and after the fork last.
 * Handlers of the program allocate, so ours are registered before all others:
 * entry_fork.c sees every registration. Our handlers call those of jemalloc, and only
 * when another thread may hold its locks.
 */
#ifndef ATFORK_H
#define ATFORK_H

#include <stdbool.h>

/* Registers with libc, once. Called at start, and before anybody else registers. */
void atfork_first(void);
/* From now on these are run as well. prepare answers whether another thread may be inside
 * jemalloc; child runs with one thread, before any handler of the program. */
void atfork_use(bool (*prepare)(void), void (*parent)(void), void (*child)(void));

/* The function behind ours, for the program's handlers. */
int atfork_register(
	void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object);

#endif
