/* SPDX-License-Identifier: MIT */
/*
 * pool_heaps.c - whose the heaps and parts of a pool are: adopted, let go, orphans, given
 * back, while the pool grows as well
 */
#include <stdio.h>

#include "cache_unit.h"

#define SIZE (512UL << 10)

static struct pool *make(size_t size, size_t max, void *at)
{
	const struct pool_attr attr = {
		.name = "edges", .size = size, .max = max, .at = at};

	return pools_create(&attr, NULL);
}

/* ---- caches of pools of every size ---- */

static void depths(void)
{
	static const size_t sizes[] = {256UL << 10, 2UL << 20, 5UL << 20, 17UL << 20};
	struct cache *c = calloc(1, sizeof(*c));

	for (size_t i = 0; c && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pool *p = make(sizes[i], 0, NULL);
		struct heap *h;

		CHECK(p != NULL);
		if (!p)
			continue;
		pool_ready_heaps(p, 1);
		cache_attach(c, p, 0, false, NULL);
		h = cache_heap(c);
		CHECK(h != NULL);
		for (size_t n = 16; n < 60000; n += n / 20 + 16) {
			void *p1 = cache_alloc(c, n), *p2 = cache_alloc(c, n);

			CHECK(!p1 || give_to(c, p1) == HEAP_OK);
			CHECK(!p2 || give_to(c, p2) == HEAP_OK);
		}
		/* what a cache keeps for itself is a small part of any pool */
		heap_take_back(h, 1000);
		CHECK(h->used > 0);
		CHECK(h->used <= sizes[i] * 3 / 100);
		cache_detach(c);
		CHECK(h->used == 0 && !h->own);
		pools_delete(p);
	}
	free(c);
}

/* ---- heaps ---- */

/* As many as threads, one for others, one for who tidies; never more than parts. */
static void heaps(void)
{
	struct pool *p = make(SIZE, 0, NULL), *few = make(16UL << 10, 0, NULL);
	struct heap *h[POOL_HEAPS];
	unsigned n = 0;

	CHECK(!pool_adopt(p, false));
	pool_ready_heaps(p, 1);
	CHECK(p->heaps == 3);
	pool_ready_heaps(p, 0);
	CHECK(p->heaps == 3);
	while ((h[n] = pool_adopt(p, false)))
		CHECK(h[n]->number == n + 1 && h[n] != p->heap && ++n < POOL_HEAPS);
	CHECK(n == 2);
	pool_let_go(p, h[1]);
	CHECK(pool_adopt(p, false) == h[1]);
	pool_ready_heaps(p, 1000);
	CHECK(p->heaps == p->hot->parts.count);
	pool_ready_heaps(few, 1000);
	CHECK(few->heaps == 4 && few->hot->parts.count == 4);
	for (unsigned i = 1; i < p->heaps; i++)
		CHECK(pool_heap(p, i)->number == i &&
			pool_heap(p, i)->reach == p->heap->reach);
	pools_delete(p);
	pools_delete(few);
	p = make(64 * PARTS_BEST, 0, NULL);
	pool_ready_heaps(p, 1000);
	CHECK(p->heaps == POOL_HEAPS);
	pools_delete(p);
}

/* One that is left with blocks alive is an orphan, and the first to be adopted; it is
 * tidied when they come back, and then it is nobody's. */
static void orphans(void)
{
	struct pool *p = make(SIZE, 0, NULL);
	struct heap *a, *b;
	void *block;

	pool_ready_heaps(p, 3);
	a = pool_adopt(p, false);
	b = pool_adopt(p, false);
	block = heap_alloc(b, 112, 0);
	pool_let_go(p, b);
	pool_let_go(p, a);
	CHECK(!a->own && b->own && b->used == 112 && b->state && !a->state);
	CHECK(pool_adopt(p, false) == b && b->served_blocks == 0);
	pool_tend(p); /* it has an owner */
	CHECK(pool_return(p, block) == HEAP_OK);
	pool_tend(p);
	CHECK(b->used == 112);
	block = heap_serve(b, 112, 0);
	CHECK(block && !heap_has_returned(b));
	pool_let_go(p, b);
	pool_tend(p); /* nothing has come back */
	CHECK(b->used == 112);
	CHECK(pool_return(p, block) == HEAP_OK);
	pool_tend(p);
	CHECK(b->used == 0 && !b->own && !b->state);
	CHECK(pool_adopt(p, false) == a);
	pools_delete(p);
}

