/* SPDX-License-Identifier: MIT */
/*
 * started.h - a command that report or audit has started, and what it leaves running
 *
 * A daemon goes on after the command has ended, and has then another parent: this process
 * adopts it, so that it is known whose it is. Nothing here waits or ends a process.
 */
#ifndef STARTED_H
#define STARTED_H

#include <stdbool.h>
#include <sys/types.h>

struct started {
	pid_t pid;
	int status;	 /* of the command, when it has ended */
	bool ended;	 /* the command itself */
	bool alone;	 /* and nothing that it has started is left */
	double ended_at; /* seconds, as started_now() */
};

/*
 * Starts the command as rtmem run does, --conf when conf is given; -1 and errno without a
 * process. before: called in the new process first; it may end that.
 */
pid_t started_begin(struct started *s, const char *conf, char **command,
	void (*before)(void *arg), void *arg);
/* Reaps what has ended. True: the command itself has. */
bool started_ended(struct started *s);
double started_now(void);

#endif
