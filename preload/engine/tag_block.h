/* SPDX-License-Identifier: MIT */
/*
 * tag_block.h - which tag a live block of a pool is booked on
 *
 * A tag with a number has it in the block's header. One of the program's making, of which
 * there may be thousands, stands sealed in the last eight bytes of the block, behind
 * those that were asked for: so the block is one like any other to whoever frees it, has
 * room to be told from others by (its slack). On whatever way a block goes back, it lets
 * go of its tag: they all lead through tag_leave(), or through a cache that counts blocks
 * of the same tag. Overwriting it makes a wrong figure and nothing worse.
 *
 * Bytes on a program's tag are those asked for; on one with a number, what the blocks
 * take of their pools.
 *
 * Realtime: yes, all of it. No lock, no loop but a failed compare-and-exchange of the
 * peak.
 */
#ifndef TAG_BLOCK_H
#define TAG_BLOCK_H

#include "heap.h"
#include "tag.h"

#define TAG_TAIL 8UL /* bytes to ask for beyond those the block is for */

/* A block just allocated with size + TAG_TAIL becomes one of `size`, booked on t. */
void tag_put(void *p, size_t size, struct tag *t);
/* The program's tag of a live block, or NULL. */
struct tag *tag_of(const void *p);
/* The same of what may not be a live block of h. */
struct tag *tag_of_any(const struct heap *h, const void *p);
/* The same, but any tag. */
struct tag *tag_of_all(const struct heap *h, const void *p);

/* A live block of nobody is booked on the tag of this number. */
void tag_own(void *p, uint8_t number);
/* A live block of whatever numbered tag or of none is booked on this one from now on. */
void tag_hand_over(void *p, uint8_t number);

/* Before a live block is retired: it is booked no more. The first: but for a number. */
void tag_leave_slow(void *p);
static inline void tag_leave_tail(void *p)
{
	if (block_slack(block_of(p)) >= TAG_TAIL && tag_any())
		tag_leave_slow(p);
}
static inline void tag_leave(void *p)
{
	tag_leave_tail(p);
	tag_count(block_tag(block_of(p)), -1, -(long)block_taken_of(p));
}

/* heap_resize() of a live block, whatever its tag. */
bool tag_resize(struct heap *h, void *p, size_t size);

/* Bytes of what may be a live block of h that the program may use. */
size_t tag_room(const struct heap *h, const void *p);

#endif
