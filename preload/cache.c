/* SPDX-License-Identifier: MIT */
/*
 * cache.c - what happens when a bin is empty or full; attaching, flushing
 *
 * Realtime path, but for attach, detach and flush. Waits for the pool's lock only in an
 * allocation that neither bin, box nor depot can serve; waits for nobody in a free. One
 * heap operation or one trade with the depot per allocation or free, never two: that is
 * what bounds them. What threads without a cache gave back is sorted by the helper
 * (cache_stock()), which is of no lower class than they, and taken back before an
 * allocation fails.
 */
#include "cache_inline.h"

#include "pools.h"
#include "tag_block.h"

#include <string.h>

/* ---- refill ---- */

void cache_see_growth(struct cache *c)
{
	/* relaxed: a block beyond what we know only takes the slow path once */
	c->span = __atomic_load_n(&c->pool->area.committed, __ATOMIC_RELAXED) -
		  (c->lo - (uintptr_t)c->pool->area.base);
}

static void *cache_no_block(struct cache *c, size_t n, size_t align)
{
	return NULL;
}

/*
 * Nothing fits: take back what other threads returned and what rests in the depot, only
 * as much as is needed; then give back all we hold, and once more. Bound: what all those
 * hold.
 */
void *cache_alloc_last_slow(struct cache *c, size_t n, size_t align)
{
	void *p = pool_alloc(c->pool, n, align); /* ends the program when it is broken */

	if (!p) {
		cache_flush(c);
		p = pool_alloc(c->pool, n, align);
		cache_thrift_last(c);
	}
	return p ? cache_adopt(c, p) : c->full(c, n, align);
}

/* A block of `size`: the one operation of the heap. */
void *cache_from_heap(struct cache *c, size_t size)
{
	void *p;

	if (__builtin_expect(!lock_try(&c->hot->lock, c->tid), 0))
		return cache_from_reserve(c, size);
	p = heap_alloc_block(c->heap, size);
	lock_release(&c->hot->lock, c->tid);
	return __builtin_expect(p != NULL, 1)
		       ? cache_hand_out(c, p)
		       : cache_alloc_last_slow(c, size - HEAP_OVERHEAD, 0);
}

/* Requests up to 8 bytes have the smallest block but a bin of their own number. */
void *cache_alloc_tiny(struct cache *c)
{
	void *p = cache_pop_small(c, HEAP_BLOCK_MIN);

	return p ? p : cache_refill_small(c, HEAP_BLOCK_MIN);
}

/*
 * Not the start of a live block, or one of another tag, which may have slack. Misuse is
 * named; a block becomes one of this cache's, if there is room, else nobody's, for a box
 * or the helper: finding out what it is was too much work to go on to the heap.
 */
enum heap_verdict cache_free_odd(struct cache *c, void *p)
{
	uint32_t size = cache_block_size(p);
	bool foreign = heap_owner(p) != c->tag;

	if (__builtin_expect(!cache_is_block(c, p), 0))
		return heap_check_pointer(c->heap, p);
	tag_leave_tail(p);
	if (foreign)
		tag_count(heap_owner(p), -1, -(long)size);
	if (cache_keep(c, p, size) ||
		(size >= CACHE_LARGE_END && cache_keep_huge(c, p, size))) {
		cache_hold(c, foreign, foreign ? size : 0);
		cache_own(c, p);
		return HEAP_OK;
	}
	if (!foreign)
		cache_hold(c, -1, -(size_t)size);
	cache_disown(c, p);
	if (size > c->box_in || !cache_into_box_odd(c, p, size))
		pool_push_returned(c->hot, p);
	return HEAP_OK;
}

/* ---- attach, detach, flush ---- */

/* What a cache may hold of a pool, all full: in small bins, in large ones, in boxes. */
#define CACHE_SMALL_SHARE 100
#define CACHE_LARGE_SHARE 84
#define CACHE_BOX_SHARE	  128
#define CACHE_BOX_BYTES	  8192 /* and this in one box, or one block */

unsigned cache_box_full(const struct pool *p, size_t size)
{
	size_t n = p->size / CACHE_BOX_BYTES / size;

	return n > DEPOT_BOX ? DEPOT_BOX : n ? (unsigned)n : 1;
}

size_t cache_class_size(unsigned class)
{
	unsigned large = class - (unsigned)CACHE_SMALL_BINS;

	if (class < CACHE_SMALL_BINS)
		return class * HEAP_ALIGN;
	return (size_t)(16 + large % 16) << (CACHE_LARGE_MSB - 4 + large / 16);
}

/* Up to which size there are boxes: as far as the share goes. */
static void cache_share_boxes(struct cache *c, const struct pool *p)
{
	size_t left = p->size / CACHE_BOX_SHARE;

	for (unsigned i = HEAP_BLOCK_MIN / HEAP_ALIGN;
		i < CACHE_SMALL_BINS + CACHE_LARGE_BINS; i++) {
		size_t size = cache_class_size(i);
		unsigned n = cache_box_full(p, size);

		if (left < n * size)
			break;
		left -= n * size;
		c->box_most[i] = (uint8_t)n;
		c->box_in = c->box_max = (uint32_t)size;
	}
}

static void cache_init_bin(void ***top, void ***full, void **slot, int depth)
{
	slot[0] = NULL;
	*top = slot;
	*full = slot + depth;
}

