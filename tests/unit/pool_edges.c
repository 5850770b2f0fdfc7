/* SPDX-License-Identifier: MIT */
/*
 * pool_edges.c - what pools, caches and locks do at the edges: growing, full, inherited,
 * contended, outside the window
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "cache_inline.h"
#include "heap_private.h"
#include "pools.h"

#define SIZE (512UL << 10)

static struct pool *pool;
static struct cache *cache;

static struct pool *make(size_t size, size_t max, void *at)
{
	const struct pool_attr attr = {
		.name = "edges", .size = size, .max = max, .at = at};

	return pools_create(&attr, NULL);
}

static void check_finds(void)
{
	CHECK(pool_check(pool));
	pool->heap->used += 16;
	CHECK(!pool_check(pool));
	pool->heap->used -= 16;
	CHECK(pool_check(pool));
}

/* ---- caches of pools of every size ---- */

static void depths(void)
{
	static const size_t sizes[] = {256UL << 10, 2UL << 20, 5UL << 20, 17UL << 20};
	struct cache *c = calloc(1, sizeof(*c));

	for (size_t i = 0; c && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pool *p = make(sizes[i], 0, NULL);

		CHECK(p != NULL);
		if (!p)
			continue;
		cache_attach(c, p, lock_tid(), NULL);
		for (size_t n = 16; n < 60000; n += n / 20 + 16) {
			void *p1 = cache_alloc_slow(c, n), *p2 = cache_alloc_slow(c, n);

			CHECK(cache_free(c, p1) || cache_free_slow(c, p1) == HEAP_OK);
			CHECK(cache_free(c, p2) || cache_free_slow(c, p2) == HEAP_OK);
		}
		/* what a cache keeps for itself is a small part of any pool */
		CHECK(heap_used(p->heap) > 0);
		CHECK(heap_used(p->heap) <= sizes[i] * 3 / 100);
		cache_detach(c);
		while (pool_take_box(p, DEPOT_CLASSES))
			;
		CHECK(heap_used(p->heap) == 0);
		pools_delete(p);
	}
	free(c);
}

/* ---- growing, full ---- */

static void growing(void)
{
	struct pool *p = make(SIZE, 2 * SIZE, NULL);
	size_t before = pool_available(p), committed;
	void *a;

	CHECK(!pool_alloc(p, SIZE + SIZE / 2, 0));
	p->full_events = 1;
	pool_say_full(p);
	CHECK(p->full_said);
	pool_say_full(p);
	CHECK(pool_grow(p, SIZE) == 0 && p->growths == 1);
	CHECK(pool_available(p) == before + SIZE);
	CHECK((a = pool_alloc(p, SIZE + SIZE / 2, 0)) != NULL);
	CHECK(pool_free(p, a) == HEAP_OK);
	committed = p->area.committed;
	CHECK(pool_grow(p, 64UL << 20) < 0 || p->area.committed == p->area.reserved);
	CHECK(p->area.committed >= committed);
	CHECK(pool_grow(p, 4096) < 0);
	p->full_said = false;
	p->when_full = POOL_FULL_FAIL;
	pool_say_full(p);
	CHECK(p->full_said);
	CHECK(pool_check(p));
	pools_delete(p);
}

/* In place only; on failure nothing has changed. */
static void resizing(void)
{
	char *a = pool_alloc(pool, 1000, 0), *b = pool_alloc(pool, 1000, 0);

	memset(a, 7, 1000);
	CHECK(!pool_resize(pool, a, 5000));
	CHECK(heap_size_of(a) == 1000 && a[999] == 7);
	CHECK(pool_free(pool, b) == HEAP_OK);
	CHECK(pool_resize(pool, a, 5000) && a[999] == 7);
	CHECK(pool_free(pool, a) == HEAP_OK);
}

/* All of it given back by others serves as one block. */
static void all_returned(void)
{
	void *p[256], *whole;
	unsigned n = 0;

	while (n < 256 && (p[n] = pool_alloc(pool, SIZE / 200, 0)))
		n++;
	while (n)
		CHECK(pool_return(pool, p[--n]) == HEAP_OK);
	CHECK((whole = pool_alloc(pool, SIZE, 0)) != NULL);
	CHECK(pool_free(pool, whole) == HEAP_OK);
}

/* ---- locks ---- */

static struct lock shared;
static struct lock *odd;

static void *hold(void *stage)
{
	uint32_t tid = lock_tid();

	lock_acquire(&shared, tid);
	__atomic_store_n((int *)stage, 1, __ATOMIC_RELEASE);
	while (!(__atomic_load_n(&shared.word, __ATOMIC_RELAXED) & 0x80000000u))
		usleep(1000); /* until the kernel knows of somebody who waits */
	lock_release(&shared, tid);
	return NULL;
}

static void *let_go(void *arg)
{
	usleep(20000);
	__atomic_store_n(&odd->word, 0, __ATOMIC_RELEASE);
	return NULL;
}

static void *leave(void *tid)
{
	*(uint32_t *)tid = lock_tid();
	return NULL;
}

