/* SPDX-License-Identifier: MIT */
/*
 * cache_box.c - past the bins, without the heap: open boxes, and the depot behind them
 *
 * A thread has at most one open box per class. What runs over a bin goes into it and what
 * an empty bin lacks comes out of it, one block at a time; a full one is left in the
 * depot for whoever wants that size, an empty one is changed there for a full one.
 *
 * When both have none and somebody is at the heap's lock, a reserve serves.
 *
 * Realtime path. No lock but in the very last resort; the depot's atomics. Never reads a
 * block, but for the size of a reserve. Bound: DEPOT_RESERVES looked at.
 */
#include "cache_inline.h"

/* ---- empty boxes ---- */

static inline struct depot_box *cache_take_box(struct cache *c)
{
	struct depot_box *box = c->spare;

	if (!box)
		return depot_take_empty(c->depot);
	c->spare = depot_numbered(c->depot, box->below);
	return box;
}

static inline void cache_own_box(struct cache *c, struct depot_box *box)
{
	/* relaxed: it is ours, but who came too late for it may still look */
	__atomic_store_n(&box->below, depot_number(c->depot, c->spare), __ATOMIC_RELAXED);
	c->spare = box;
}

/* One is kept for the next full bin; more when others are faster. */
static inline void cache_put_box(struct cache *c, struct depot_box *box)
{
	if (!c->spare || !depot_put_empty(c->depot, box))
		cache_own_box(c, box);
}

/* ---- an empty bin ---- */

void *cache_unbox(struct cache *c, unsigned class)
{
	void *p = (void *)((uintptr_t)c->heap + c->open[class]->block[--c->box_n[class]]);

	return cache_hand_out(c, p);
}

/* The open box is empty, if there is one, and the depot has a full one. */
void *cache_refill_box(struct cache *c, size_t size, unsigned class)
{
	struct depot_box *box = depot_take(c->depot, class), *was = c->open[class];

	if (__builtin_expect(!box, 0))
		return cache_from_heap(c, size); /* others were faster */
	c->open[class] = box;
	c->box_n[class] = (uint8_t)box->n;
	if (was)
		cache_put_box(c, was);
	return cache_unbox(c, class);
}

/* ---- the heap is locked ---- */

/* A block the helper left for this. NULL: none. Bound: DEPOT_RESERVES. */
static void *cache_take_reserve(struct cache *c)
{
	struct depot_box *box = NULL;
	void *p;

	for (unsigned i = DEPOT_RESERVE; !box && i < DEPOT_CLASSES; i++)
		box = depot_has(c->depot, i) ? depot_take(c->depot, i) : NULL;
	if (!box)
		return NULL;
	p = (void *)((uintptr_t)c->heap + box->block[0]);
	cache_put_box(c, box);
	*(void **)p = c->inbox;
	c->inbox = p;
	return p;
}

static void *cache_carve(struct cache *c, size_t size, size_t align)
{
	void *p = c->inbox ? heap_carve(c->heap, c->inbox, size, align) : NULL;

	if (!p && cache_take_reserve(c))
		p = heap_carve(c->heap, c->inbox, size, align);
	return p;
}

/*
 * Somebody is in the middle of one operation of the heap, or was preempted there: a
 * reserve serves without it. Only when there is none either, waits, and lends its
 * priority.
 */
void *cache_from_reserve(struct cache *c, size_t size)
{
	void *p = cache_carve(c, size, HEAP_ALIGN);

	if (!p && lock_enter(&c->hot->lock, c->tid)) {
		p = heap_alloc_block(c->heap, size);
		lock_release(&c->hot->lock, c->tid);
	}
	return p ? cache_hand_out(c, p)
		 : cache_alloc_last_slow(c, size - HEAP_OVERHEAD, 0);
}

void *cache_alloc_aligned(struct cache *c, size_t align, size_t n)
{
	size_t size = (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -HEAP_ALIGN;
	void *p;

	if (__builtin_expect(lock_try(&c->hot->lock, c->tid), 1)) {
		p = heap_alloc_aligned(c->heap, align, n);
		lock_release(&c->hot->lock, c->tid);
		return p ? cache_adopt(c, p) : cache_alloc_last_slow(c, n, align);
	}
	p = n > CACHE_LARGE || align > CACHE_LARGE ? NULL : cache_carve(c, size, align);
	if (p)
		return cache_hand_out(c, p);
	p = pool_alloc(c->pool, n, align);
	return p ? cache_adopt(c, p) : cache_alloc_last_slow(c, n, align);
}

/* ---- a full bin ---- */

/* A bin that stands empty gives up its depth; it gets it again when it is used. */
static inline void cache_ask_one(struct cache *c)
{
	unsigned bin = c->hand;

	c->hand = bin ? bin - 1 : (unsigned)CACHE_SMALL_BINS - 1;
	if (*c->small[bin].top)
		return;
	c->deeper += (c->small[bin].full - c->small[bin].top) * (long)(bin * HEAP_ALIGN);
	c->small[bin].full = c->small[bin].top;
}

/* size: of one of its blocks, which stands for all of them. */
static inline bool cache_ship_box(struct cache *c, size_t size, unsigned class)
{
	struct depot_box *box = c->open[class];

	box->n = c->box_n[class];
	box->bytes = (uint32_t)size * box->n;
	if (!depot_put(c->depot, class, box))
		return false;
	c->open[class] = NULL;
	c->box_n[class] = 0;
	return true;
}

/*
 * p is nobody's, and of at most box_max bytes. A box leaves as soon as it is full; if the
 * depot has no room then, at a later attempt, which is that and no more. False: not
 * taken.
 */
bool cache_into_box(struct cache *c, void *p, size_t size)
{
	unsigned class = cache_class(c, size);
	bool fresh = !c->open[class];

	if (fresh) {
		c->open[class] = cache_take_box(c);
		if (!c->open[class])
			return false;
	} else if (c->box_n[class] == c->box_most[class]) {
		cache_ship_box(c, size, class);
		return false;
	}
	c->open[class]->block[c->box_n[class]++] =
		(uint32_t)((uintptr_t)p - (uintptr_t)c->heap);
	if (c->box_n[class] == c->box_most[class])
		cache_ship_box(c, size, class);
	else if (fresh) /* either is work enough for one free */
		cache_ask_one(c);
	return true;
}

/* The same for a free that has had other work: it opens a box, or fills one up, or leaves
 * a full one. */
bool cache_into_box_odd(struct cache *c, void *p, size_t size)
{
	unsigned class = cache_class(c, size);

	if (!c->open[class])
		c->open[class] = cache_take_box(c);
	else if (c->box_n[class] == c->box_most[class])
		cache_ship_box(c, size, class);
	if (!c->open[class] || c->box_n[class] == c->box_most[class])
		return false;
	c->open[class]->block[c->box_n[class]++] =
		(uint32_t)((uintptr_t)p - (uintptr_t)c->heap);
	return true;
}

/* A live block for which its bin has no place. Without a box it goes where that costs
 * least, to the helper, and the next ones to the heap. */
enum heap_verdict cache_overflow(struct cache *c, void *p, size_t size)
{
	if (__builtin_expect(cache_is_tight(c), 0))
		cache_thrift_begin(c);
	if (cache_deepen(c, p, size))
		return HEAP_OK;
	/* first: whoever takes the box it may leave in owns it */
	cache_take_back(c, p, size);
	if (!cache_into_box(c, p, size)) {
		c->refused = CACHE_REFUSED;
		pool_push_returned(c->hot, p);
	}
	return HEAP_OK;
}
