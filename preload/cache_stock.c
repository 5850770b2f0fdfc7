/* SPDX-License-Identifier: MIT */
/*
 * cache_stock.c - the helper's part: boxes of the sizes that threads missed, of what
 * other threads gave back, and a reserve for who finds the heap locked
 *
 * Not on the realtime path, and seldom at the pool's lock: the helper may be preempted
 * there. What was missed is cut from a reserve (heap_carve()), and only a new reserve,
 * and what the depot refuses, need the heap. Bound: the blocks given back and one box a
 * class.
 */
#include "cache_inline.h"

#define STOCK_RESERVE_MIN (1UL << 10)
#define STOCK_RESERVE_MAX (1UL << 20)

static struct cache stock_cache; /* the helper's own, while it sorts */

static void stock_add(const struct pool *p, struct depot_box *box, void *block)
{
	box->block[box->n++] = (uint32_t)((uintptr_t)block - (uintptr_t)p->heap);
	box->bytes += cache_block_size(block);
}

static struct depot_box *stock_box(struct pool *p)
{
	struct depot_box *box = depot_take_empty(p->depot);

	if (box) {
		box->n = 0;
		box->bytes = 0;
	}
	return box;
}

/* A box that was to be filled: its blocks go back if the depot does not take it. */
static void stock_put(struct pool *p, unsigned class, struct depot_box *box)
{
	uint32_t tid = lock_tid();

	if (box->n && depot_put(p->depot, class, box))
		return;
	for (unsigned i = 0; i < box->n; i++) {
		lock_acquire_patient(&p->hot->lock, tid);
		heap_free_flipped(p->heap, (unsigned char *)p->heap + box->block[i]);
		lock_release(&p->hot->lock, tid);
	}
	/* a try that fails means that others' went through */
	while (!depot_put_empty(p->depot, box))
		;
}

/* ---- reserves ---- */

/* A block of 1/128 of the pool, within reason. */
static void stock_reserve(struct pool *p, unsigned class)
{
	struct depot_box *box = stock_box(p);
	uint32_t tid = lock_tid();
	size_t size = p->size / 128 & -HEAP_ALIGN;
	void *block;

	if (!box)
		return;
	size = size < STOCK_RESERVE_MIN ? STOCK_RESERVE_MIN : size;
	size = size > STOCK_RESERVE_MAX ? STOCK_RESERVE_MAX : size;
	lock_acquire_patient(&p->hot->lock, tid);
	/* what lives long would otherwise lie behind it, in the middle of the pool */
	block = heap_alloc_end(p->heap, size);
	lock_release(&p->hot->lock, tid);
	if (block)
		stock_add(p, box, block);
	stock_put(p, class, box);
}

void cache_stock_reserves(struct pool *p)
{
	for (unsigned i = DEPOT_RESERVE; p->depot && i < DEPOT_CLASSES; i++) {
		if (!depot_has(p->depot, i))
			stock_reserve(p, i);
	}
}

/* ---- what was missed ---- */

/* Half a box: what is refused costs the heap's lock. */
static unsigned stock_blocks(const struct pool *p, unsigned class)
{
	return (cache_box_full(p, cache_class_size(class)) + 1) / 2;
}

static bool stock_has_room(const struct pool *p, unsigned class)
{
	/* relaxed: a hint */
	return __atomic_load_n(&p->depot->room, __ATOMIC_RELAXED) >
	       (long)(2 * stock_blocks(p, class) * cache_class_size(class));
}

/* A box from the end of the reserve. False: too little is left of it. */
static bool stock_class(struct pool *p, const struct depot_box *from, unsigned class)
{
	void *reserve = (unsigned char *)p->heap + from->block[0], *block;
	size_t size = cache_class_size(class);
	unsigned most = stock_blocks(p, class);
	struct depot_box *box = stock_box(p);
	bool enough;

	if (!box)
		return false;
	while (box->n < most && (block = heap_carve(p->heap, reserve, size, HEAP_ALIGN)))
		stock_add(p, box, block);
	enough = box->n == most;
	stock_put(p, class, box);
	return enough;
}

/* The last reserve is the one to cut from: threads take it last. */
static void stock_missed(struct pool *p)
{
	struct depot_box *from = NULL;
	struct depot *d = p->depot;
	bool left = true;

	for (unsigned i = HEAP_BLOCK_MIN / HEAP_ALIGN; left && i < DEPOT_RESERVE; i++) {
		/* relaxed: a wish of a thread that missed */
		if (!__atomic_load_n(&d->missed[i], __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&d->missed[i], 0, __ATOMIC_RELAXED);
		if (depot_has(d, i) || !stock_has_room(p, i))
			continue;
		if (!from)
			from = depot_take(d, DEPOT_CLASSES - 1);
		left = from && stock_class(p, from, i);
	}
	if (!from)
		return;
	from->bytes = cache_block_size((unsigned char *)p->heap + from->block[0]);
	if (!left)
		from->bytes = UINT32_MAX; /* more than there is room: it goes back */
	stock_put(p, DEPOT_CLASSES - 1, from);
}

/* ---- what others gave back ---- */

/* By size into boxes; what is too large for them, or has no room in them, into the heap.
 * Returns how many were looked at. */
static unsigned stock_returned(struct pool *p)
{
	struct cache *c = &stock_cache;
	void *block, *below;
	unsigned n = 0;

	/* relaxed: a hint that an exchange pays */
	if (!__atomic_load_n(&p->hot->returned, __ATOMIC_RELAXED))
		return 0;
	/* as if of a slot: the compiler shall not see that there is none around it */
	CACHE_NEW(c);
	cache_attach(c, p, lock_tid(), NULL);
	c->patient = true;
	/* acquire: pairs with pool_push_returned(); takes all, so no ABA */
	block = __atomic_exchange_n(&p->hot->returned, NULL, __ATOMIC_ACQUIRE);
	for (; block; block = below, n++) {
		uint32_t size = cache_block_size(block);

		/* the program may have written to its header since: then its size leads
		 * anywhere */
		if (heap_check_pointer(p->heap, block) != HEAP_DOUBLE_FREE)
			pool_misuse(p, block, HEAP_BROKEN);
		below = pool_below(p, block);
		if (size > c->box_max || !cache_into_box(c, block, size))
			cache_give(c, block);
	}
	cache_detach(c);
	return n;
}

unsigned cache_stock(struct pool *p, bool roomy)
{
	unsigned n = 0;

	if (!p->depot)
		return 0;
	if (roomy) {
		cache_stock_reserves(p);
		n = stock_returned(p);
		stock_missed(p);
	}
	return n;
}
