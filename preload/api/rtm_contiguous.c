/* SPDX-License-Identifier: MIT */
/*
 * rtm_contiguous.c - memory in one piece of RAM, for callers who want no pool of it
 *
 * A boundary over phys.c. Live blocks are kept in a list, so that nothing else is ever
 * freed, and are booked on a tag. Never on the realtime path. Bound of a free: a walk
 * over all that is live.
 */
#include "rtm.h"

#include <errno.h>

#include "os/base.h"
#include "os/child.h"
#include "os/log.h"
#include "os/sys.h"
#include "memory/phys.h"
#include "engine/tag.h"

struct contiguous {
	struct contiguous *next;
	struct area area;
	struct phys_run run;
	pid_t owner; /* a child does not have its parent's memory */
};

static struct contiguous *contiguous_live;    /* under the lock */
CHILD_DATA static struct tag *contiguous_tag; /* likewise; what all of them hold */
CHILD_DATA static struct lock
	contiguous_lock; /* held for a walk of the list, nothing slow */

/* The tag is made with the first block and stays; without memory for it nothing is
 * counted. */
static void contiguous_enter(struct contiguous *c)
{
	struct tag *fresh = NULL;
	uint32_t me = lock_tid();

	/* relaxed: only whether there is one is asked without the lock */
	if (!__atomic_load_n(&contiguous_tag, __ATOMIC_RELAXED))
		fresh = tag_create("contiguous", TAG_LIBRARY, 0);
	c->owner = sys_getpid();
	lock_acquire(&contiguous_lock, me);
	if (!contiguous_tag) {
		__atomic_store_n(&contiguous_tag, fresh, __ATOMIC_RELAXED);
		fresh = NULL;
	}
	c->next = contiguous_live;
	contiguous_live = c;
	if (contiguous_tag)
		tag_book(contiguous_tag, c->run.size);
	lock_release(&contiguous_lock, me);
	if (fresh)
		tag_delete(fresh);
}

static void contiguous_child(void)
{
	lock_child(&contiguous_lock);
	if (contiguous_tag)
		tag_empty(contiguous_tag);
}

int rtm_contiguous_make(const struct phys_want *want, void **out)
{
	struct contiguous *c;
	int ret;

	rtm_begin(contiguous_child);
	c = je_calloc(1, sizeof(*c));
	ret = c ? phys_alloc(want, &c->area, &c->run) : -ENOMEM;
	if (ret < 0) {
		je_free(c);
		return ret;
	}
	contiguous_enter(c);
	*out = c->run.base;
	return 0;
}

static struct contiguous *contiguous_take(const void *block)
{
	struct contiguous **at, *c = NULL;
	pid_t self = sys_getpid();
	uint32_t me = lock_tid();

	lock_acquire(&contiguous_lock, me);
	for (at = &contiguous_live; *at; at = &(*at)->next) {
		if ((*at)->run.base == block && (*at)->owner == self) {
			c = *at;
			*at = c->next;
			if (contiguous_tag)
				tag_unbook(contiguous_tag, c->run.size);
			break;
		}
	}
	lock_release(&contiguous_lock, me);
	return c;
}

bool rtm_contiguous_drop(const void *block)
{
	struct contiguous *c = block ? contiguous_take(block) : NULL;

	if (!c)
		return false;
	phys_free(&c->run);
	je_free(c);
	return true;
}

void *rtm_contiguous_alloc(size_t size, uint64_t low, uint64_t high, uint64_t align)
{
	const struct phys_want want = {.size = size,
		.low = low,
		.high = high ? high : UINT64_MAX,
		.align = align};
	void *block = NULL;
	int saved = errno, ret = rtm_contiguous_make(&want, &block);

	if (ret < 0 && ret != -EINVAL && phys_why())
		log_once("rtm_contiguous_alloc: %s", phys_why());
	errno = ret == 0 ? saved : ret == -EINVAL || ret == -EPERM ? -ret : ENOMEM;
	return block;
}

status_t rtm_contiguous_free(void *block)
{
	return rtm_contiguous_drop(block) ? B_OK : B_BAD_VALUE;
}
