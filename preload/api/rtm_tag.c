/* SPDX-License-Identifier: MIT */
/*
 * rtm_tag.c - tags: names on which blocks are counted, as declared in rtmem.h
 *
 * A handle is the tag itself (tag.h); which one a block is booked on stands behind its
 * bytes (tag_block.h). Bound: one pool operation each.
 */
#include "rtm.h"

#include <errno.h>
#include <string.h>

#include "engine/tag_block.h"
#include "decide/thread.h"

static struct tag *rtm_tag_known(const rtm_tag *tag)
{
	struct tag *t = (struct tag *)(void *)(uintptr_t)tag;

	return tag_valid(t) ? t : NULL;
}

rtm_tag *rtm_tag_create(const char *name)
{
	struct tag *t = tag_create(name, TAG_PROGRAM, 0);

	if (!t)
		errno = ENOMEM;
	return (rtm_tag *)(void *)t;
}

status_t rtm_tag_delete(rtm_tag *tag)
{
	struct tag *t = rtm_tag_known(tag);

	if (!t || t->kind != TAG_PROGRAM)
		return B_BAD_VALUE;
	/* relaxed: the caller has waited for the thread that freed the last block */
	if (__atomic_load_n(&t->blocks, __ATOMIC_RELAXED))
		return -EBUSY;
	tag_delete(t);
	return B_OK;
}

const char *rtm_tag_name(const rtm_tag *tag)
{
	const struct tag *t = rtm_tag_known(tag);

	return t ? t->name : NULL;
}

void *rtm_tag_alloc(rtm_tag *tag, rtm_pool *pool, size_t size)
{
	struct tag *t = rtm_tag_known(tag);
	struct pool *p = t && t->kind == TAG_PROGRAM ? rtm_pool_need(pool) : NULL;
	void *block = p ? rtm_take_tagged(p, size, t) : NULL;

	if (!block)
		errno = !t || t->kind != TAG_PROGRAM || (pool && !p) ? EINVAL : ENOMEM;
	return block;
}

void *rtm_tag_alloc_nowait(rtm_tag *tag, rtm_pool *pool, size_t size)
{
	struct tag *t = rtm_tag_known(tag);
	void *block;

	if (!t || t->kind != TAG_PROGRAM || size > RTM_TOTAL_MAX) {
		errno = t && t->kind == TAG_PROGRAM ? ENOMEM : EINVAL;
		return NULL;
	}
	block = rtm_take_nowait(pool, size + TAG_TAIL);
	if (block)
		tag_put(block, size, t);
	return block;
}

rtm_tag *rtm_tag_of(const void *block)
{
	const struct pool *p = block ? pools_find(block) : NULL;

	/* acquire: pairs with the release at the end of the commit */
	if (!p || !__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE))
		return NULL;
	return (rtm_tag *)(void *)tag_of_all(p->heap, block);
}

/* What a rule's threads hold stands in their caches. */
static void rtm_tag_held(struct tag_held *held)
{
	thread_lock_registry();
	thread_held_locked(held);
	thread_unlock_registry();
}

static struct rtm_tag_stats rtm_tag_figures(struct tag *t, const struct tag_held *held)
{
	struct tag_figures f = tag_figures(t, held);

	return (struct rtm_tag_stats){
		.name = t->name,
		.blocks = f.blocks,
		.bytes = f.bytes,
		.peak = f.peak,
	};
}

status_t rtm_get_tag_stats(
	const rtm_tag *tag, struct rtm_tag_stats *out, size_t stats_size)
{
	struct tag *t = rtm_tag_known(tag);
	struct rtm_tag_stats s;
	struct tag_held held;

	if (!t || !out || stats_size == 0)
		return B_BAD_VALUE;
	if (t->kind == TAG_RULE)
		rtm_tag_held(&held);
	s = rtm_tag_figures(t, &held);
	memset(out, 0, stats_size);
	memcpy(out, &s, stats_size < sizeof(s) ? stats_size : sizeof(s));
	return B_OK;
}

struct rtm_tag_call {
	void (*fn)(const struct rtm_tag_stats *, void *);
	void *arg;
	struct tag_held held;
};

static void rtm_tag_one(struct tag *t, void *arg)
{
	const struct rtm_tag_call *call = arg;
	struct rtm_tag_stats s = rtm_tag_figures(t, &call->held);

	call->fn(&s, call->arg);
}

void rtm_each_tag(void (*fn)(const struct rtm_tag_stats *stats, void *arg), void *arg)
{
	struct rtm_tag_call call = {fn, arg, {{0}, {0}}};

	if (!fn)
		return;
	rtm_tag_held(&call.held);
	tag_each(rtm_tag_one, &call);
}
