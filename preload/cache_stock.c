/* SPDX-License-Identifier: MIT */
/*
 * cache_stock.c - the helper's part: boxes of the sizes that threads missed, and of what
 * other threads gave back
 *
 * Not on the realtime path. The pool's lock is tried, not waited for, and held for one
 * operation of the heap at a time. Bound: the blocks given back and one box a class per
 * call.
 */
#include "cache_inline.h"

static struct cache stock_cache; /* the helper's own, while it sorts */

/* What others gave back, by size. */
static unsigned stock_returned(struct pool *p)
{
	struct cache *c = &stock_cache;
	void *block, *below;
	unsigned n = 0;

	/* as if of a slot: the compiler shall not see that there is none around it */
	CACHE_NEW(c);
	/* relaxed: a hint that an exchange pays */
	if (!__atomic_load_n(&p->hot->returned, __ATOMIC_RELAXED))
		return 0;
	cache_attach(c, p, lock_tid());
	c->patient = true;
	/* acquire: pairs with pool_push_returned(); takes all, so no ABA */
	block = __atomic_exchange_n(&p->hot->returned, NULL, __ATOMIC_ACQUIRE);
	for (; block; block = below, n++) {
		uint32_t size = cache_block_size(block);

		below = pool_below(p, block);
		if (!cache_keep(c, block, size) &&
			!(size <= c->box_max && cache_into_box(c, block, size)))
			cache_give(c, block);
	}
	cache_detach(c);
	return n;
}

/* A flipped block, or NULL: none, or the lock is somebody's. */
static void *stock_block(struct pool *p, size_t size)
{
	uint32_t tid = lock_tid();
	void *block;

	if (!lock_try(&p->hot->lock, tid))
		return NULL;
	block = heap_alloc_block(p->heap, size);
	lock_release(&p->hot->lock, tid);
	if (block)
		heap_flip(block);
	return block;
}

static void stock_back(struct pool *p, const struct depot_box *box)
{
	uint32_t tid = lock_tid();

	for (unsigned i = 0; i < box->n; i++) {
		void *block = (unsigned char *)p->heap + box->block[i];

		lock_acquire_patient(&p->hot->lock, tid);
		heap_free_flipped(p->heap, block);
		lock_release(&p->hot->lock, tid);
	}
}

static void stock_class(struct pool *p, unsigned class)
{
	struct depot_box *box = depot_take_empty(p->depot);
	size_t size = cache_class_size(class);
	unsigned most = (cache_box_full(p, size) + 1) / 2;
	void *block;

	if (!box)
		return;
	box->n = 0;
	box->bytes = 0;
	while (box->n < most && (block = stock_block(p, size))) {
		box->block[box->n++] = (uint32_t)((uintptr_t)block - (uintptr_t)p->heap);
		box->bytes += cache_block_size(block);
	}
	if (box->n && depot_put(p->depot, class, box))
		return;
	stock_back(p, box);
	/* a try that fails means that others' went through */
	while (!depot_put_empty(p->depot, box))
		;
}

unsigned cache_stock(struct pool *p)
{
	struct depot *d = p->depot;
	unsigned n;

	if (!d)
		return 0;
	n = stock_returned(p);
	for (unsigned i = 0; i < DEPOT_CLASSES; i++) {
		/* relaxed: a wish of a thread that missed */
		if (!__atomic_load_n(&d->missed[i], __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&d->missed[i], 0, __ATOMIC_RELAXED);
		if (!depot_has(d, i))
			stock_class(p, i);
	}
	return n;
}
