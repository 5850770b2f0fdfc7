/* SPDX-License-Identifier: MIT */
/*
 * bare.h - the bare loop: what the machine itself does to a program that allocates
 * nothing
 *
 * Interrupts, preemption and cold caches hit it as they hit an allocator. Addresses of
 * touched memory, one after the other; nothing is kept, so blocks may overlap those that
 * are long in use: no program that reads what it wrote runs on it.
 */
#ifndef BARE_H
#define BARE_H

#include <stddef.h>

/* Memory for so many threads, `bytes` each, touched and if possible locked. Exits with 2
 * when there is none. */
void bare_init(unsigned threads, size_t bytes);
/* The calling thread gets the next slice, one after the other, round and round. */
void bare_mine(void);
/* By a thread that has a slice. Touches the first byte. */
void *bare_take(size_t size);
/* Any thread. Touches the first byte. */
void bare_give(void *p);

/* How many turns of bare_loop() take so many nanoseconds, as timed by two rdtsc around.
 */
unsigned bare_turns(double ns);
/* Touches a block that is touched already, so many times. */
void bare_loop(unsigned turns);

#endif
