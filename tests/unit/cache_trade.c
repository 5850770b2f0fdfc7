/* SPDX-License-Identifier: MIT */
/*
 * cache_trade.c - what a cache does when it cannot go to the heap alone: somebody is at
 * the lock, the depot is full, another thread gave blocks back; blocks above every class
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache_unit.h"
#include "sys.h"

#define SIZE	 (64UL << 20)
#define SOMEBODY 0x7fffffffu /* no thread of ours */

/* A walk of the blocks ends at one that is damaged. */
static void walks_no_further(void)
{
	uint32_t *p = pool_alloc(pool, 100, 0), word = p[-2];
	void *q = pool_alloc(pool, 100, 0);

	live = 0;
	p[-2] = 0;
	heap_each_live(pool->heap, one_more);
	CHECK(live == 0);
	p[-2] = word;
	heap_each_live(pool->heap, one_more);
	CHECK(live == 2);
	CHECK(pool_free(pool, p) == HEAP_OK && pool_free(pool, q) == HEAP_OK);
	everything_back();
}

/* What the helper keeps lies out of the way, at the end; or is all there is. */
static void cut_from_the_end(void)
{
	struct heap_stats st;
	void *p = heap_alloc_end(pool->heap, 4096), *q = pool_alloc(pool, 4000, 0);

	CHECK(p && q && (char *)p - (char *)q > (long)SIZE / 2);
	CHECK(heap_check_pointer(pool->heap, p) == HEAP_DOUBLE_FREE);
	CHECK(pool_check(pool));
	heap_flip(p);
	CHECK(pool_free(pool, p) == HEAP_OK && pool_free(pool, q) == HEAP_OK);
	heap_stats(pool->heap, &st);
	p = heap_alloc_end(pool->heap, st.largest_free + HEAP_OVERHEAD);
	CHECK(p && !heap_alloc_end(pool->heap, 4096));
	heap_flip(p);
	CHECK(pool_free(pool, p) == HEAP_OK);
	everything_back();
}

/* ---- somebody is at the lock ---- */

static void hold(void)
{
	pool->hot->lock.word = SOMEBODY;
}

static void let_go(void)
{
	CHECK(pool->hot->lock.word == SOMEBODY);
	pool->hot->lock.word = 0;
}

/* Whatever is asked for, and freed, the heap is not touched. */
static void served_while_held(void)
{
	void *p[200], *q;

	cache_stock(pool, true);
	hold();
	for (unsigned i = 0; i < 200; i++) {
		p[i] = take(17 + i * 37);
		CHECK(p[i] && heap_usable_of(p[i]) >= 17 + i * 37);
		memset(p[i], (int)i, heap_usable_of(p[i]));
	}
	q = cache_alloc_aligned(cache, 4096, 100);
	CHECK(q && (uintptr_t)q % 4096 == 0);
	live = 0;
	heap_each_live(pool->heap, one_more);
	CHECK(live == 201);
	for (unsigned i = 0; i < 200; i++)
		CHECK(*(unsigned char *)p[i] == (unsigned char)i);
	give(q);
	for (unsigned i = 0; i < 200; i++)
		give(p[i]);
	let_go();
	everything_back();
}

/* When one reserve is used up the next one serves. */
static void reserve_after_reserve(void)
{
	static void *p[400];
	unsigned n = 0;

	cache_stock(pool, true);
	hold();
	while (n < 40)
		CHECK((p[n++] = take(20000)) != NULL);
	let_go();
	for (unsigned i = 0; i < n; i++)
		give(p[i]);
	everything_back();
}

/* Too much for a reserve: then it waits, here for a thread that is gone. */
static void waits_for_much(void)
{
	void *p = cache_alloc_aligned(cache, 256, 500);

	CHECK(p && (uintptr_t)p % 256 == 0);
	give(p);
	hold();
	p = cache_alloc_aligned(cache, 4096, 1UL << 20);
	CHECK(p && (uintptr_t)p % 4096 == 0 && pool->hot->lock.word == 0);
	give(p);
	hold();
	CHECK(!cache_alloc_aligned(cache, 4096, 2 * SIZE));
	everything_back();
	/* nor is there a reserve */
	hold();
	p = take(700);
	CHECK(p && pool->hot->lock.word == 0);
	give(p);
	everything_back();
}

static void asked_not_waited(void)
{
	void *p = pool_alloc(pool, 1000, 0), *q;
	bool busy;

	hold();
	CHECK(!pool_take_box(pool, DEPOT_CLASSES) && pool_take_returned(pool, 1) == 0);
	CHECK(!pool_resize_now(pool, p, 2000, &busy) && busy);
	CHECK(!pool_try(pool, 100, &busy) && busy);
	let_go();
	CHECK(pool_resize_now(pool, p, 2000, &busy) && !busy);
	q = pool_try(pool, 100, &busy);
	CHECK(q && !busy);
	CHECK(pool_free(pool, p) == HEAP_OK && pool_free(pool, q) == HEAP_OK);
	/* it takes back what rests in the depot, a box at a time */
	cache_stock(pool, true);
	CHECK(!pool_try(pool, SIZE + (1UL << 20), &busy) && !busy);
	CHECK(heap_used(pool->heap) == 0);
	pool->inherited = true;
	CHECK(!pool_resize_now(pool, p, 100, &busy) && !busy);
	CHECK(!pool_try(pool, 100, &busy) && !busy);
	pool->inherited = false;
	everything_back();
}

