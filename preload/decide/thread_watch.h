/* SPDX-License-Identifier: MIT */
/*
 * thread_watch.h - switch the counting of matched threads' calls on and off
 */
#ifndef THREAD_WATCH_H
#define THREAD_WATCH_H

#include "thread.h"

/* From now on matched threads count and time their calls, or stop it. Helper only. */
void thread_watch_calls(bool on);
/* s has memory to count in, locked like the slot itself. Threads: any. */
void thread_watch_ready(struct slot *s);
/* While it is on, under the thread lock: s counts, too, if it matched just before that.
 */
void thread_watch_late_locked(struct slot *s);
/* Under the thread lock, helper only: reads the page faults and involuntary waits of s,
 * which counts. */
void thread_watch_facts(struct slot *s);

#endif
