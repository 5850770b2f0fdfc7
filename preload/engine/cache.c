/* SPDX-License-Identifier: MIT */
/*
 * cache.c - what happens when a bin is empty or full
 *
 * Realtime path, but for cache_flush(). Only an ordinary thread whose own heap has
 * nothing takes a lock (`share`). One operation of the heap per call.
 * Bound: CACHE_CHAIN blocks are sent home at once, CACHE_SPARE given up before an
 * allocation fails.
 */
#include "cache_inline.h"

#include <string.h>

#include "tag_block.h"

#define CACHE_CHAIN 4u /* blocks that go home to another heap by one push */
#define CACHE_SPARE 8u /* cached blocks given up before an allocation fails */
#define CACHE_TRIES 4  /* pushes at most; then a block is parked */

static inline void cache_hold(struct cache *c, long blocks, long bytes)
{
	c->held_blocks += blocks;
	c->held_bytes += bytes;
}

static inline bool cache_empty(const struct cache *c, unsigned bin)
{
	return !*c->bin[bin].top;
}

static inline bool cache_under_pressure(const struct cache *c)
{
	return heap_is_scarce(c->heap ? c->heap : c->pool->heap);
}

void cache_see_growth(struct cache *c)
{
	/* relaxed: a block beyond what we know only takes the slow path once */
	size_t committed = __atomic_load_n(&c->pool->area.committed, __ATOMIC_RELAXED);

	c->span = committed - BLOCK_ALIGN;
}

/* ---- home ---- */

/* A chain of blocks of another heap. Parked when others push there all the time. */
static void cache_push_home(
	struct cache *c, struct heap *h, struct block *first, struct block *last)
{
	if (__builtin_expect(heap_push(h, first, last, CACHE_TRIES), 1))
		return;
	*heap_link(last) = c->parked;				/* a lost race */
	c->parked = (uint32_t)((uintptr_t)first - c->pool->lo); /* a lost race */
}

/* One more try for a parked block; those below may be of other heaps. */
static void cache_unpark(struct cache *c)
{
	struct block *b = (struct block *)(c->pool->lo + c->parked);

	c->parked = *heap_link(b);
	cache_push_home(c, pool_heap_of(c->pool, b), b, b);
}

static inline unsigned cache_owner_of(const struct cache *c, const struct block *b)
{
	/* relaxed: see parts.h */
	return __atomic_load_n(
		&c->parts->owner[parts_of(c->parts, (uintptr_t)b - c->pool->lo)],
		__ATOMIC_RELAXED);
}

/* A cached block, not in its bin any more. */
static inline void cache_let_go(struct cache *c, struct block *b)
{
	cache_hold(c, -1, -(long)block_size(b));
	block_retire_cached(b);
}

/* b, retired, and blocks of the same bin and heap with it. */
static __attribute__((noinline)) void cache_send_away(
	struct cache *c, struct block *b, unsigned bin, unsigned owner)
{
	struct block *last = b, *next;

	for (unsigned n = 1; n < CACHE_CHAIN && !cache_empty(c, bin); n++) {
		next = block_of(*c->bin[bin].top);
		if (cache_owner_of(c, next) != owner)
			break;
		c->bin[bin].top--;
		cache_let_go(c, next);
		*heap_link(last) = (uint32_t)((uintptr_t)next - c->pool->lo);
		last = next;
	}
	cache_push_home(c, pool_heap(c->pool, owner), b, last);
}

/* b is retired. bin: its bin, from which others may go with it; CACHE_TINY: none. */
CACHE_INLINE void cache_send_home(struct cache *c, struct block *b, unsigned bin)
{
	unsigned owner = cache_owner_of(c, b);

	if (owner == c->number)
		heap_release(c->heap, b);
	else
		cache_send_away(c, b, bin, owner);
}

/* ---- an empty bin ---- */

