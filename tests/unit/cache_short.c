/* SPDX-License-Identifier: MIT */
/*
 * cache_short.c - a cache whose pool runs short, whose blocks are freed by others, and
 * beside other caches, with and without heaps
 */
#include <stdio.h>

#include "cache_unit.h"

#define SIZE	 (4UL << 20)
#define LIVE_MAX 2000

static size_t used(void)
{
	return cache_heap(cache)->used;
}

/* One block of nearly all there is fits. */
static void check_whole(void)
{
	void *p;

	everything_back();
	p = take(SIZE - 4096);
	CHECK(p && give(p) == HEAP_OK);
	everything_back();
}

static void *p[LIVE_MAX];
static unsigned n;

static void fill(size_t size, size_t vary)
{
	n = 0;
	while (n < LIVE_MAX && (p[n] = take(size + (vary ? n * 7 % vary : 0))))
		n++;
	CHECK(n > 0 && n < LIVE_MAX);
}

/* Everything there is, in blocks of many sizes; then in others. What rests in the cache
 * does not keep an allocation from being served in a few attempts. */
static void given_up_before_failing(void)
{
	unsigned tries = 0;
	void *one = NULL;

	fill(16, 9000);
	for (unsigned i = 0; i < n; i++)
		CHECK(give(p[i]) == HEAP_OK);
	while (!one && tries++ < 400)
		one = take(SIZE - SIZE / 16);
	CHECK(one && give(one) == HEAP_OK);
	check_whole();
}

/* While nobody can get a part, bins accept nothing new, and large blocks have their size.
 */
static void pressure(void)
{
	void *large = take(40000), *small;
	size_t had;

	CHECK(give(large) == HEAP_OK);
	CHECK(block_usable_of(large) >= 40000 + 500);
	fill(3000, 0);
	CHECK(!parts_free(&pool->hot->parts));
	for (unsigned i = 0; i < n; i += 2) {
		had = used();
		CHECK(give(p[i]) == HEAP_OK);
		if (i > 64)
			CHECK(used() < had || heap_has_returned(cache_heap(cache)));
	}
	for (unsigned i = 1; i < 30; i += 2)
		CHECK(give(p[i]) == HEAP_OK);
	heap_take_back(cache_heap(cache), 1000);
	CHECK(!parts_free(&pool->hot->parts));
	small = take(40001);
	CHECK(small && block_usable_of(small) < 40001 + 40);
	CHECK(give(small) == HEAP_OK);
	for (unsigned i = 31; i < n; i += 2)
		CHECK(give(p[i]) == HEAP_OK);
	check_whole();
}

/* Others gave back the whole pool: a few attempts find it, a handful at a time. */
static void returned_before_failing(void)
{
	unsigned tries = 0;
	void *one = NULL;

	fill(3000, 0);
	for (unsigned i = 0; i < n; i++)
		CHECK(pool_return(pool, p[i]) == HEAP_OK);
	CHECK(pool_return(pool, p[0]) == HEAP_DOUBLE_FREE);
	CHECK(give(p[0]) == HEAP_DOUBLE_FREE);
	while (!one && tries++ < LIVE_MAX)
		one = take(SIZE - SIZE / 16);
	CHECK(one && give(one) == HEAP_OK);
	check_whole();
}

/* Of the size that is asked for, it is served as it is. */
static void returned_serve_again(void)
{
	void *q = take(512), *other = take(512);
	size_t had = used();

	CHECK(pool_return(pool, q) == HEAP_OK && used() == had);
	CHECK(take(512) == q && used() == had);
	CHECK(give(q) == HEAP_OK && give(other) == HEAP_OK);
	check_whole();
}

/* All that is ever asked for is aligned, and all of it comes back by others. */
static void aligned_and_returned(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		void *q = cache_alloc_aligned(cache, 64, 3000 + i % 7 * 1000);

		CHECK(q && (uintptr_t)q % 64 == 0);
		if (!q || pool_return(pool, q) != HEAP_OK)
			break;
	}
	check_whole();
}

/* ---- other caches ---- */

/* A cache may hold blocks of another heap, serve them again, and sends home what is more.
 */
