/* SPDX-License-Identifier: MIT */
/*
 * thread_facts.h - a thread's class, name and stack, as the kernel and libc know them
 */
#ifndef THREAD_FACTS_H
#define THREAD_FACTS_H

#include "thread.h"

/* Class and priority of s->tid. False when there is no such thread any more. */
bool thread_read_sched(struct slot *s);
/* Name of the calling thread. */
void thread_read_own_name(struct slot *s);
/* Name of any thread, from /proc: by the helper only, whose descriptors are its own. */
void thread_read_name(struct slot *s);
/* Where the calling thread's stack ends. */
void thread_read_stack(struct slot *s);

#endif
