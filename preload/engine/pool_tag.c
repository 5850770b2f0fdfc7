/* SPDX-License-Identifier: MIT */
/*
 * pool_tag.c - what realloc() and malloc_usable_size() have to know of tagged blocks
 *
 * Realtime: yes. Bound: that of pool_alloc().
 */
#include "pool.h"
#include "tag_block.h"

void pool_forget_size(const struct pool *p, void *block)
{
	if (block_tag(block_of(block)) > TAG_UNTAGGED)
		block_set_requested(block_of(block), block_usable_of(block));
}

size_t pool_room(const struct pool *p, const void *block)
{
	return tag_room(p->heap, block);
}

bool pool_tagged(const struct pool *p, const void *block)
{
	return tag_of_any(p->heap, block) != NULL;
}

void *pool_replace_tagged(struct pool *p, const void *block, size_t size)
{
	struct tag *t = p->inherited ? NULL : tag_of_any(p->heap, block);
	void *to = t && size < BLOCK_MAX / 2 ? pool_alloc(p, size + TAG_TAIL, 0) : NULL;

	if (to)
		tag_put(to, size, t);
	return to;
}
