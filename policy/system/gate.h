/* SPDX-License-Identifier: MIT */
/*
 * gate.h - how a file is opened that another process names
 *
 * Names, links and whole mount namespaces are the other's: what looks like a page may be
 * a device, a pipe that nobody writes into, or a file of somebody else. So a name is only
 * looked up (O_PATH: nothing is opened, nothing waits). The kind of file it led to is
 * checked, and then that file, not the name again, is opened for reading.
 *
 * Every function returns a descriptor, or -1 with errno.
 */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The user as whom a thread makes files; false: there is no such thread. */
bool gate_user(pid_t pid, pid_t tid, uid_t *user);

/* A regular file, also through links. ino: this one and no other; 0: any. */
int gate_regular(int dir, const char *name, ino_t ino);

/* A file that only exists in memory and belongs to that user. */
int gate_memory(int dir, const char *name, uid_t user);

/* Into the file of a descriptor that gate_memory() gave: all n bytes, or false. */
bool gate_write(int fd, const void *data, size_t n, off_t at);

#endif