/* A neighbour may have written over its header since it was freed. */
static void cache_take_home(struct cache *c, unsigned bin)
{
	struct block *b = block_of(*c->bin[bin].top--);

	cache_let_go(c, b);
	if (__builtin_expect(!block_is_returned(&c->key, b), 0))
		pool_broken(c->pool->heap, block_payload(b));
	cache_send_home(c, b, CACHE_TINY);
}

/* The largest cached blocks go to the heap. Bound: CACHE_SPARE blocks, CACHE_BINS bins.
 */
static bool cache_give_up_some(struct cache *c)
{
	unsigned n = 0;

	for (unsigned bin = CACHE_BINS; bin-- > CACHE_TINY + 1 && n < CACHE_SPARE;) {
		for (; !cache_empty(c, bin) && n < CACHE_SPARE; n++)
			cache_take_home(c, bin);
	}
	return n > 0;
}

/* The own heap has nothing. */
static __attribute__((noinline)) void *cache_last_slow(
	struct cache *c, size_t n, size_t align)
{
	void *p = NULL;

	if (c->heap && cache_give_up_some(c))
		p = heap_alloc_aligned(c->heap, align, block_size_for(n), c->tag);
	if (p)
		return p;
	if (c->share)
		p = pool_alloc(c->pool, n, align);
	if (!p)
		return c->full(c, n, align);
	block_revive(&c->key, block_of(p), c->tag);
	cache_hold(c, 1, (long)block_taken_of(p));
	return p;
}

static inline void *cache_from_heap(struct cache *c, size_t n, uint32_t size)
{
	void *p = c->heap ? heap_serve(c->heap, size, c->tag) : NULL;

	return __builtin_expect(p != NULL, 1) ? p : cache_last_slow(c, n, BLOCK_ALIGN);
}

/* Under pressure a block has the size that was asked for, not its class's. */
void *cache_miss(struct cache *c, size_t n, unsigned bin)
{
	if (bin == CACHE_TINY) {
		void *p = cache_pop(&c->bin[++bin]);

		if (p)
			return p;
	}
	c->misses++;
	if (bin >= CACHE_SMALL_BINS && !cache_under_pressure(c))
		return cache_from_heap(c, n, c->size[bin]);
	return cache_from_heap(c, n, block_size_for(n));
}

void *cache_alloc_huge(struct cache *c, size_t n)
{
	c->misses++;
	if (__builtin_expect(n > BLOCK_MAX / 2, 0))
		return c->full(c, n, BLOCK_ALIGN);
	return cache_from_heap(c, n, block_size_for(n));
}

void *cache_alloc_aligned(struct cache *c, size_t align, size_t n)
{
	void *p;

	if (__builtin_expect(n > BLOCK_MAX / 2, 0))
		return c->full(c, n, align);
	p = c->heap ? heap_serve_aligned(c->heap, align, block_size_for(n), c->tag)
		    : NULL;
	return __builtin_expect(p != NULL, 1) ? p : cache_last_slow(c, n, align);
}

/* ---- a full bin ---- */

/* An empty bin gives up its credit; it gets it again when it runs over. */
static inline void cache_ask_one(struct cache *c)
{
	unsigned bin = c->hand;

	c->hand = bin > CACHE_TINY + 1 ? bin - 1 : CACHE_BINS - 1;
	if (!cache_empty(c, bin))
		return;
	c->credit += (c->bin[bin].full - c->bin[bin].top) * (long)c->size[bin];
	c->bin[bin].full = c->bin[bin].top;
}

/* True: p is kept, since its bin may become deeper. */
static inline bool cache_deepen(struct cache *c, void *p, unsigned bin)
{
	struct cache_bin *b = &c->bin[bin];
	long size = (long)c->size[bin];

	if (c->credit < size || b->full == &c->slot[c->first[bin + 1] - 1] ||
		cache_under_pressure(c))
		return false;
	c->credit -= size;
	b->full++;
	return cache_push(b, p);
}

