/* SPDX-License-Identifier: MIT */
/*
 * loader.h - dl_iterate_phdr(3), but never across a fork
 *
 * The call holds a lock of libc that is not freed in the child of a fork. If a thread of
 * ours were inside while the program forks, the lock would stay held in the child. So a
 * fork waits until our threads are outside, and our threads wait until a fork is over.
 *
 * Both wait for at most LOADER_TRIES naps, because the forking thread may hold a lock
 * that a waiting thread has to release.
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