/* Sixteen classes per doubling from 1 << CACHE_LARGE_MSB on. */
static uint8_t cache_class_of(size_t size)
{
	unsigned shift;

	if (size < 1UL << CACHE_LARGE_MSB)
		return 0;
	shift = cache_large_shift(size);
	return (uint8_t)((size >> shift) - 16u + (shift - (CACHE_LARGE_MSB - 4u)) * 16u);
}

/* When they are empty, and the small ones without depth. */
static void cache_share_bins(struct cache *c, const struct pool *p)
{
	c->room = (long)(p->size / CACHE_LARGE_SHARE);
	c->deeper = (long)(p->size / CACHE_SMALL_SHARE);
}

/* Small bins begin without depth: those that are used get it (cache_make_room()). */
void cache_attach(struct cache *c, struct pool *p, uint32_t tid, cache_full_fn *full)
{
	memset(c, 0, sizeof(*c));
	c->lo = p->lo;
	c->key = p->key;
	c->live = HEAP_FLIP;
	c->tid = tid;
	c->pool = p;
	c->hot = p->hot;
	c->heap = p->heap;
	c->depot = p->depot;
	c->full = full ? full : cache_no_block;
	c->used = heap_used_at(p->heap);
	cache_thrift_init(c);
	cache_share_bins(c, p);
	cache_see_growth(c);
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
		cache_init_bin(&c->small[i].top, &c->small[i].full,
			c->small_slot + cache_slot(i), 0);
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		cache_init_bin(&c->large_top[i], &c->large_full[i], c->large_slot[i],
			CACHE_LARGE_DEPTH);
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		c->large_size[i] =
			(uint32_t)cache_class_size((unsigned)CACHE_SMALL_BINS + i);
	for (unsigned i = 0; i < CACHE_LARGE_END / CACHE_LARGE_UNIT; i++)
		c->large_class[i] = cache_class_of(i * CACHE_LARGE_UNIT);
	cache_share_boxes(c, p);
}

void cache_give(struct cache *c, void *p)
{
	enum heap_verdict v;

	if (__builtin_expect(!lock_try(&c->hot->lock, c->tid), 0)) {
		pool_push_returned(c->hot, p);
		return;
	}
	v = heap_free_flipped(c->heap, p);
	lock_release(&c->hot->lock, c->tid);
	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(c->pool, p, v);
}

static void cache_flush_bin(struct cache *c, void ***top)
{
	for (; **top; --*top) {
		cache_let_go(c, **top);
		cache_give(c, **top);
	}
}

static void cache_flush_box(struct cache *c, unsigned class)
{
	const struct depot_box *box = c->open[class];

	while (c->box_n[class])
		cache_give(
			c, (void *)((uintptr_t)c->heap + box->block[--c->box_n[class]]));
}

void cache_flush(struct cache *c)
{
	if (c->pool->inherited)
		return;
	for (unsigned i = 0; i < CACHE_SMALL_BINS; i++) {
		cache_flush_bin(c, &c->small[i].top);
		c->small[i].full = c->small[i].top;
	}
	for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
		cache_flush_bin(c, &c->large_top[i]);
	for (unsigned i = 0; i < DEPOT_CLASSES; i++)
		cache_flush_box(c, i);
	for (unsigned i = 0; i < CACHE_HUGE; i++) {
		void *p = c->huge[i];

		if (!p)
			continue;
		c->huge[i] = NULL;
		cache_let_go(c, p);
		cache_give(c, p);
	}
	while (c->inbox) {
		void *p = c->inbox;

		c->inbox = pool_below(c->pool, p);
		cache_give(c, p);
	}
	c->closed = false;
	cache_share_bins(c, c->pool);
	cache_thrift_end(c);
}

/* Into boxes, for another thread. */
static void cache_ship_bin(struct cache *c, void ***top, unsigned class)
{
	size_t size = cache_class_size(class);

	while (**top && size <= c->box_max) {
		void *p = *(*top)--;

		cache_let_go(c, p);
		if (!cache_into_box(c, p, size))
			cache_give(c, p);
	}
}

/* a try that fails means that others' went through */
static void cache_put_empty(struct cache *c, struct depot_box *box)
{
	while (!depot_put_empty(c->depot, box))
		;
}

static void cache_close_box(struct cache *c, unsigned class)
{
	struct depot_box *box = c->open[class];

	if (!box)
		return;
	box->n = c->box_n[class];
	box->bytes = (uint32_t)(cache_class_size(class) * box->n);
	if (!box->n || !depot_put(c->depot, class, box)) {
		cache_flush_box(c, class);
		cache_put_empty(c, box);
	}
	c->open[class] = NULL;
	c->box_n[class] = 0;
}

/* What the depot does not take, the heap does. */
void cache_detach(struct cache *c)
{
	if (!c->pool->inherited) {
		for (unsigned i = 0; i < CACHE_SMALL_BINS; i++)
			cache_ship_bin(c, &c->small[i].top, i);
		for (unsigned i = 0; i < CACHE_LARGE_BINS; i++)
			cache_ship_bin(
				c, &c->large_top[i], (unsigned)CACHE_SMALL_BINS + i);
		for (unsigned i = 0; i < DEPOT_CLASSES; i++)
			cache_close_box(c, i);
		cache_flush(c);
		for (struct depot_box *box; (box = c->spare);) {
			c->spare = depot_numbered(c->depot, box->below);
			cache_put_empty(c, box);
		}
		/* what is out there is no cache's any more */
		tag_count(c->tag, c->held_blocks, c->held_bytes);
	}
	c->held_blocks = c->held_bytes = 0;
	c->pool = NULL;
	c->span = 0;
}