/* Its bin, CACHE_TINY if it has none, took p or is as deep as it may be. */
static inline bool cache_keep(struct cache *c, void *p, unsigned *bin)
{
	uint32_t size = block_size(block_of(p));

	*bin = CACHE_TINY;
	if (size >= CACHE_LARGE_END)
		return false;
	*bin = (unsigned)(cache_bin_of(c, size) - c->bin);
	return cache_deepen(c, p, *bin);
}

/* A live block of the cache's tag, which is not kept. */
static inline void cache_retire(struct cache *c, struct block *b)
{
	cache_hold(c, -1, -(long)block_size(b));
	block_retire(b);
}

/* b, retired, waits: there was work enough for one free. */
static inline void cache_send_later(struct cache *c, struct block *b)
{
	unsigned owner = cache_owner_of(c, b);

	if (owner == c->number)
		heap_release_later(c->heap, b);
	else
		cache_push_home(c, pool_heap(c->pool, owner), b, b);
}

/* b, retired, is another heap's. */
static __attribute__((noinline)) void cache_overflow_away(
	struct cache *c, struct block *b, unsigned bin, unsigned owner)
{
	cache_ask_one(c);
	cache_send_away(c, b, bin, owner);
	if (__builtin_expect(c->parked != 0, 0))
		cache_unpark(c);
}

/* Giving parts back is work enough for one free, but of a large block, whose bound is
 * another. */
static __attribute__((noinline)) void cache_overflow_spare(
	struct cache *c, struct block *b, unsigned bin)
{
	if (bin == CACHE_TINY) {
		heap_release(c->heap, b);
		heap_give_spare(c->heap);
		heap_take_back(c->heap, 2);
	} else {
		heap_give_spare(c->heap);
		heap_release_later(c->heap, b);
	}
}

/*
 * p is live, of the cache's tag, and its bin is full or it has none. Its bin has no
 * credit to deepen: so another one is asked for it, unless b will be merged on both
 * sides.
 */
void cache_overflow(struct cache *c, void *p)
{
	struct block *b = block_of(p);
	unsigned bin, owner;

	if (cache_keep(c, p, &bin))
		return;
	cache_retire(c, b);
	owner = cache_owner_of(c, b);
	if (__builtin_expect(owner != c->number, 0)) {
		cache_overflow_away(c, b, bin, owner);
	} else if (__builtin_expect(heap_has_spare(c->heap), 0)) {
		cache_overflow_spare(c, b, bin);
	} else {
		if (!(block_word(b) & BLOCK_PREV_FREE))
			cache_ask_one(c);
		heap_release(c->heap, b);
	}
}

/* The same, cheaper, of one that was odd. */
static __attribute__((noinline)) void cache_overflow_odd(struct cache *c, void *p)
{
	unsigned bin;

	if (cache_keep(c, p, &bin))
		return;
	cache_retire(c, block_of(p));
	cache_send_later(c, block_of(p));
}

/*
 * Not a live block of the cache's tag without slack. Misuse is named; a block becomes one
 * of this cache's if there is room, else it goes home.
 */
enum heap_verdict cache_free_odd(struct cache *c, void *p)
{
	struct block *b = block_of(p);
	enum heap_verdict v = heap_check_pointer(c->pool->heap, p);
	uint8_t tag;

	if (__builtin_expect(v != HEAP_OK, 0))
		return v;
	tag_leave_tail(p);
	tag = block_tag(b);
	if (tag != c->tag) {
		tag_count(tag, -1, -(long)block_size(b));
		cache_hold(c, 1, (long)block_size(b));
	}
	block_revive(&c->key, b, c->tag);
	if (!cache_free_live(c, p, block_size(b)))
		cache_overflow_odd(c, p);
	return HEAP_OK;
}

/* ---- all goes home ---- */

void cache_flush(struct cache *c)
{
	for (unsigned bin = 0; bin < CACHE_BINS; bin++) {
		while (!cache_empty(c, bin))
			cache_take_home(c, bin);
	}
	while (c->parked)
		cache_unpark(c);
}