static void blocks_change_hands(void)
{
	struct cache *other = another(TAG_NOBODY, false);
	struct heap *theirs = cache_heap(other);
	size_t had;

	CHECK(theirs && theirs != cache_heap(cache));
	for (n = 0; n < 400; n++)
		CHECK((p[n] = take(64)) && pool_heap_of(pool, p[n]) == cache_heap(cache));
	had = used();
	for (unsigned i = 0; i < 400; i++)
		CHECK(give_to(other, p[i]) == HEAP_OK);
	CHECK(theirs->used == 0 && used() == had);
	CHECK(heap_has_returned(cache_heap(cache)));
	p[0] = cache_alloc(other, 64);
	CHECK(p[0] && pool_heap_of(pool, p[0]) == cache_heap(cache));
	CHECK(give_to(other, p[0]) == HEAP_OK);
	cache_flush(other);
	heap_take_back(cache_heap(cache), 1000);
	CHECK(used() == 0);
	no_more(other);
	check_whole();
}

/* More threads than heaps: those beyond have none. An ordinary one shares; another one is
 * refused, but gets what it holds. */
static void without_a_heap(void)
{
	struct cache *all[8], *c;
	unsigned k = 0;
	void *q;

	do
		all[k] = another(TAG_NOBODY, false);
	while (cache_heap(all[k]) && ++k < 7);
	c = all[k];
	CHECK(k == pool->heaps - 2 && !cache_heap(c));
	CHECK(!cache_alloc(c, 100) && !cache_alloc(c, 100000));
	CHECK(!cache_alloc_aligned(c, 64, 100));
	q = take(100);
	CHECK(give_to(c, q) == HEAP_OK && cache_alloc(c, 100) == q);
	CHECK(give_to(c, q) == HEAP_OK);
	cache_set_share(c, true);
	q = cache_alloc(c, 500);
	CHECK(q && pool_heap_of(pool, q) == pool->heap);
	CHECK(give_to(c, q) == HEAP_OK && cache_alloc(c, 500) == q);
	CHECK(give_to(c, q) == HEAP_OK);
	cache_flush(c);
	CHECK(pool->heap->used > 0); /* on its way */
	pool_tend(pool);
	CHECK(pool->heap->used == 0);
	for (k++; k--;)
		no_more(all[k]);
	check_whole();
}

/* Others push there all the time: blocks are parked, none is lost. */
static void parked(void)
{
	struct cache *other = another(TAG_NOBODY, false);
	struct block *b;

	for (n = 0; n < 8; n++)
		CHECK((p[n] = take(200000)) != NULL);
	for (unsigned i = 0; i < 4; i++) {
		b = block_of(p[i]);
		block_retire(b);
		*heap_link(b) = other->parked;
		other->parked = heap_place(cache_heap(cache), b);
	}
	/* each block that runs over takes one along */
	for (unsigned i = 4; i < 7; i++)
		CHECK(give_to(other, p[i]) == HEAP_OK);
	CHECK(other->parked != 0);
	CHECK(give_to(other, p[7]) == HEAP_OK);
	CHECK(other->parked == 0);
	CHECK(heap_take_back(cache_heap(cache), 100) == 8 && used() == 0);
	/* a thread that ends leaves none behind */
	b = block_of(take(200000));
	block_retire(b);
	*heap_link(b) = 0;
	other->parked = heap_place(cache_heap(cache), b);
	no_more(other);
	CHECK(heap_take_back(cache_heap(cache), 100) == 1 && used() == 0);
	check_whole();
}

/* ---- a thread ends ---- */

/* Blocks outlive it; who comes next has its heap, and releases what was returned. */
static void adopted(void)
{
	struct cache *c = another(TAG_NOBODY, false);
	struct heap *h = cache_heap(c);
	void *q = cache_alloc(c, 1000), *r = cache_alloc(c, 1000);

	CHECK(q && r && h->own);
	no_more(c);
	CHECK(h->own && h->used > 0);
	CHECK(heap_check_pointer(h, q) == HEAP_OK);
	CHECK(give(q) == HEAP_OK); /* held by this cache now */
	CHECK(pool_return(pool, r) == HEAP_OK && heap_has_returned(h));
	c = another(TAG_NOBODY, false);
	CHECK(cache_heap(c) == h && !heap_has_returned(h));
	r = cache_alloc(c, 1000);
	CHECK(r && pool_heap_of(pool, r) == h && give_to(c, r) == HEAP_OK);
	cache_flush(cache);
	no_more(c);
	CHECK(h->used == 0 && h->own == 0);
	check_whole();
}

int main(void)
{
	unit_begin(SIZE);
	given_up_before_failing();
	pressure();
	returned_before_failing();
	returned_serve_again();
	aligned_and_returned();
	blocks_change_hands();
	without_a_heap();
	parked();
	adopted();
	return unit_end();
}
