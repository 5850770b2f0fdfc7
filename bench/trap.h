/* SPDX-License-Identifier: MIT */
/*
 * trap.h - a supervisor that sees every system call of a child (seccomp user
 * notification)
 *
 * A thread of the child installs the filter on itself alone and goes on under it; the
 * parent takes the listener out of the child and answers each notification with
 * "continue". Needs no privilege: PR_SET_NO_NEW_PRIVS is set, so setuid programs below it
 * stay unprivileged. getrusage() alone is let through unseen: the probes use it to count
 * faults.
 */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>
#include <sys/types.h>

/* In memory that parent and child share, all zero at first. */
struct trap {
	int listener; /* number in the child; 0: not yet, negative: errno */
	int taken;    /* the parent has it, or has given up */
};

/* In the child: returns with the filter in place on this thread. 0 or negative errno. */
int trap_child(struct trap *t);
/* In the parent: the listener, or negative errno. Waits for the child. */
int trap_parent(struct trap *t, pid_t child);
/*
 * Answers what is pending within timeout_ms; seen() is told the thread and the number of
 * each call before it goes on. False when the listener is dead (all of them ended).
 */
bool trap_serve(int listener, int timeout_ms, void (*seen)(pid_t tid, int nr));

#endif
