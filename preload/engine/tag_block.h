/* SPDX-License-Identifier: MIT */
/*
 * tag_block.h - which tag a live block of a pool is booked on
 *
 * The tag of a rule or of the library has a number, which is in the block's header. A
 * program may make thousands of tags; its tag stands sealed in the last eight bytes of
 * the block, behind the requested bytes. The slack in the header tells such a block from
 * others, and it is freed like any other. Every way back ends the booking: all lead
 * through tag_leave(), or through a cache that counts blocks of the same tag. A tag that
 * the program has overwritten makes a wrong figure and nothing worse.
 *
 * A program's tag counts requested bytes; a tag with a number counts whole blocks.
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
/* Books a live block on this tag from now on. It was on any numbered tag, or on none. */
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

/* heap_resize() of a live block of any tag. */
bool tag_resize(struct heap *h, void *p, size_t size);

/* Bytes of what may be a live block of h that the program may use. */
size_t tag_room(const struct heap *h, const void *p);

#endif
