/* SPDX-License-Identifier: MIT */
/*
 * compat_cmblocks.h - which blocks an allocator has handed out, and how large they are
 *
 * A hash table by address that grows by doubling. Its owner's lock protects it; a growth
 * is prepared outside of that. Bound: the length of a run of occupied slots, half of
 * which are free.
 */
#ifndef COMPAT_CMBLOCKS_H
#define COMPAT_CMBLOCKS_H

#include <stdbool.h>
#include <stddef.h>

struct cm_block {
	void *p; /* NULL: free */
	size_t bytes;
};

struct cm_blocks {
	struct cm_block *slot;
	size_t cap, n; /* cap: power of two */
};

bool cm_blocks_full(const struct cm_blocks *b);
/* Moves everything to a table of cap zeroed slots; returns the old one, to be freed. */
struct cm_block *cm_blocks_move(struct cm_blocks *b, struct cm_block *slot, size_t cap);
void cm_blocks_add(struct cm_blocks *b, void *p, size_t bytes); /* not full */
/* Bytes of a block, 0: not there. */
size_t cm_blocks_find(const struct cm_blocks *b, const void *p);
size_t cm_blocks_remove(struct cm_blocks *b, const void *p);

#endif
