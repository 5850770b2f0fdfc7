/* SPDX-License-Identifier: MIT */
/*
 * pool_trouble.c - what is said of a pool: that it is full, that its blocks are damaged
 *
 * Off the realtime path but for pool_was_full(). Bound: that one's, POOL_HEAPS; of a
 * check, all blocks.
 */
#include "pool.h"

#include "os/log.h"

/* ---- damage ---- */

static bool pool_check_heap(const struct pool *p, const struct heap *h)
{
	const void *where = NULL;
	const char *wrong = heap_check(h, &where);

	if (wrong)
		log_line("pool \"%s\": block %p: %s", p->name, where, wrong);
	return !wrong;
}

bool pool_check(struct pool *p, const struct heap *own)
{
	uint32_t tid = lock_tid();
	bool sound;

	if (!pool_usable(p))
		return true;
	lock_acquire(&p->hot->lock, tid);
	sound = pool_check_heap(p, p->heap);
	lock_release(&p->hot->lock, tid);
	return sound && (!own || own == p->heap || pool_check_heap(p, own));
}

/* ---- a pool that is full ---- */

void pool_was_full(struct pool *p, size_t size)
{
	/* relaxed, all: figures, of which the first event's are kept */
	if (!__atomic_load_n(&p->full_size, __ATOMIC_RELAXED)) {
		__atomic_store_n(&p->full_free, pool_available(p), __ATOMIC_RELAXED);
		__atomic_store_n(&p->full_size, size, __ATOMIC_RELAXED);
	}
	__atomic_fetch_add(&p->full_events, 1, __ATOMIC_RELAXED);
}

/* What would have helped. */
static void pool_say_cure(struct pool *p, const char *then)
{
	size_t kib = p->area.committed >> 10;
	size_t size = __atomic_load_n(&p->full_size, __ATOMIC_RELAXED);
	size_t unused = __atomic_load_n(&p->full_free, __ATOMIC_RELAXED);

	if (!p->native && unused > p->area.committed / 4 && unused / 2 > size)
		log_line(
			"pool \"%s\": a thread found no free part in %zu KiB, though other threads have %zu KiB to spare: %s; raise size = in [pool %s], or give threads pools of their own",
			p->name, kib, unused >> 10, then, p->name);
	else if (p->area.committed < p->area.reserved && !p->grow_failed)
		log_line(
			"pool \"%s\" ran short at %zu KiB, faster than it grows: %s; raise size = in [pool %s]",
			p->name, kib, then, p->name);
	else
		log_line("pool \"%s\" is full at %zu KiB: %s; raise %s = in [pool %s]",
			p->name, kib, then, p->max > p->size ? "max" : "size", p->name);
}

void pool_say_full(struct pool *p)
{
	if (p->native || p->full_said ||
		!__atomic_load_n(&p->full_events, __ATOMIC_RELAXED))
		return;
	p->full_said = true;
	pool_say_cure(p, p->when_full == POOL_FULL_FAIL ? "its threads get NULL"
							: "jemalloc serves its threads");
}

/* ---- misuse: ends the program ---- */

void pool_misuse(const struct pool *p, const void *block, enum heap_verdict v)
{
	static const char *const what[] = {
		[HEAP_OK] = "misuse",
		[HEAP_DOUBLE_FREE] = "double free",
		[HEAP_NOT_A_BLOCK] = "invalid free (not the start of a block)",
	};

	log_misuse(
		"%s: %p in pool \"%s\" (rule \"%s\")", what[v], block, p->name, p->rule);
}

void pool_broken(const struct heap *h, const void *block)
{
	uintptr_t control = (uintptr_t)h - (h->number + 1UL) * POOL_HEAP_STEP;
	const struct pool_hot *hot = (const struct pool_hot *)control;

	log_misuse(
		"overwritten heap data beside a block: %p in pool \"%s\" (rule \"%s\")",
		block, hot->pool->name, hot->pool->rule);
}
