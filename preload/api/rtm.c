/* SPDX-License-Identifier: MIT */
/*
 * rtm.c - blocks of the native API: rtm_alloc and kin, as declared in RealtimeAlloc.h
 *
 * The address of a pointer decides its pool; the check in its header decides whether it
 * is a live block. Nothing else is read or written before both are known. Bound: that of
 * one pool operation; rtm_realloc() also copies a block that moves.
 */
#include "rtm.h"

#include <errno.h>
#include <string.h>

#include "engine/tag_block.h"

#define RTM_TAKE 64 /* returned blocks that rtm_available() takes back */

/* The pool a pointer lies in. One that is only reserved holds no blocks. */
static struct pool *rtm_around(const void *block)
{
	struct pool *p = block ? pools_find(block) : NULL;

	/* acquire: pairs with the release at the end of the commit */
	return p && __atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) ? p : NULL;
}

/* The pool of a live block of ours, or NULL. */
static struct pool *rtm_owner(const void *block)
{
	struct pool *p = rtm_around(block);

	return p && heap_check_pointer(p->heap, block) == HEAP_OK ? p : NULL;
}

/* The engine has no blocks of 0 bytes: one of 1, and its size set to 0. */
static void *rtm_take_bare(struct pool *p, size_t size, size_t align)
{
	size_t ask = size;
	void *block;

	rtm_debug_check(p);
	block = rtm_limit(p, &ask) ? pool_alloc(p, ask ? ask : 1, align) : NULL;
	if (__builtin_expect(!block, 0)) {
		/* relaxed: a figure */
		pool_was_full(p, size);
		return NULL;
	}
	if (size == 0)
		pool_resize(p, NULL, block, 0);
	else if (ask != size)
		block_set_requested(block_of(block), size);
	rtm_debug_allocated(p, block, 0, size);
	return block;
}

void *rtm_take(struct pool *p, size_t size, size_t align)
{
	void *block = rtm_take_bare(p, size, align);

	if (block)
		tag_own(block, TAG_UNTAGGED);
	return block;
}

static status_t rtm_give(struct pool *p, void *block)
{
	enum heap_verdict v;

	if (pools_inherited(p))
		return B_OK; /* heritage: the block's memory goes with the process */
	rtm_debug_check(p);
	rtm_debug_freeing(p, block);
	v = pool_free(p, block);
	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(p, block, v);
	return B_OK;
}

void *rtm_alloc(rtm_pool *pool, size_t size)
{
	struct pool *p = rtm_pool_need(pool);
	void *block = p ? rtm_take(p, size, 0) : NULL;

	if (__builtin_expect(!block, 0))
		errno = p || !pool ? ENOMEM : EINVAL;
	return block;
}

void *rtm_take_tagged(struct pool *p, size_t size, struct tag *tag)
{
	void *block = size < RTM_TOTAL_MAX ? rtm_take_bare(p, size + TAG_TAIL, 0) : NULL;

	if (block)
		tag_put(block, size, tag);
	return block;
}

status_t rtm_free(void *data)
{
	struct pool *p = rtm_around(data);

	return p ? rtm_give(p, data) : B_BAD_VALUE;
}

/* The block moves, within its pool; a child's heritage moves to the heir. */
static status_t rtm_move(struct pool *p, void **data, size_t had, size_t size)
{
	struct pool *to = rtm_pool_use((rtm_pool *)(void *)p);
	struct tag *tag = tag_of(*data);
	void *block = !to   ? NULL
		      : tag ? rtm_take_tagged(to, size, tag)
			    : rtm_take(to, size, 0);

	if (!block)
		return B_NO_MEMORY;
	if (!tag && to == p)
		tag_hand_over(block, block_tag(block_of(*data)));
	memcpy(block, *data, had < size ? had : size);
	rtm_give(p, *data);
	*data = block;
	return B_OK;
}

/* In place. A tag takes as many bytes behind a block as a limit would want free. */
static bool rtm_stretch(struct pool *p, void *block, size_t size)
{
	size_t ask = size;

	if (!rtm_limit(p, &ask))
		return false;
	if (tag_of(block))
		return pool_resize(p, NULL, block, size);
	if (!pool_resize(p, NULL, block, ask))
		return false;
	if (ask != size)
		block_set_requested(block_of(block), size);
	return true;
}

static status_t rtm_resize(struct pool *p, void **data, size_t size)
{
	size_t had = block_requested_of(*data);

	rtm_debug_check(p);
	if (pools_inherited(p) || !rtm_stretch(p, *data, size))
		return rtm_move(p, data, had, size);
	rtm_debug_allocated(p, *data, had, size);
	return B_OK;
}

status_t rtm_realloc(void **data, size_t new_size)
{
	struct pool *p;
	int saved = errno;

	if (!data)
		return B_BAD_VALUE;
	if (!*data) {
		*data = rtm_alloc(NULL, new_size);
		errno = saved;
		return *data ? B_OK : B_NO_MEMORY;
	}
	p = rtm_owner(*data);
	if (!p)
		return B_BAD_VALUE;
	if (new_size > 0)
		return rtm_resize(p, data, new_size);
	rtm_give(p, *data);
	*data = NULL;
	return B_OK;
}

ssize_t rtm_size_for(void *data)
{
	struct pool *p = rtm_owner(data);

	return p ? (ssize_t)block_requested_of(data) : B_BAD_VALUE;
}

ssize_t rtm_phys_size_for(void *data)
{
	struct pool *p = rtm_owner(data);
	size_t room, size;

	if (!p)
		return B_BAD_VALUE;
	if (pools_inherited(p))
		return (ssize_t)tag_room(p->heap, data);
	room = heap_room_of(p->heap, data);
	if (!tag_of(data))
		room = rtm_limit_most(p, room);
	else if ((room -= TAG_TAIL) > p->max && p->native)
		room = p->max;
	size = block_requested_of(
		data); /* malloc()'s, in a section, may have more than that */
	return (ssize_t)(room > size ? room : size);
}

size_t rtm_available(rtm_pool *pool)
{
	struct pool *p = rtm_pool_use(pool);

	if (!p)
		return 0;
	pool_take_returned(p, RTM_TAKE); /* what others gave back is free, too */
	return rtm_limit_available(p);
}

rtm_pool *rtm_get_pool(rtm_pool *head, void *block)
{
	(void)head;
	return (rtm_pool *)(void *)pools_find(block);
}
