/* SPDX-License-Identifier: MIT */
/*
 * process.h - a process as /proc shows it to us
 *
 * Its main thread may be gone while others go on; its executable may have been removed or
 * replaced; it may live in a PID namespace and call itself and its threads by other
 * numbers than we do. Looks only. Every answer may be outdated when it arrives.
 *
 * Bound: PROCESS_THREADS_MAX entries of a task directory, PROCESS_MAX of /proc.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_THREADS_MAX 4096
#define PROCESS_MAX	    65536
#define PROCESS_NAME	    256 /* of a file, NUL included */

/* The number a name in /proc is, or -1. */
pid_t process_number(const char *word);

/* A thread of it that is alive: pid itself, or another where the main thread has left by
 * pthread_exit(). 0: the process has ended. Its /proc/PID/task/TID is what to read: that
 * of a main thread that has left is empty. */
pid_t process_thread(pid_t pid);

/* Base name of the executable, as its bytes are; also of one that was removed or
 * replaced since. False and "": not known. */
bool process_name(pid_t pid, char name[static PROCESS_NAME]);

/* Our number of the thread that calls itself `inner`; the same number unless the process
 * is in a PID namespace of its own. 0: there is none. */
pid_t process_outer(pid_t pid, pid_t inner);

/* Our number of the process that calls itself `inner` and has a file mapped whose path
 * holds `name`; 0: none. */
pid_t process_with_file(pid_t inner, const char *name, ino_t ino);

/* Was it started by that one, or by one that was, … and so on? It itself: yes. */
bool process_descends(pid_t pid, pid_t from);

/* Calls fn for every process, in order of numbers, until it answers true. */
void process_each(bool (*fn)(pid_t pid, void *arg), void *arg);

#endif
