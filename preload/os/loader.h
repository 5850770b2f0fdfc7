/* SPDX-License-Identifier: MIT */
/*
 * loader.h - dl_iterate_phdr(3), but never across a fork
 *
 * libc holds a lock in it that it does not free in the child of a fork: a thread of ours
 * that is in there while the program forks would leave the child one that nobody gives
 * back. So forks wait for our threads to come out, and our threads for forks.
 *
 * Both wait for at most LOADER_TRIES naps: the program may fork with locks held that
 * somebody needs who waits here.
 *
 * Never on the realtime path.
 */
#ifndef LOADER_H
#define LOADER_H

#include <link.h>
#include <stddef.h>

int loader_each(int (*fn)(struct dl_phdr_info *, size_t, void *), void *arg);

/* Around a fork, in the thread that makes it. */
void loader_fork_prepare(void);
void loader_fork_parent(void);
void loader_fork_child(void);

#endif
