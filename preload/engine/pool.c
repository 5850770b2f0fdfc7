/* SPDX-License-Identifier: MIT */
/*
 * pool.c - heap 0 behind its lock, for native pools and for threads that share; growth
 *
 * A realtime thread that a rule matches comes here only to free. Bound: POOL_TAKE
 * returned blocks per allocation. Only before an allocation fails, all are taken back,
 * and the lock is let go between one handful and the next.
 */
#include "pool.h"

#include <errno.h>
#include <string.h>

#include "os/debug.h"
#include "tag_block.h"

#define POOL_TAKE      2  /* returned blocks that are released per allocation */
#define POOL_TAKE_SLOW 64 /* and per turn of the last resort */

/* ---- allocation ---- */

static void *pool_alloc_locked(struct pool *p, size_t size, size_t align, unsigned take)
{
	if (size > BLOCK_MAX - 2 * BLOCK_ALIGN)
		return NULL;
	heap_take_back(p->heap, take);
	return heap_alloc_aligned(p->heap, align, block_size_for(size), 0);
}

/* The program asked for `size`: native pools keep that. */
static void *pool_sized(const struct pool *p, void *block, size_t size)
{
	if (block && p->native)
		block_set_requested(block_of(block), size);
	return block;
}

/* What the heap has free between parts that it gave back is one piece with them again. */
static void *pool_alloc_trimmed(struct pool *p, size_t size, size_t align)
{
	uint32_t tid = lock_tid();
	void *block;

	lock_acquire(&p->hot->lock, tid);
	heap_trim(p->heap, HEAP_ALL_OF_THEM);
	block = pool_alloc_locked(p, size, align, 0);
	lock_release(&p->hot->lock, tid);
	return block;
}

/* Bound: the blocks that other threads returned; in a pool of the policy, those that are
 * free as well. */
static __attribute__((noinline)) void *pool_alloc_slow(
	struct pool *p, size_t size, size_t align)
{
	uint32_t tid = lock_tid();
	void *block = NULL;
	bool more = true;

	while (!block && more) {
		if (!lock_enter(&p->hot->lock, tid))
			return NULL;
		more = heap_has_returned(p->heap);
		block = pool_alloc_locked(p, size, align, POOL_TAKE_SLOW);
		lock_release(&p->hot->lock, tid);
	}
	return block || p->native ? block : pool_alloc_trimmed(p, size, align);
}

void *pool_alloc(struct pool *p, size_t size, size_t align)
{
	uint32_t tid = lock_tid();
	void *block;

	if (__builtin_expect(!pool_usable(p), 0))
		return NULL;
	if (!lock_enter(&p->hot->lock, tid))
		return NULL;
	block = pool_alloc_locked(p, size, align, POOL_TAKE);
	lock_release(&p->hot->lock, tid);
	if (__builtin_expect(!block, 0))
		block = pool_alloc_slow(p, size, align);
	return pool_sized(p, block, size);
}

void *pool_try(struct pool *p, size_t size, bool *busy)
{
	uint32_t tid = lock_tid();
	void *block = NULL;
	bool more = true;

	*busy = false;
	if (__builtin_expect(!pool_usable(p), 0))
		return NULL;
	for (unsigned take = POOL_TAKE; !block && more; take = POOL_TAKE_SLOW) {
		*busy = !lock_try(&p->hot->lock, tid);
		if (*busy)
			return NULL;
		more = heap_has_returned(p->heap);
		block = pool_alloc_locked(p, size, 0, take);
		lock_release(&p->hot->lock, tid);
	}
	return pool_sized(p, block, size);
}

unsigned pool_take_returned(struct pool *p, unsigned max)
{
	uint32_t tid = lock_tid();
	unsigned n;

	if (!pool_usable(p) || !lock_try(&p->hot->lock, tid))
		return 0;
	n = heap_take_back(p->heap, max);
	lock_release(&p->hot->lock, tid);
	return n;
}

/* ---- frees ---- */

enum heap_verdict pool_return(struct pool *p, void *block)
{
	enum heap_verdict v;

	if (!pool_usable(p))
		return HEAP_OK; /* heritage: its memory goes with the process */
	v = heap_check_pointer(p->heap, block);
	if (__builtin_expect(v != HEAP_OK, 0))
		return v;
	tag_leave(block);
	block_retire(block_of(block));
	pool_send_home(p, block_of(block));
	return HEAP_OK;
}

enum heap_verdict pool_free(struct pool *p, void *block)
{
	uint32_t tid = lock_tid();
	enum heap_verdict v;

	if (!pool_usable(p))
		return HEAP_OK;
	v = heap_check_pointer(p->heap, block);
	if (v != HEAP_OK || pool_heap_of(p, block) != p->heap ||
		!lock_try(&p->hot->lock, tid))
		return v != HEAP_OK ? v : pool_return(p, block);
	tag_leave(block);
	heap_free(p->heap, block);
	lock_release(&p->hot->lock, tid);
	return HEAP_OK;
}

/* ---- resizing ---- */

