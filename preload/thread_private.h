/* SPDX-License-Identifier: MIT */
/*
 * thread_private.h - what the thread_*.c files share
 */
#ifndef THREAD_PRIVATE_H
#define THREAD_PRIVATE_H

#include "thread_facts.h"

extern struct lock thread_lock;
/* Append-only list of slots ever made; a slot's link never changes, so it can be followed
 * without the lock. */
extern struct slot *thread_all;
extern int thread_matched_count; /* atomic, relaxed: the helper's pace */
extern bool thread_ask_names;	 /* some rule has a thread condition */
extern void (*thread_on_match)(void);

void thread_give_slot_locked(struct slot *s);

/*
 * From the facts in a slot to its route, without holding the lock over anything slow:
 * pools are made and memory is locked first. True when the thread became matched by this.
 */
bool thread_match(struct slot *s);

#endif
