/* SPDX-License-Identifier: MIT */
/*
 * thread.h - facts about threads: name, class, priority; and the registry of their slots
 *
 * Facts are gathered when an interposed call changes them and by the helper's looks;
 * never in malloc. The registry only grows; slots of dead threads are reused. Lock order:
 * thread lock, then nothing.
 */
#ifndef THREAD_H
#define THREAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "route.h"

enum slot_state { SLOT_FREE, SLOT_BORN, SLOT_LIVE, SLOT_GONE };

/* From now on threads are registered and matched; m lives until the process ends. */
void thread_start(const struct match_process *m);
bool thread_watching(void);

/* The calling thread's slot, registered now if it has none. Never NULL after
 * thread_start. */
struct slot *thread_self(void);
/* Before pthread_create: a slot for the child, or NULL when not watching. */
struct slot *thread_prepare(void);
void thread_unprepare(struct slot *s);
/* First thing the new thread does; facts are read and the route is set before it returns.
 */
void thread_born(struct slot *s);
/* Last thing a thread does (key destructor): its cache goes back, its slot is reused. */
void thread_gone(struct slot *s);

/* Something changed facts of `tid` (0: self): read them again and publish the route. */
void thread_facts_changed(pid_t tid);
/* The helper's look at every known thread; names_too: also read /proc names. */
void thread_look(bool names_too);
/* How many threads are matched now. */
int thread_matched(void);
void thread_each(void (*fn)(struct slot *, void *), void *arg);

/* fork: in the child only the caller exists; it is registered afresh. */
void thread_child(void);

#endif
