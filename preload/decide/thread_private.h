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
extern int thread_matched_count; /* atomic, relaxed: the helper's pace, heaps of a pool */
extern int thread_coming_count;	 /* atomic: threads that may soon be matched */
extern bool thread_ask_names;	 /* some rule has a thread condition */
extern void (*thread_on_match)(bool now);

void thread_give_slot_locked(struct slot *s);
/* on: new threads say where their stacks are, even if no rule asks. */
void thread_audit_asks(bool on);
/* Helper, under the lock: where a walk of its stack may read; the thread takes it over
 * when it switches. */
void thread_find_stack(struct slot *s, void *arg);

/*
 * From the facts in a slot to its route, without holding the lock over anything slow:
 * pools are made and memory is locked first.
 */
enum thread_need { THREAD_NONE, THREAD_CAN_WAIT, THREAD_NEEDS_HELPER };
enum thread_need thread_match(struct slot *s);
/* The same, by others than the helper: it is started if need be. */
void thread_match_and_tell(struct slot *s);

#endif
