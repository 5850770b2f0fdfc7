/* SPDX-License-Identifier: MIT */
/*
 * rtm_extensions.c - what BeOS lacked: alignment, zeroed and non-blocking blocks,
 * sections of code that allocate from a pool, figures (rtmem.h)
 *
 * Bound: one pool operation each; rtm_calloc() also zeroes the block. rtm_get_stats()
 * takes the pool's lock for a bounded time and is not meant for a realtime thread.
 */
#include "rtm.h"

#include <errno.h>
#include <string.h>

#include "engine/tag_block.h"
#include "decide/thread.h"

const char *rtm_version(void)
{
	return RTMEM_VERSION;
}

void *rtm_memalign(rtm_pool *pool, size_t align, size_t size)
{
	struct pool *p = rtm_pool_need(pool);
	void *block;

	if (align == 0 || (align & (align - 1)) || (!p && pool)) {
		errno = EINVAL;
		return NULL;
	}
	block = p ? rtm_take(p, size, align <= BLOCK_ALIGN ? 0 : align) : NULL;
	if (!block)
		errno = ENOMEM;
	return block;
}

void *rtm_calloc(rtm_pool *pool, size_t n, size_t size)
{
	size_t total;
	void *block;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	block = rtm_alloc(pool, total);
	return block ? memset(block, 0, total) : NULL;
}

void *rtm_take_nowait(rtm_pool *pool, size_t size)
{
	struct pool *p = rtm_pool_use(pool);
	bool busy = false;
	size_t ask = size;
	void *block;

	if (!p) {
		errno = pool ? EINVAL : ENOMEM;
		return NULL;
	}
	block = rtm_limit(p, &ask) ? pool_try(p, ask ? ask : 1, &busy) : NULL;
	if (!block) {
		errno = busy ? EAGAIN : ENOMEM;
		return NULL;
	}
	if (ask != size)
		block_set_requested(block_of(block), size);
	rtm_debug_allocated(p, block, 0, size);
	return block;
}

void *rtm_alloc_nowait(rtm_pool *pool, size_t size)
{
	void *block = rtm_take_nowait(pool, size);

	if (block && size == 0)
		block_set_requested(block_of(block), 0);
	if (block)
		tag_own(block, TAG_UNTAGGED);
	return block;
}

status_t rtm_enter(rtm_pool *pool)
{
	struct pool *p = rtm_pool_need(pool);
	int saved = errno, error;

	if (!p)
		return pool ? B_BAD_VALUE : B_NO_MEMORY;
	error = route_enter(thread_self(), p);
	errno = saved;
	return error ? B_NO_MEMORY : B_OK;
}

status_t rtm_leave(void)
{
	return route_leave(route_self) ? B_BAD_VALUE : B_OK;
}

static void rtm_stats_read(struct pool *p, struct rtm_stats *s)
{
	struct heap_stats h;
	uint32_t tid = lock_tid();

	s->available = rtm_limit_available(p);
	lock_acquire(&p->hot->lock, tid);
	pool_stats(p, &h);
	lock_release(&p->hot->lock, tid);
	s->size = p->size;
	s->max = p->max;
	s->committed = p->area.committed;
	s->locked = p->area.locked;
	s->pinned = p->area.pinned;
	s->lock_error = p->area.lock_error;
	s->used = h.used;
	s->peak = h.peak;
	s->largest_free = rtm_limit_most(p, h.largest_free);
	/* relaxed: figures */
	s->full_events = __atomic_load_n(&p->full_events, __ATOMIC_RELAXED);
	s->growths = __atomic_load_n(&p->growths, __ATOMIC_RELAXED);
}

status_t rtm_get_stats(rtm_pool *pool, struct rtm_stats *out, size_t stats_size)
{
	struct pool *p = rtm_pool_use(pool);
	struct rtm_stats s;

	if (!p || !out || stats_size == 0)
		return B_BAD_VALUE;
	memset(&s, 0, sizeof(s));
	rtm_stats_read(p, &s);
	if (stats_size > sizeof(s)) {
		memset((unsigned char *)out + sizeof(s), 0, stats_size - sizeof(s));
		stats_size = sizeof(s);
	}
	memcpy(out, &s, stats_size);
	return B_OK;
}
