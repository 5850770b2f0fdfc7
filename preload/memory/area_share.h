/* SPDX-License-Identifier: MIT */
/*
 * area_share.h - an area whose memory other processes can map through a descriptor
 *
 * Realtime: no. Keeps errno.
 */
#ifndef AREA_SHARE_H
#define AREA_SHARE_H

#include <stdbool.h>

#include "area.h"

struct area_shared {
	int fd; /* close-on-exec, in the program's table: it asked for one */
	uint64_t inode;
};

/* As area_reserve(), of a memory file. Others can write if writable, else only read. */
int area_reserve_shared(struct area *a, void *at, size_t size, unsigned flags,
	bool writable, struct area_shared *out);

/* A new descriptor that survives exec; -EBADF when the program closed ours. */
int area_shared_descriptor(const struct area_shared *s);
void area_shared_close(const struct area_shared *s);

#endif