static void locks(void)
{
	static _Alignas(64) char memory[64];
	uint32_t tid = lock_tid(), dead = 0;
	int stage = 0;
	pthread_t t;

	lock_tid_forget();
	CHECK(lock_tid() == tid);
	/* handed over by the kernel */
	pthread_create(&t, NULL, hold, &stage);
	while (!__atomic_load_n(&stage, __ATOMIC_ACQUIRE))
		usleep(1000);
	CHECK(!lock_try(&shared, tid));
	lock_acquire(&shared, tid);
	CHECK((shared.word & 0x3fffffff) == tid);
	pthread_join(t, NULL);
	lock_release(&shared, tid);
	CHECK(shared.word == 0);
	/* left behind by a thread that is no more */
	pthread_create(&t, NULL, leave, &dead);
	pthread_join(t, NULL);
	shared.word = dead;
	lock_acquire(&shared, tid);
	lock_release(&shared, tid);
	CHECK(shared.word == 0);
	/* the kernel refuses to help: an address it does not take */
	odd = (struct lock *)(void *)(memory + 1);
	odd->word = 1;
	pthread_create(&t, NULL, let_go, NULL);
	lock_acquire(odd, tid);
	CHECK(odd->word == tid);
	pthread_join(t, NULL);
	odd->word = tid | 0x80000000u;
	lock_release(odd, tid);
	CHECK(odd->word == 0);
}

/* Nobody waits for a lock that somebody else holds, except an allocation. */
static void busy(void)
{
	void *a = pool_alloc(pool, 100, 0), *b = pool_alloc(pool, 100, 0);
	void *c = pool_alloc(pool, 200001, 0); /* with slack, and of no bin */

	CHECK(pool_return(pool, b) == HEAP_OK);
	pool->hot->lock.word = 1;
	CHECK(pool_free(pool, a) == HEAP_OK);
	CHECK(cache_free_slow(cache, c) == HEAP_OK);
	CHECK(pool_take_returned(pool, 10) == 0);
	pool->hot->lock.word = 0;
	CHECK(pool_take_returned(pool, 10) == 3);
	CHECK(pool_take_returned(pool, 10) == 0);
}

/* ---- the table of pools ---- */

static void count(struct pool *p, void *n)
{
	CHECK(pools_valid(p));
	++*(int *)n;
}

static int refuse(struct area *a, size_t size, const struct pool_attr *attr)
{
	return -12;
}

/* Memory that is gone when it is to be made ready. */
static int vanish(struct area *a, size_t size, const struct pool_attr *attr)
{
	int ret = area_reserve(a, NULL, size, 0);

	return ret < 0 ? ret : munmap(a->base, a->reserved);
}

static void table(void)
{
	struct pool_attr attr = {.size = SIZE, .reserve = refuse};
	struct pool *low, *out;
	int error = 0, n = 0;
	void *wall, *next;

	CHECK(!pools_create(&attr, &error) && error == -12);
	attr.reserve = vanish;
	CHECK(!pools_create(&attr, &error) && error < 0);
	attr = (struct pool_attr){.size = 0};
	CHECK(!pools_create(&attr, &error) && error == -22);
	attr.size = 5UL << 30;
	CHECK(!pools_create(&attr, &error) && error == -12);
	CHECK(!pools_valid(NULL) && !pools_valid((void *)((char *)pool + 1)));
	/* below the others: the table stays sorted */
	low = make(SIZE, 0, (void *)0x500000000000UL);
	CHECK(low && (uintptr_t)low->area.base == 0x500000000000UL);
	CHECK(pools_find_slow((void *)low->lo) == low);
	CHECK(pools_find_slow((void *)pool->lo) == pool);
	CHECK(pools_find_slow(&n) == NULL);
	pools_each_held(count, &n);
	CHECK(n == 2);
	/* the next place is taken: anywhere else will do */
	out = make(SIZE, 0, NULL);
	next = out->area.base + out->area.reserved + (2UL << 20);
	wall = mmap(next, 4096, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(wall == next);
	pools_delete(low);
	low = make(SIZE, 0, NULL);
	CHECK(low && low->area.base != (unsigned char *)wall);
	CHECK(low && pools_find_slow((void *)low->lo) == low);
	pools_delete(low);
	pools_delete(out);
	munmap(wall, 4096);
}

static void no_address_space(void)
{
	struct rlimit had, none = {4096, RLIM_INFINITY};

	CHECK(getrlimit(RLIMIT_AS, &had) == 0);
	none.rlim_max = had.rlim_max;
	CHECK(setrlimit(RLIMIT_AS, &none) == 0);
	CHECK(!make(SIZE, 0, NULL));
	CHECK(setrlimit(RLIMIT_AS, &had) == 0);
}

/* ---- in the child of a fork ---- */

static void child(void)
{
	void *a = pool_alloc(pool, 100, 0);

	pools_child();
	CHECK(pools_inherited(pool));
	CHECK(pool_return(pool, a) == HEAP_OK && pool_free(pool, a) == HEAP_OK);
	CHECK(!pool_alloc(pool, 100, 0) && !pool_resize(pool, a, 200));
	CHECK(pool_available(pool) == 0 && pool_check(pool));
	CHECK(pool_take_returned(pool, 1) == 0 && pool_grow(pool, 4096) < 0);
	cache_flush(cache);
	pool->inherited = false;
	CHECK(pool_free(pool, a) == HEAP_OK);
}

int main(void)
{
	pool = make(SIZE, 0, NULL);
	cache = calloc(1, sizeof(*cache));
	if (!pool || !cache)
		return 1;
	cache_attach(cache, pool, lock_tid(), NULL);
	check_finds();
	depths();
	growing();
	resizing();
	all_returned();
	locks();
	busy();
	table();
	no_address_space();
	child();
	cache_detach(cache);
	CHECK(pool_available(pool) >= SIZE && heap_used(pool->heap) == 0);
	return failures != 0;
}
