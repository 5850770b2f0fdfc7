/* SPDX-License-Identifier: MIT */
/*
 * proc.h - does the memory belong to this process, or to its parent?
 *
 * fork() runs our handlers, and the child starts anew. Other ways to make a process do
 * not; its memory still has the notes of its parent:
 *
 *	copied     By raw clone, clone3 or _Fork. The memory is the child's own, but its
 *	           threads, mappings and locks are those of the parent.
 *	borrowed   By vfork, or clone with CLONE_VM. The memory is the parent's, which
 *	           goes on using it; the child must change nothing.
 *
 * A copy is recognised by a word that the kernel wipes in it (process numbers repeat in
 * other namespaces), a borrower by its process number. Never on the realtime path. Bound:
 * one load and one system call; in a copy, once, the work of the child of a fork.
 */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* From now on there is state that may be another's. copied: what the child of a fork
 * does; run once in a copy, by the first who asks. */
void proc_own(void (*copied)(void));
/* In the child of a fork, and in a copy: what is in memory is its own, or is made so. */
void proc_child(void);

/*
 * Is the state this process's own? In a copy it is made so. False: it is borrowed, and
 * nothing of it may be changed but memory itself. Asked before any lock of ours is taken.
 */
bool proc_mine(void);

/* 0 in a copy. Before proc_own() it is 1. */
extern const uint32_t *proc_word;

/* Is this a copy that nobody has asked in yet? No system call. */
static inline bool proc_copied(void)
{
	/* relaxed, both: they change where there is one thread, and at start */
	const uint32_t *word = __atomic_load_n(&proc_word, __ATOMIC_RELAXED);

	return __builtin_expect(!__atomic_load_n(word, __ATOMIC_RELAXED), 0);
}

/* Waits until the kernel has counted out a thread of this process. That is later than
 * all other signs of its end. Bound: PROC_GONE looks, a second and more. */
void proc_wait_gone(pid_t tid);

#endif