static void *let_go_soon(void *arg)
{
	usleep(2000);
	__atomic_store_n(&pool->hot->lock.word, 0, __ATOMIC_RELEASE);
	return NULL;
}

/* Where a filter may end the program for what the kernel is asked, it is not asked. Last:
 * there is no way back. */
static void patience_under_a_filter(void)
{
	uint32_t me = lock_tid();
	pthread_t t;

	for (int i = 0; i < 3; i++) {
		if (i == 1)
			sys_restrict(true);
		hold();
		pthread_create(&t, NULL, let_go_soon, NULL);
		if (i != 1)
			lock_acquire_patient(&pool->hot->lock, me);
		else
			lock_acquire(&pool->hot->lock, me);
		CHECK(pool->hot->lock.word == me);
		lock_release(&pool->hot->lock, me);
		pthread_join(t, NULL);
	}
}

/* ---- the depot ---- */

/* A depot without room, or without boxes, refuses; then the heap serves, and nothing is
 * lost. */
static void refused(bool room)
{
	static void *p[600];
	struct depot_box *box, *taken = NULL;
	long had = pool->depot->room;

	if (!room)
		pool->depot->room = 0;
	while (room && (box = depot_take_empty(pool->depot))) {
		box->below = depot_number(pool->depot, taken);
		taken = box;
	}
	for (int i = 0; i < 600; i++)
		CHECK((p[i] = take(500)) != NULL);
	for (int i = 0; i < 600; i++)
		give(p[i]);
	while ((box = taken)) {
		taken = depot_numbered(pool->depot, box->below);
		CHECK(depot_put_empty(pool->depot, box));
	}
	if (!room)
		pool->depot->room += had;
	everything_back();
}

/* Another thread was faster, or the depot is full when a thread ends: the heap. */
static void depot_of_no_use(void)
{
	struct cache *other = calloc(1, sizeof(*other));
	long had = pool->depot->room;
	void *p[100];

	if (!other)
		exit(2);
	p[0] = cache_refill_box(cache, 96, 96 / HEAP_ALIGN);
	CHECK(p[0] && heap_usable_of(p[0]) == 96 - HEAP_OVERHEAD);
	give(p[0]);
	cache_attach(other, pool, lock_tid(), NULL);
	for (int i = 0; i < 100; i++)
		CHECK((p[i] = cache_alloc_slow(other, 500)) != NULL);
	other->deeper = 0;
	for (int i = 0; i < 100; i++)
		CHECK(cache_free_slow(other, p[i]) == HEAP_OK);
	if (!other->spare && (other->spare = depot_take_empty(pool->depot)))
		other->spare->below = 0;
	pool->depot->room = 0;
	cache_detach(other);
	CHECK(pool->depot->room >= 0);
	pool->depot->room += had;
	free(other);
	everything_back();
}

/* The helper, too: a depot without room, and more missed than a reserve holds. */
static void stock_at_its_limits(void)
{
	long had = pool->depot->room;

	pool->depot->room = 0;
	CHECK(cache_stock(pool, true) == 0);
	CHECK(pool->depot->room == 0);
	pool->depot->room += had;
	cache_stock(pool, true);
	memset(pool->depot->missed, 1, DEPOT_RESERVE);
	cache_stock(pool, true);
	cache_stock(pool, false);
	everything_back();
}

/* ---- above every class ---- */

static void the_last_frames(void)
{
	void *p[CACHE_HUGE + 1], *q;
	size_t used;

	for (int i = 0; i <= CACHE_HUGE; i++)
		CHECK((p[i] = take(100000)) != NULL);
	used = heap_used(pool->heap);
	for (int i = 0; i <= CACHE_HUGE; i++)
		give(p[i]);
	CHECK(cache_free_slow(cache, p[0]) == HEAP_DOUBLE_FREE);
	/* all but one are kept */
	CHECK(heap_used(pool->heap) < used && heap_used(pool->heap) >= used / 5 * 4);
	used = heap_used(pool->heap);
	q = take(99000); /* a little less will do */
	CHECK(heap_used(pool->heap) == used && heap_usable_of(q) >= 100000);
	give(q);
	q = take(80000); /* too much would be wasted */
	CHECK(heap_used(pool->heap) > used && heap_usable_of(q) < 90000);
	give(q);
	q = take(SIZE / 2); /* for which a pool of this size keeps nothing */
	CHECK(q != NULL);
	give(q);
	CHECK(heap_used(pool->heap) < SIZE / 2);
	everything_back();
}

int main(void)
{
	unit_begin(SIZE);
	walks_no_further();
	cut_from_the_end();
	served_while_held();
	reserve_after_reserve();
	waits_for_much();
	asked_not_waited();
	refused(true);
	refused(false);
	depot_of_no_use();
	stock_at_its_limits();
	the_last_frames();
	patience_under_a_filter();
	return unit_end();
}
