/* SPDX-License-Identifier: MIT */
/*
 * fd_table.h - use descriptors without the program seeing one
 *
 * A descriptor that we open, however briefly, takes the lowest free number: a program
 * that closes 0 and opens something in another thread would get the wrong one, and a
 * child forked in between would keep ours. So descriptors are only opened where nobody
 * shares the table: in the helper thread (its table is its own), in a program that has
 * one thread, or in a thread without CLONE_FILES that lives for this one call.
 *
 * Never called on the realtime path.
 */
#ifndef FD_TABLE_H
#define FD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* The calling thread has a descriptor table of its own (close_range with UNSHARE). */
void fd_table_mark_private(void);
bool fd_table_private(void);

/*
 * Runs fn(arg) where descriptors may be opened, with all signals blocked; fn closes what
 * it opens, calls no libc function, and needs at most 12 KiB of stack. Returns what fn
 * returned, or a negative errno when there is no such place. Threads: any, one at a time.
 */
int fd_table_run(int (*fn)(void *), void *arg);

/* Reads at most len - 1 bytes and ends them with NUL. The length, or a negative errno. */
int fd_table_slurp(const char *path, char *buf, unsigned len);

/* None of those threads exists, at one moment; returns how many there were. They count
 * where the program may have so many threads. Not realtime. */
uint32_t fd_table_guests_gone(void);

/* In the child of a fork: a thread that held the place is not there any more. */
void fd_table_child(void);

#endif
