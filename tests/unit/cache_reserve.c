/* SPDX-License-Identifier: MIT */
/*
 * cache_reserve.c - reserves are there whatever else is: the depot full, its boxes all in
 * use, the helper in the middle of giving back; and who leaves a pool waits for nobody
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache_unit.h"

#define SIZE	 (64UL << 20)
#define SOMEBODY 0x7fffffffu /* no thread of ours */
#define MANY	 4000

static void *block[MANY];

static unsigned reserves(void)
{
	unsigned n = 0;

	for (unsigned i = DEPOT_RESERVE; i < DEPOT_CLASSES; i++)
		n += depot_has(pool->depot, i);
	return n;
}

static void nothing_left(void)
{
	everything_back();
	CHECK(reserves() == 0);
}

/* What other blocks fill is not theirs, and they count for nothing in it. */
static void in_a_full_depot(void)
{
	long had = pool->depot->room;

	pool->depot->room = 0;
	cache_stock(pool, true);
	CHECK(reserves() == DEPOT_RESERVES && pool->depot->room == 0);
	CHECK(heap_used(pool->heap) ==
		DEPOT_RESERVES * (depot_reserve_size(SIZE) & -HEAP_ALIGN));
	pool->depot->room = had;
	nothing_left();
	CHECK(pool->depot->room == had);
}

/* Every box holds a few small blocks: one is emptied for each reserve. */
static void where_every_box_is_in_use(void)
{
	struct depot_box *box;
	unsigned boxes = 0;

	while ((box = depot_take_empty(pool->depot))) {
		block[boxes % MANY] = heap_alloc_block(pool->heap, 64);
		box->n = 1;
		box->bytes = 64;
		box->block[0] = (uint32_t)((uintptr_t)block[boxes++ % MANY] -
					   (uintptr_t)pool->heap);
		CHECK(depot_put(pool->depot, 4, box));
	}
	CHECK(boxes == pool->depot->boxes);
	cache_stock(pool, false);
	CHECK(reserves() == DEPOT_RESERVES);
	CHECK(heap_used(pool->heap) == (boxes - DEPOT_RESERVES) * 64 +
					       DEPOT_RESERVES * depot_reserve_size(SIZE));
	nothing_left();
}

/* No piece is as large as it should be: smaller ones serve. */
static void of_small_pieces(void)
{
	size_t size = depot_reserve_size(SIZE) / 4;
	void *before = NULL, *p;

	while ((p = heap_alloc_block(pool->heap, size))) {
		heap_flip(p);
		*(void **)p = before;
		before = p;
	}
	/* every other one is free */
	for (p = before; p && *(void **)p;) {
		void *free_it = *(void **)p;

		*(void **)p = *(void **)free_it;
		CHECK(pool_free(pool, free_it) == HEAP_OK);
		p = *(void **)p;
	}
	cache_stock(pool, false);
	CHECK(reserves() == DEPOT_RESERVES);
	for (p = before; p; p = before) {
		before = *(void **)p;
		CHECK(pool_free(pool, p) == HEAP_OK);
	}
	nothing_left();
}

/* A few blocks a turn, as another thread frees them: they share boxes. */
static void few_at_a_time(void)
{
	struct depot_box *box, *all = NULL;
	unsigned boxes = 0;

	for (unsigned i = 0; i < MANY; i++)
		CHECK((block[i] = pool_alloc(pool, 40 + i % 4 * 16, 0)) != NULL);
	for (unsigned i = 0; i < MANY; i++) {
		CHECK(pool_return(pool, block[i]) == HEAP_OK);
		if (i % 5 == 0)
			cache_stock(pool, true);
	}
	cache_stock(pool, true);
	while ((box = depot_take_empty(pool->depot))) {
		box->below = depot_number(pool->depot, all);
		all = box;
		boxes++;
	}
	boxes = pool->depot->boxes - boxes;
	CHECK(boxes <= MANY / DEPOT_BOX + 4 * 2 + DEPOT_RESERVES);
	while ((box = all)) {
		all = depot_numbered(pool->depot, box->below);
		CHECK(depot_put_empty(pool->depot, box));
	}
	nothing_left();
}

static void *one_turn(void *arg)
{
	cache_stock(pool, true);
	return NULL;
}

/* Threads take them while the helper gives back: there are new ones in the same turn. */
static void in_the_middle_of_a_turn(void)
{
	struct depot_box *box[DEPOT_RESERVES];
	pthread_t helper;

	cache_stock(pool, true);
	for (int i = 0; i < 5; i++)
		block[i] = pool_alloc(pool, 100000, 0);
	for (int i = 0; i < 5; i++)
		CHECK(pool_return(pool, block[i]) == HEAP_OK);
	pool->hot->lock.word = SOMEBODY;
	pthread_create(&helper, NULL, one_turn, NULL);
	while (__atomic_load_n(&pool->hot->returned, __ATOMIC_ACQUIRE))
		sched_yield();
	for (unsigned i = 0; i < DEPOT_RESERVES; i++)
		CHECK((box[i] = depot_take(pool->depot, DEPOT_RESERVE + i)) != NULL);
	/* release: as lock_release() would */
	__atomic_store_n(&pool->hot->lock.word, 0, __ATOMIC_RELEASE);
	pthread_join(helper, NULL);
	CHECK(reserves() == DEPOT_RESERVES);
	for (unsigned i = 0; i < DEPOT_RESERVES; i++)
		CHECK(depot_put(pool->depot, 0, box[i]));
	nothing_left();
}

/* The helper gets what a thread that leaves cannot give to a locked heap. */
static void leaves_at_once(void)
{
	struct cache *other = calloc(1, sizeof(*other));
	void *p, *q;

	if (!other)
		exit(2);
	cache_attach(other, pool, lock_tid(), NULL);
	p = cache_alloc_slow(other, 50000);
	q = cache_alloc_slow(other, 100000);
	CHECK(cache_free(other, p) && cache_free_slow(other, q) == HEAP_OK);
	pool->hot->lock.word = SOMEBODY;
	cache_detach(other);
	CHECK(pool->hot->lock.word == SOMEBODY);
	pool->hot->lock.word = 0;
	CHECK(heap_used(pool->heap) >= 150000);
	free(other);
	nothing_left();
}

int main(void)
{
	unit_begin(SIZE);
	in_a_full_depot();
	where_every_box_is_in_use();
	of_small_pieces();
	few_at_a_time();
	in_the_middle_of_a_turn();
	leaves_at_once();
	return unit_end();
}