/* Ordinary threads leave most parts to those whose heaps they are meant for. */
static void few_share(void)
{
	struct pool *p = make(SIZE, 0, NULL);
	unsigned n = 0;

	pool_ready_heaps(p, 60);
	while (pool_adopt(p, true))
		n++;
	CHECK(n > 0 && n == p->hot->parts.count / 8);
	CHECK(pool_adopt(p, false) == pool_heap(p, n + 1));
	pools_delete(p);
}

/* What others hold does not keep a heap's other parts from being anybody's. */
static void given_back(void)
{
	struct pool *p = make(SIZE, 0, NULL);
	struct heap *a, *b;
	void *most, *little, *theirs;

	pool_ready_heaps(p, 2);
	a = pool_adopt(p, false);
	b = pool_adopt(p, false);
	most = heap_alloc(a, (uint32_t)(SIZE - SIZE / 8), 0);
	little = heap_alloc(a, 112, 0);
	CHECK(most && little && !heap_alloc(b, (uint32_t)SIZE / 2, 0));
	CHECK(heap_free(a, most) == HEAP_OK && a->used == 112);
	theirs = heap_alloc(b, (uint32_t)SIZE / 2, 0);
	CHECK(theirs && !(a->own & b->own));
	CHECK(pool_heap_of(p, theirs) == b && pool_heap_of(p, little) == a);
	/* behind the lock, whosever it is */
	CHECK(pool_free(p, theirs) == HEAP_OK && heap_has_returned(b));
	CHECK(pool_free(p, theirs) == HEAP_DOUBLE_FREE);
	CHECK(!pool_resize(p, a, little, SIZE));
	CHECK(pool_resize(p, a, little, 5000) && !pool_resize(p, b, little, 6000));
	CHECK(pool_resize(p, b, little, 3000) && block_usable_of(little) >= 5000);
	pools_delete(p);
}

/* While a heap is in use: what was committed is anybody's at once. */
static void growing_meanwhile(void)
{
	struct pool *p = make(SIZE, 2 * SIZE, NULL);
	struct heap *h;
	struct heap_stats st;
	void *a, *b;

	pool_ready_heaps(p, 1);
	h = pool_adopt(p, false);
	a = heap_alloc(h, (uint32_t)SIZE - 64, 0);
	CHECK(a && !heap_alloc(h, SIZE / 2, 0));
	CHECK(pool_grow(p, 20000) == 0); /* a part, and a piece of one */
	pool_stats(p, &st);
	CHECK(st.span == p->area.committed && st.used == h->used);
	CHECK(pool_grow(p, SIZE / 2) == 0);
	CHECK((b = heap_alloc(h, SIZE / 2, 0)) && pool_heap_of(p, b) == h);
	CHECK(pool_return(p, b) == HEAP_OK && heap_take_back(h, 10) == 1);
	CHECK(heap_free(h, a) == HEAP_OK && pool_check(p, h));
	pool_let_go(p, h);
	pool_stats(p, &st);
	CHECK(st.used == 0 && st.peak > SIZE && !h->own);
	CHECK(st.largest_free >= SIZE + SIZE / 2 - 24);
	pools_delete(p);
}

/* Free memory that begins anywhere in a part: also where 16 bytes of it are left, too few
 * for a block, so that one more part stays. */
static void edges(void)
{
	struct pool *p = make(SIZE, 0, NULL);
	uint32_t part = p->hot->parts.size;
	struct heap *h;

	pool_ready_heaps(p, 1);
	h = pool_adopt(p, false);
	for (uint32_t size = part; size < 2 * part; size += 16) {
		void *a = heap_alloc(h, 64, 0), *b = heap_alloc(h, 6 * part, 0);

		CHECK(a && b && heap_resize(h, b, size - BLOCK_HEADER));
		heap_trim(h, HEAP_ALL_OF_THEM);
		CHECK(__builtin_popcountl(h->own) <= 5 && pool_check(p, h));
		CHECK(heap_free(h, b) == HEAP_OK && heap_free(h, a) == HEAP_OK);
		pool_tidy(h);
		CHECK(!h->own && h->used == 0);
	}
	pool_let_go(p, h);
	pools_delete(p);
}

/* Said once, with what would have helped the first that fell short. */
static void short_of_parts(void)
{
	struct pool *p = make(SIZE, 0, NULL);

	pool_say_full(p);
	CHECK(!p->full_said);
	pool_was_full(p, 100);
	pool_was_full(p, 200);
	CHECK(p->full_events == 2 && p->full_size == 100 && p->full_free > SIZE / 2);
	pool_say_full(p);
	CHECK(p->full_said);
	pools_delete(p);
}

int main(void)
{
	depths();
	heaps();
	orphans();
	few_share();
	given_back();
	growing_meanwhile();
	edges();
	short_of_parts();
	return failures != 0;
}
