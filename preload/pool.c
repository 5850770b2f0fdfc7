/* SPDX-License-Identifier: MIT */
/*
 * pool.c - one heap, its lock, and the blocks other threads gave back
 *
 * The first pages of a pool's area hold what threads write (struct pool_hot), the heap's
 * control block and the depot; blocks follow. Every function that allocates or frees is
 * bounded: at most POOL_TAKE returned blocks go into the heap per operation. Only the
 * last resort before an allocation fails takes all of them back, and those of the depot.
 */
#include "pool.h"

#include <errno.h>

#include "log.h"
#include "tag_block.h"

#define POOL_TAKE      2  /* returned blocks that go into the heap per allocation */
#define POOL_TAKE_SLOW 64 /* and per turn of the last resort */

static inline bool pool_usable(const struct pool *p)
{
	/* acquire: pairs with the release in pool_commit() */
	return __atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) && !p->inherited;
}

/* ---- returned blocks ---- */

void pool_push_returned(struct pool_hot *hot, void *block)
{
	void *top = __atomic_load_n(&hot->returned, __ATOMIC_RELAXED);

	/* A retry means another thread's push went through (lock-free). */
	do
		*(void **)block = top;
	/* release: the link and all writes to the block; pairs with the takes' acquire */
	while (!__atomic_compare_exchange_n(
		&hot->returned, &top, block, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void *pool_below(const struct pool *p, void *block)
{
	void *below = *(void **)block;

	/* what it says of a block that is on its way back */
	if (below && __builtin_expect(
			     heap_check_pointer(p->heap, below) != HEAP_DOUBLE_FREE, 0))
		pool_misuse(p, block, HEAP_BROKEN);
	return below;
}

enum heap_verdict pool_return(struct pool *p, void *block)
{
	enum heap_verdict v;

	if (!pool_usable(p))
		return HEAP_OK; /* heritage: its memory goes with the process */
	v = heap_check_pointer(p->heap, block);
	if (__builtin_expect(v != HEAP_OK, 0))
		return v;
	tag_leave(block);
	heap_retire(block);
	pool_push_returned(p->hot, block);
	return HEAP_OK;
}

/* Under the lock. Bound: max. */
static unsigned pool_take_locked(struct pool *p, unsigned max)
{
	struct pool_hot *hot = p->hot;
	unsigned n = 0;

	if (!hot->inbox) {
		if (!__atomic_load_n(&hot->returned, __ATOMIC_RELAXED))
			return 0;
		/* acquire: pairs with pool_return(); the whole stack at once, so no ABA
		 */
		hot->inbox = __atomic_exchange_n(&hot->returned, NULL, __ATOMIC_ACQUIRE);
	}
	for (; hot->inbox && n < max; n++) {
		void *block = hot->inbox;

		hot->inbox = pool_below(p, block);
		if (__builtin_expect(heap_free_flipped(p->heap, block) != HEAP_OK, 0))
			pool_misuse(p, block, HEAP_BROKEN);
	}
	return n;
}

unsigned pool_take_returned(struct pool *p, unsigned max)
{
	uint32_t tid = lock_tid();
	unsigned n;

	if (!pool_usable(p) || !lock_try(&p->hot->lock, tid))
		return 0;
	n = pool_take_locked(p, max);
	lock_release(&p->hot->lock, tid);
	return n;
}

/* ---- the depot ---- */

/* Under the lock. */
static void pool_unpack(struct pool *p, struct depot_box *box)
{
	for (unsigned i = 0; i < box->n; i++) {
		void *block = (unsigned char *)p->heap + box->block[i];

		if (__builtin_expect(heap_free_flipped(p->heap, block) != HEAP_OK, 0))
			pool_misuse(p, block, HEAP_BROKEN);
	}
	/* a try that fails means that others' went through */
	while (!depot_put_empty(p->depot, box))
		;
}

/* Under the lock. Bound: classes. */
static bool pool_take_box_locked(struct pool *p, unsigned classes)
{
	struct depot_box *box = NULL;

	for (unsigned i = 0; p->depot && !box && i < classes; i++) {
		if (depot_has(p->depot, i))
			box = depot_take(p->depot, i);
	}
	if (box)
		pool_unpack(p, box);
	return box != NULL;
}

bool pool_take_box(struct pool *p, unsigned classes)
{
	uint32_t tid = lock_tid();
	bool had;

	if (!pool_usable(p) || !lock_try(&p->hot->lock, tid))
		return false;
	had = pool_take_box_locked(p, classes);
	lock_release(&p->hot->lock, tid);
	return had;
}

/* ---- allocation ---- */

/*
 * Bound: the blocks that other threads returned and those that rest in the depot; the
 * lock is let go between one handful and the next.
 */
static __attribute__((noinline)) void *pool_alloc_slow(
	struct pool *p, size_t size, size_t align)
{
	uint32_t tid = lock_tid();
	void *block = NULL;
	bool more = true;

	while (!block && more) {
		if (!lock_enter(&p->hot->lock, tid))
			return NULL;
		more = pool_take_locked(p, POOL_TAKE_SLOW) ||
		       pool_take_box_locked(p, DEPOT_CLASSES);
		block = heap_alloc_aligned(p->heap, align, size);
		lock_release(&p->hot->lock, tid);
	}
	return block;
}

void *pool_alloc(struct pool *p, size_t size, size_t align)
{
	uint32_t tid = lock_tid();
	const void *broken;
	void *block;

	if (__builtin_expect(!pool_usable(p), 0))
		return NULL;
	if (!lock_enter(&p->hot->lock, tid))
		return NULL;
	pool_take_locked(p, POOL_TAKE);
	block = heap_alloc_aligned(p->heap, align, size);
	lock_release(&p->hot->lock, tid);
	if (__builtin_expect(!block, 0))
		block = pool_alloc_slow(p, size, align);
	if (__builtin_expect(!block, 0) && (broken = heap_broken_block(p->heap)))
		pool_misuse(p, broken, HEAP_BROKEN);
	return block;
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
		more = pool_take_locked(p, take) || take == POOL_TAKE ||
		       pool_take_box_locked(p, DEPOT_CLASSES);
		block = heap_alloc(p->heap, size);
		lock_release(&p->hot->lock, tid);
	}
	return block;
}

enum heap_verdict pool_free(struct pool *p, void *block)
{
	uint32_t tid = lock_tid();
	enum heap_verdict v;

	if (!pool_usable(p))
		return HEAP_OK;
	if (!lock_try(&p->hot->lock, tid))
		return pool_return(p, block);
	v = heap_check_pointer(p->heap, block);
	if (v == HEAP_OK) {
		tag_leave(block);
		heap_retire(block);
		v = heap_free_flipped(p->heap, block);
	}
	lock_release(&p->hot->lock, tid);
	return v;
}

static bool pool_resize_locked(struct pool *p, void *block, size_t size, uint32_t tid)
{
	enum heap_verdict v = heap_check_pointer(p->heap, block);
	bool fits = v == HEAP_OK && tag_resize(p->heap, block, size);

	lock_release(&p->hot->lock, tid);
	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(p, block, v);
	return fits;
}

bool pool_resize(struct pool *p, void *block, size_t size)
{
	uint32_t tid = lock_tid();

	if (!pool_usable(p) || !lock_enter(&p->hot->lock, tid))
		return false;
	return pool_resize_locked(p, block, size, tid);
}

bool pool_resize_now(struct pool *p, void *block, size_t size, bool *busy)
{
	uint32_t tid = lock_tid();

	*busy = false;
	if (!pool_usable(p))
		return false;
	*busy = !lock_try(&p->hot->lock, tid);
	return !*busy && pool_resize_locked(p, block, size, tid);
}

/*
 * Bytes of span in what is committed. What the last page has beyond the most that was
 * asked for is nobody's in a native pool: its size is a promise, too.
 */
static size_t pool_heap_span(const struct pool *p, size_t head)
{
	size_t span = p->area.committed - head, most = heap_span_for(p->max);

	return p->native && span > most ? most : span;
}

size_t pool_available(struct pool *p)
{
	size_t used, all;

	if (!pool_usable(p))
		return 0;
	used = heap_used(p->heap) + HEAP_ENDS;
	all = pool_heap_span(p, p->lo - (uintptr_t)p->area.base);
	return all > used ? all - used : 0;
}

/* ---- growing ---- */

/* The heap's control block begins behind struct pool_hot, the depot behind that. */
static size_t pool_depot_at(void)
{
	return (sizeof(struct pool_hot) + heap_control_size() + 63) & ~63UL;
}

static size_t pool_head_size(const struct pool *p)
{
	size_t head = pool_depot_at() + (p->native ? 0 : depot_size(p->max));

	return (head + AREA_PAGE - 1) & ~(AREA_PAGE - 1);
}

size_t pool_area_size(const struct pool *p, size_t size)
{
	return (pool_head_size(p) + heap_span_for(size) + AREA_PAGE - 1) &
	       ~(AREA_PAGE - 1);
}

int pool_commit(struct pool *p)
{
	size_t head = pool_head_size(p), span;
	int ret = area_commit(&p->area, pool_area_size(p, p->size));

	if (ret < 0)
		return ret;
	span = pool_heap_span(p, head);
	p->lo = (uintptr_t)p->area.base + head;
	p->span = p->area.reserved - head;
	p->hot = (struct pool_hot *)p->area.base;
	p->heap = heap_init(
		p->area.base + sizeof(struct pool_hot), (void *)p->lo, span, p->key);
	if (!p->native)
		p->depot = depot_init(p->area.base + pool_depot_at(), p->max);
	/* release: everything above; pairs with pool_usable() */
	__atomic_store_n(&p->ready, true, __ATOMIC_RELEASE);
	return 0;
}

/* The memory is made ready first; the lock is held for one O(1) operation. */
int pool_grow(struct pool *p, size_t bytes)
{
	uint32_t tid = lock_tid();
	size_t head = p->lo - (uintptr_t)p->area.base, before;
	int ret;

	if (!pool_usable(p))
		return -EINVAL;
	before = pool_heap_span(p, head);
	ret = area_commit(&p->area, bytes);
	if (pool_heap_span(p, head) == before)
		return ret < 0 ? ret : -ENOMEM;
	lock_acquire_patient(&p->hot->lock, tid);
	heap_extend(p->heap, pool_heap_span(p, head) - before);
	lock_release(&p->hot->lock, tid);
	__atomic_fetch_add(&p->growths, 1, __ATOMIC_RELAXED);
	return 0;
}

/* ---- trouble ---- */

bool pool_check(struct pool *p)
{
	uint32_t tid = lock_tid();
	const void *where = NULL;
	const char *wrong;

	if (!pool_usable(p))
		return true;
	lock_acquire(&p->hot->lock, tid);
	wrong = heap_check(p->heap, &where);
	lock_release(&p->hot->lock, tid);
	if (wrong)
		log_line("pool \"%s\": block %p: %s", p->name, where, wrong);
	return !wrong;
}

void pool_say_full(struct pool *p)
{
	const char *then = p->when_full == POOL_FULL_FAIL ? "its threads get NULL"
							  : "jemalloc serves its threads";
	size_t kib = p->area.committed >> 10;

	if (p->native || p->full_said ||
		!__atomic_load_n(&p->full_events, __ATOMIC_RELAXED))
		return;
	p->full_said = true;
	if (p->area.committed < p->area.reserved)
		log_line("pool \"%s\" ran short at %zu KiB, faster than it grows: %s; "
			 "raise size = in "
			 "[pool %s]",
			p->name, kib, then, p->name);
	else
		log_line("pool \"%s\" is full at %zu KiB: %s; raise %s = in [pool %s]",
			p->name, kib, then, p->max > p->size ? "max" : "size", p->name);
}

void pool_misuse(const struct pool *p, const void *block, enum heap_verdict v)
{
	static const char *const what[] = {
		[HEAP_OK] = "misuse",
		[HEAP_DOUBLE_FREE] = "double free",
		[HEAP_NOT_A_BLOCK] = "invalid free (not the start of a block)",
		[HEAP_BROKEN] = "overwritten heap data beside a block",
	};

	log_misuse(
		"%s: %p in pool \"%s\" (rule \"%s\")", what[v], block, p->name, p->rule);
}
