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

#define STOCK_PARTS 16 /* a reserve is at least this part of what it should be */
#define STOCK_LEFT  16 /* and is renewed as long as this part of the pool is left */

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

static void stock_give(struct pool *p, void *block)
{
	uint32_t tid = lock_tid();
	enum heap_verdict v;

	lock_acquire_patient(&p->hot->lock, tid);
	v = heap_free_flipped(p->heap, block);
	lock_release(&p->hot->lock, tid);
	if (v != HEAP_OK)
		pool_misuse(p, block, v);
}

/* The heap gets what is in it. */
static void stock_unpack(struct pool *p, struct depot_box *box)
{
	while (box->n)
		stock_give(p, (unsigned char *)p->heap + box->block[--box->n]);
	box->bytes = 0;
}

/* A box that was to be filled: its blocks go back if the depot does not take it. */
static void stock_put(struct pool *p, unsigned class, struct depot_box *box)
{
	if (box->n && depot_put(p->depot, class, box))
		return;
	stock_unpack(p, box);
	/* a try that fails means that others' went through */
	while (!depot_put_empty(p->depot, box))
		;
}

/* ---- reserves ---- */

/*
 * Reserves come first: where every box is in use, one of small blocks is emptied for it.
 * NULL: there is none of those either. Bound: DEPOT_RESERVE classes.
 */
static struct depot_box *stock_box_sure(struct pool *p)
{
	struct depot_box *box = stock_box(p);

	for (unsigned i = 0; !box && i < DEPOT_RESERVE; i++) {
		box = depot_has(p->depot, i) ? depot_take(p->depot, i) : NULL;
		if (box)
			stock_unpack(p, box);
	}
	return box;
}

/* What lives long would otherwise lie behind it, in the middle of the pool: from the end.
 */
static void *stock_cut(struct pool *p, size_t size)
{
	uint32_t tid = lock_tid();
	void *block;

	lock_acquire_patient(&p->hot->lock, tid);
	block = heap_alloc_end(p->heap, size);
	lock_release(&p->hot->lock, tid);
	return block;
}

/* Where a pool has no such piece left, a smaller one serves as well while it lasts. */
static void stock_reserve(struct pool *p, unsigned class)
{
	struct depot_box *box = stock_box_sure(p);
	size_t size = depot_reserve_size(p->size), least = size / STOCK_PARTS;
	void *block = NULL;

	if (!box)
		return;
	for (; !block && size >= least && size >= HEAP_BLOCK_MIN; size /= 2)
		block = stock_cut(p, size & -HEAP_ALIGN);
	if (block) {
		stock_add(p, box, block);
		box->bytes = 0;
	}
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
	if (!left)
		stock_unpack(p, from);
	stock_put(p, DEPOT_CLASSES - 1, from);
}

/* ---- what others gave back ---- */

/* The next blocks of the class go on top of those that lie in the depot's last box: a box
 * for the few of one turn each would use up all there are. */
static void stock_open(struct cache *c, unsigned class)
{
	struct depot_box *box = depot_take(c->depot, class);

	if (!box)
		return;
	if (box->n >= c->box_most[class]) {
		stock_put(c->pool, class, box);
		return;
	}
	c->open[class] = box;
	c->box_n[class] = (uint8_t)box->n;
}

static void stock_sort(struct cache *c, void *block, uint32_t size)
{
	if (size <= c->box_max && !c->open[cache_class(c, size)])
		stock_open(c, cache_class(c, size));
	if (size <= c->box_max && cache_into_box(c, block, size))
		return;
	/* threads live on them while the helper is at the lock, again and again */
	cache_stock_reserves(c->pool);
	stock_give(c->pool, block);
}

static void stock_close(struct cache *c)
{
	for (unsigned i = 0; i < DEPOT_RESERVE; i++) {
		struct depot_box *box = c->open[i];

		if (!box)
			continue;
		box->n = c->box_n[i];
		box->bytes = (uint32_t)(cache_class_size(i) * box->n);
		c->open[i] = NULL;
		c->box_n[i] = 0;
		cache_stock_reserves(c->pool);
		stock_put(c->pool, i, box);
	}
	cache_detach(c);
}

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
	/* acquire: pairs with pool_push_returned(); takes all, so no ABA */
	block = __atomic_exchange_n(&p->hot->returned, NULL, __ATOMIC_ACQUIRE);
	for (; block; block = below, n++) {
		uint32_t size = cache_block_size(block);

		/* the program may have written to its header since: then its size leads
		 * anywhere */
		if (heap_check_pointer(p->heap, block) != HEAP_DOUBLE_FREE)
			pool_misuse(p, block, HEAP_BROKEN);
		below = pool_below(p, block);
		stock_sort(c, block, size);
	}
	stock_close(c);
	return n;
}

unsigned cache_stock(struct pool *p, bool roomy)
{
	unsigned n = 0;

	if (!p->depot)
		return 0;
	if (pool_available(p) >= p->size / STOCK_LEFT)
		cache_stock_reserves(p);
	if (roomy) {
		n = stock_returned(p);
		stock_missed(p);
	}
	return n;
}
