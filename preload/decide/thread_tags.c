/* SPDX-License-Identifier: MIT */
/*
 * thread_tags.c - what the threads have allocated on each tag, added up
 *
 * Not on the realtime path. Bound: the threads there are, and their bins.
 */
#include <string.h>

#include "engine/tag.h"
#include "thread.h"

static void thread_add_held(struct slot *s, void *arg)
{
	const struct cache *c = (const struct cache *)(const void *)s->cache;
	struct tag_held *held = arg;
	long blocks, bytes;
	uint8_t tag = cache_figures(c, &blocks, &bytes);

	held->blocks[tag] += blocks;
	held->bytes[tag] += bytes;
}

void thread_held_locked(struct tag_held *held)
{
	memset(held, 0, sizeof(*held));
	thread_each_locked(thread_add_held, held);
}
