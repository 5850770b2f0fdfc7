/* SPDX-License-Identifier: MIT */
/*
 * floor.h - the physical limit of the idea: a bare stack of addresses per size class
 *
 * No checks, no limits, no give-back. One thread allocates and frees, one other may free.
 * It is what a real allocator is measured against, not one to use.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>

/* bytes of memory, touched and if possible locked. 0, or -1 with errno. */
int floor_init(size_t bytes);
void *floor_alloc(size_t size); /* by one thread only */
void floor_free(void *p);
/* The thread that allocates says so, and frees without an atomic. */
void floor_mine(void);

#endif
