/* SPDX-License-Identifier: MIT */
/*
 * tag_block.h - which tag a live block of a pool is booked on
 *
 * It stands sealed in the last eight bytes of the block, behind those that were asked
 * for: so the block is one like any other to whoever frees it, has room to be told from
 * others by (its slack), and lets go of its tag on whatever way it goes back: they all
 * lead through tag_leave(). Overwriting it makes a wrong figure and nothing worse.
 *
 * Realtime: yes, all of it but tag_leave_all(). No lock, no loop but a failed
 * compare-and-exchange of the peak.
 */
#ifndef TAG_BLOCK_H
#define TAG_BLOCK_H

#include "heap.h"
#include "tag.h"

#define TAG_TAIL 8UL /* bytes to ask for beyond those the block is for */

/* A block just allocated with size + TAG_TAIL becomes one of `size`, booked on t. */
void tag_put(const struct heap *h, void *p, size_t size, struct tag *t);
/* The tag of a live block, or NULL. */
struct tag *tag_of(const void *p);
/* The same of what may not be a live block of h. */
struct tag *tag_of_any(const struct heap *h, const void *p);

/* Before a live block is retired: it is booked no more. */
void tag_leave_slow(void *p);
static inline void tag_leave(void *p)
{
	if (tag_any() && heap_usable_of(p) - heap_size_of(p) >= TAG_TAIL)
		tag_leave_slow(p);
}

/* heap_resize() of a live block, tagged or not. */
bool tag_resize_slow(struct heap *h, void *p, size_t size);
static inline bool tag_resize(struct heap *h, void *p, size_t size)
{
	return tag_any() ? tag_resize_slow(h, p, size) : heap_resize(h, p, size);
}

/* Bytes of what may be a live block of h that the program may use. */
size_t tag_room(const struct heap *h, const void *p);

/* The heap's memory is about to go, with all its blocks. Not on the realtime path. */
void tag_leave_all(const struct heap *h);

#endif
