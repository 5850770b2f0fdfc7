/* SPDX-License-Identifier: MIT */
/*
 * thread.h - facts about threads: name, class, priority; and the registry of their slots
 *
 * Facts are gathered when an interposed call changes them and by the helper's looks;
 * never in malloc. The registry only grows; slots of dead threads are reused. The thread
 * lock is the outermost one of the library; malloc never takes it.
 */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "route.h"

enum slot_state { SLOT_FREE, SLOT_BORN, SLOT_LIVE };

struct rule_set;

/*
 * From now on threads are registered and matched. on_match: called without locks when a
 * thread is matched; now: it, or another, needs the helper now (thread_match.c). on_last:
 * likewise by the last thread there is, at its end.
 */
void thread_start(
	struct rule_set *set, void (*on_match)(bool now), void (*on_last)(void));
/* The helper: every thread follows these rules from now on, at its next malloc or free.
 * What takes long is done before; threads that change meanwhile follow either. */
void thread_follow(struct rule_set *set);
bool thread_watching(void);
/* Do rules of this program ask for call sites? */
bool thread_asks_sites(void);

/* The calling thread's slot, registered now if it has none. Never NULL. */
struct slot *thread_self(void);

/* The slot of threads nobody registered. */
extern struct slot thread_nobody;

/*
 * The calling thread's slot with everything pending done: jemalloc initialised,
 * registered if anybody watches, switched. Not matched unless route_matched() says so.
 */
struct slot *thread_settle(void);

/* From the first pool on, free() has to look at addresses. */
void thread_pools_exist(void);
/* Threads nobody registered come to thread_settle() at their next malloc. */
void thread_ask_nobody(void);

/* Around pthread_create: a slot for the child, or NULL when nobody watches. */
struct slot *thread_prepare(void);
void thread_unprepare(struct slot *s);
/* First thing the new thread does: facts are read and its route is set. code: what it
 * runs. */
void thread_born(struct slot *s, const void *code);

/* Facts of `tid` (0: the caller) may have changed: read them again, publish the route. */
void thread_changed(pid_t tid);
/* The thread behind a pthread_t has a new name (or class, when name is NULL). */
void thread_changed_handle(pthread_t handle, const char *name);

/* The helper's look at every known thread; names: also read their names from /proc. */
void thread_look(bool names);
/* Has the program one thread, the caller, as far as we know? */
bool thread_only_one(void);
/* How many threads are about to be matched: they may have read the rules already. */
int thread_coming(void);
/* How many threads are matched now. */
int thread_matched(void);
/* Every live slot, under the thread lock. */
void thread_each(void (*fn)(struct slot *, void *), void *arg);
/* The lock itself, for what must not change meanwhile; each call of lock has its unlock.
 */
void thread_lock_registry(void);
void thread_unlock_registry(void);
/* As thread_each(), by who holds it. */
void thread_each_locked(void (*fn)(struct slot *, void *), void *arg);
/* What the threads' caches hold of each tag. Under the thread lock. */
struct tag_held;
void thread_held_locked(struct tag_held *held);

/* After fork, in the child: only the caller is left; it is registered at its next malloc.
 */
void thread_child(void);

#endif
