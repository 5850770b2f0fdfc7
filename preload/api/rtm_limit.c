/* SPDX-License-Identifier: MIT */
/*
 * rtm_limit.c - no more bytes are handed out of a pool than it was made for
 *
 * A pool's span has room for one block of all its bytes, S with its header and rounded
 * up, and no more (pool.c). That could still be up to 15 bytes beyond its size in one
 * block, and 7 in two; three blocks have three headers, which is enough. So a block is
 * never larger than the pool, and one of half the pool or more takes 7 bytes more than
 * asked for, unless it is all of S. Then of two blocks
 *
 *	sum <= S - 8 - (8 + 7) <= size + 23 - 23
 *
 * No loop, no call out but for the size of the span. Realtime: yes.
 */
#include "rtm.h"

#define LIMIT_PAD 7UL

/* Bytes of the block that fills the pool. */
static size_t limit_whole(const struct pool *p)
{
	return heap_span_for(p->max) - HEAP_RUN_ENDS;
}

/* Is a block for so many bytes, unpadded, the only one there can be? */
static bool limit_is_only(const struct pool *p, size_t size)
{
	size_t whole = limit_whole(p);

	return size + BLOCK_HEADER + BLOCK_ALIGN > whole || whole < 2 * BLOCK_MIN;
}

bool rtm_limit(const struct pool *p, size_t *size)
{
	if (!p->native)
		return true;
	if (*size > p->max)
		return false;
	if (*size * 2 >= p->max && !limit_is_only(p, *size))
		*size += LIMIT_PAD;
	return true;
}

size_t rtm_limit_most(const struct pool *p, size_t room)
{
	size_t most = room;

	if (!p->native)
		return room;
	if (most > p->max)
		most = p->max;
	if (most * 2 < p->max || limit_is_only(p, most))
		return most;
	most = room - LIMIT_PAD;
	return most * 2 < p->max ? (p->max - 1) / 2 : most;
}

size_t rtm_limit_available(struct pool *p)
{
	size_t bytes = pool_available(p);

	bytes = bytes > BLOCK_HEADER ? bytes - BLOCK_HEADER : 0;
	return p->native && bytes > p->max ? p->max : bytes;
}
