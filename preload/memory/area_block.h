/* SPDX-License-Identifier: MIT */
/*
 * area_block.h - one big block of pages on its own: mapped, touched, locked if it may be
 *
 * For memory that comes and goes as a whole (frames). Realtime: no. Keeps errno.
 */
#ifndef AREA_BLOCK_H
#define AREA_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* bytes: a multiple of AREA_PAGE. NULL: no memory. *locked: all of it is. */
void *area_block_map(size_t bytes, bool lock, bool *locked);
void area_block_unmap(void *block, size_t bytes);

/* The same for memory somebody else mapped: whole pages are touched and locked. False:
 * not all of them are locked. The pages at both ends are the block's alone. */
bool area_block_hold(void *block, size_t bytes);
void area_block_let_go(void *block, size_t bytes);

#endif