bool pool_resize(struct pool *p, struct heap *own, void *block, size_t size)
{
	enum heap_verdict v = heap_check_pointer(p->heap, block);
	struct heap *h;
	uint32_t tid;
	bool fits;

	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(p, block, v);
	if (!pool_usable(p))
		return false;
	h = pool_heap_of(p, block);
	if (h == own)
		return tag_resize(h, block, size);
	if (!p->native)
		return !tag_of(block) && size <= block_usable_of(block);
	tid = lock_tid();
	if (!lock_enter(&p->hot->lock, tid))
		return false;
	fits = tag_resize(h, block, size);
	lock_release(&p->hot->lock, tid);
	return fits;
}

/* ---- figures ---- */

/*
 * Committed bytes that blocks may be in. What the last page has beyond the most that was
 * asked for is nobody's in a native pool: its size is a promise, too.
 */
static size_t pool_have_span(const struct pool *p)
{
	size_t most = heap_span_for(p->max);

	return p->native && p->area.committed > most ? most : p->area.committed;
}

void pool_stats(const struct pool *p, struct heap_stats *out)
{
	/* acquire: pairs with pool_ready_heaps() */
	unsigned n = __atomic_load_n(&p->heaps, __ATOMIC_ACQUIRE);
	unsigned run = 0;
	uint64_t runs;

	*out = (struct heap_stats){.span = pool_have_span(p)};
	for (unsigned i = 0; i < n; i++) {
		struct heap_stats one;

		heap_stats(pool_heap(p, i), &one);
		out->used += one.used;
		out->peak += one.peak;
		if (one.largest_free > out->largest_free)
			out->largest_free = one.largest_free;
	}
	if (p->native)
		return;
	for (runs = parts_free(&p->hot->parts); runs; runs &= runs << 1)
		run++;
	if (run && run * p->hot->parts.size - 24UL > out->largest_free)
		out->largest_free = run * p->hot->parts.size - 24UL;
}

size_t pool_available(struct pool *p)
{
	struct heap_stats st;
	size_t ends = HEAP_RUN_ENDS;

	if (!pool_usable(p))
		return 0;
	pool_stats(p, &st);
	return st.span > st.used + ends ? st.span - st.used - ends : 0;
}

void pool_each_live(const struct pool *p, void (*fn)(void *block))
{
	for (unsigned i = 0; i < p->heaps; i++)
		heap_each_live(pool_heap(p, i), fn);
}

/* ---- memory ---- */

size_t pool_area_size(const struct pool *p, size_t size)
{
	size_t unit = p->native ? AREA_PAGE : parts_size_for(p->max);

	if (p->native)
		size = heap_span_for(size);
	return (size + unit - 1) / unit * unit;
}

int pool_reserve_control(struct pool *p, unsigned area_flags)
{
	unsigned heaps = p->native ? 1 : POOL_HEAPS;

	return area_reserve(&p->control, NULL, (heaps + 1) * POOL_HEAP_STEP,
		area_flags & ~(unsigned)AREA_HUGE);
}

/* Committed bytes from `before` on become the pool's. Under the grow lock. */
static void pool_have(struct pool *p, size_t before)
{
	struct parts *parts = &p->hot->parts;
	unsigned first, last;

	if (p->native) {
		if (pool_have_span(p) > before)
			heap_extend(p->heap, pool_have_span(p) - before);
		return;
	}
	if (debug_level() > 0)
		memset((char *)p->area.base + before, DEBUG_FRESH,
			p->area.committed - before);
	for (unsigned i = 0; i < p->heaps; i++)
		heap_set_reach(pool_heap(p, i), p->area.committed);
	first = (unsigned)(before / parts->size);
	last = (unsigned)(p->area.committed / parts->size);
	if (last > first)
		parts_give(parts, parts_mask(first, last - first));
}

int pool_commit(struct pool *p)
{
	int ret = area_commit(&p->control, 2 * POOL_HEAP_STEP);

	if (ret >= 0)
		ret = area_commit(&p->area, pool_area_size(p, p->size));
	if (ret < 0)
		return ret;
	p->lo = (uintptr_t)p->area.base;
	p->span = p->area.reserved;
	p->hot = (struct pool_hot *)(void *)p->control.base;
	p->heap = pool_heap(p, POOL_SHARED);
	if (!p->native)
		parts_init(&p->hot->parts, parts_size_for(p->max), p->area.reserved);
	heap_init(p->heap, p->area.base, &p->key, p->native ? NULL : &p->hot->parts, 0,
		pool_broken);
	p->hot->pool = p;
	p->heaps = 1;
	pool_have(p, 0);
	/* release: everything above; pairs with pool_usable() */
	__atomic_store_n(&p->ready, true, __ATOMIC_RELEASE);
	return 0;
}

/* The memory is made ready first; the lock of a native pool is held for one operation. */
int pool_grow(struct pool *p, size_t bytes)
{
	uint32_t tid = lock_tid();
	size_t before;
	bool grown;
	int ret;

	if (!pool_usable(p))
		return -EINVAL;
	lock_acquire(&p->grow_lock, tid);
	before = pool_have_span(p);
	ret = area_commit(&p->area, bytes);
	grown = pool_have_span(p) > before;
	if (grown) {
		if (p->native)
			lock_acquire_patient(&p->hot->lock, tid);
		pool_have(p, before);
		if (p->native)
			lock_release(&p->hot->lock, tid);
		/* relaxed: a figure */
		__atomic_fetch_add(&p->growths, 1, __ATOMIC_RELAXED);
		ret = 0;
	}
	lock_release(&p->grow_lock, tid);
	return !grown && ret >= 0 ? -ENOMEM : ret;
}
