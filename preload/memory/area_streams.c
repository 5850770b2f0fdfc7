/* SPDX-License-Identifier: MIT */
/*
 * area_streams.c - what libc itself reads in the child of a fork before any handler runs
 *
 * libc's fork() follows the list of open streams and resets the lock of each. A stream
 * that a realtime thread opened lies in a pool. The other things it touches there (thread
 * descriptors on stacks from a pool, thread-specific data of others) it only writes, and
 * those writes concern threads that the child does not have.
 *
 * The list's own lock is held from area_streams_hold() to area_streams_let_go(), as libc
 * does during the fork itself, so that no stream appears in between. Bound: 4,096
 * streams.
 */
#include <stdint.h>
#include <stdio.h>

#include "area_private.h"

#define STREAMS_MAX 4096

/* Exported by libc since 2.2.5 for such walks, in no header. */
extern __attribute__((weak)) void _IO_list_lock(void);
extern __attribute__((weak)) void _IO_list_unlock(void);
extern __attribute__((weak)) void _IO_list_resetlock(void);
extern __attribute__((weak)) FILE *_IO_iter_begin(void);
extern __attribute__((weak)) FILE *_IO_iter_end(void);
extern __attribute__((weak)) FILE *_IO_iter_next(FILE *at);

bool area_streams_hold(void)
{
	if (!_IO_list_lock || !_IO_list_unlock || !_IO_list_resetlock ||
		!_IO_iter_begin || !_IO_iter_end || !_IO_iter_next)
		return false;
	_IO_list_lock();
	return true;
}

void area_streams_let_go(bool in_child)
{
	/* in the child libc has made the lock new already if there were threads */
	if (in_child)
		_IO_list_resetlock();
	else
		_IO_list_unlock();
}

bool area_streams_each(bool (*keep)(const void *start, size_t len))
{
	unsigned n = 0;

	for (FILE *f = _IO_iter_begin(); f != _IO_iter_end(); f = _IO_iter_next(f)) {
		if (n++ == STREAMS_MAX || !keep(f, sizeof *f) || !keep(f->_lock, 16))
			return false;
	}
	return true;
}
