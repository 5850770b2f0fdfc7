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
#include "engine/cache_inline.h"
#include "engine/pools.h"

#define SIZE (512UL << 10)

static struct pool *pool;
static struct cache *cache;

static struct pool *make(size_t size, size_t max, void *at)
{
	const struct pool_attr attr = {
		.name = "edges", .size = size, .max = max, .at = at};

	return pools_create(&attr, NULL);
}

/* The heap that a cache adopts. */
static struct heap *own(void)
{
	return cache_heap(cache);
}

static void check_finds(void)
{
	CHECK(pool_check(pool, own()));
	own()->used += 16;
	CHECK(!pool_check(pool, own()) && pool_check(pool, NULL));
	own()->used -= 16;
	pool->heap->used += 16;
	CHECK(!pool_check(pool, own()) && !pool_check(pool, pool->heap));
	pool->heap->used -= 16;
	CHECK(pool_check(pool, own()));
}

/* ---- growing, full ---- */

static void growing(bool native)
{
	struct pool_attr attr = {
		.name = "edges", .size = SIZE, .max = 2 * SIZE, .native = native};
	struct pool *p = pools_create(&attr, NULL);
	size_t before = pool_available(p), committed;
	void *a, *all = pool_alloc(p, SIZE - 64, 0);
	bool busy;

	CHECK(all && !pool_alloc(p, SIZE / 2, 0) && !pool_try(p, SIZE / 2, &busy) &&
		!busy);
	p->full_events = 1;
	pool_say_full(p);
	CHECK(p->full_said == !native);
	pool_say_full(p);
	CHECK(pool_grow(p, SIZE) == 0 && p->growths == 1);
	/* next to what it has */
	CHECK((a = pool_alloc(p, SIZE - SIZE / 16, 0)) != NULL);
	CHECK(pool_free(p, a) == HEAP_OK && pool_free(p, all) == HEAP_OK);
	/* what the last page had beyond `max` does not count */
	CHECK(pool_available(p) + AREA_PAGE >= before + SIZE);
	CHECK((a = pool_alloc(p, SIZE + SIZE / 2, 0)) != NULL);
	CHECK(pool_free(p, a) == HEAP_OK);
	committed = p->area.committed;
	CHECK(pool_grow(p, 64UL << 20) < 0 || p->area.committed == p->area.reserved);
	CHECK(p->area.committed >= committed);
	CHECK(pool_grow(p, 4096) < 0);
	p->full_said = false;
	p->when_full = POOL_FULL_FAIL;
	pool_say_full(p);
	CHECK(pool_check(p, NULL));
	pools_delete(p);
}

/* What is said says what helps. */
static void cures(void)
{
	struct pool *p = make(SIZE, 2 * SIZE, NULL);
	struct heap *h;

	pool_ready_heaps(p, 1);
	h = pool_adopt(p, false);
	p->full_events = 1;
	pool_say_full(p); /* others have it */
	CHECK(p->full_said && heap_alloc(h, (uint32_t)SIZE - 64, 0));
	p->full_said = false;
	pool_say_full(p); /* faster than it grows */
	p->full_said = false;
	p->grow_failed = true;
	pool_say_full(p); /* full */
	CHECK(p->full_said);
	pools_delete(p);
}

/* ---- behind the lock ---- */

/* In place only; on failure nothing has changed. */
static void resizing(void)
{
	char *a = pool_alloc(pool, 1000, 0), *b = pool_alloc(pool, 1000, 0);

	memset(a, 7, 1000);
	CHECK(!pool_resize(pool, NULL, a, 5000));
	CHECK(block_usable_of(a) >= 1000 && a[999] == 7);
	CHECK(pool_free(pool, b) == HEAP_OK);
	CHECK(!pool_resize(pool, NULL, a, 5000) && pool_resize(pool, NULL, a, 900));
	CHECK(pool_resize(pool, pool->heap, a, 5000) && a[999] == 7);
	CHECK(pool_free(pool, a) == HEAP_OK);
}

/* A native pool is one heap, whose blocks know what was asked for. */
static void native(void)
{
	const struct pool_attr attr = {.name = "native", .size = SIZE, .native = true};
	struct pool *p = pools_create(&attr, NULL);
	bool busy = true;
	char *a, *b;

	pool_ready_heaps(p, 10);
	CHECK(p->heaps == 1 && !pool_adopt(p, false));
	a = pool_alloc(p, 1001, 0);
	b = pool_try(p, 1003, &busy);
	CHECK(a && b && !busy && pool_heap_of(p, b) == p->heap);
	CHECK(block_requested_of(a) == 1001 && block_requested_of(b) == 1003);
	CHECK(pool_free(p, b) == HEAP_OK);
	CHECK(pool_resize(p, NULL, a, 5002) && block_requested_of(a) == 5002);
	CHECK(!pool_resize(p, NULL, a, 2 * SIZE) && !pool_alloc(p, SIZE_MAX - 100, 0));
	b = pool_alloc(p, 100, 4096);
	CHECK(b && (uintptr_t)b % 4096 == 0);
	CHECK(pool_return(p, a) == HEAP_OK && pool_return(p, b) == HEAP_OK);
	/* by as many turns as it takes */
	CHECK((a = pool_try(p, SIZE, &busy)) && !busy && p->heap->used > SIZE);
	CHECK(pool_return(p, a) == HEAP_OK);
	pool_tend(p);
	CHECK(p->heap->used == 0);
	CHECK((a = pool_alloc(p, SIZE, 0)) && pool_free(p, a) == HEAP_OK);
	pools_delete(p);
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
	whole = pool_alloc(pool, SIZE - 64, 0);
	CHECK(whole && pool_free(pool, whole) == HEAP_OK);
	CHECK(pool_alloc(pool, BLOCK_MAX - 32, 0) == NULL);
	CHECK(pool_alloc(pool, SIZE_MAX, 0) == NULL);
}

static unsigned seen;

static void count_live(void *p)
{
	seen++;
}

static void each_live(void)
{
	void *a = pool_alloc(pool, 100, 0), *b = cache_alloc(cache, 100);

	seen = 0;
	pool_each_live(pool, count_live);
	CHECK(seen == 2);
	CHECK(cache_free_odd(cache, b) == HEAP_OK);
	CHECK(pool_free(pool, a) == HEAP_OK);
	seen = 0;
	pool_each_live(pool, count_live);
	CHECK(seen == 0);
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
	/* patient: until it is free */
	shared.word = 1;
	odd = &shared;
	pthread_create(&t, NULL, let_go, NULL);
	lock_acquire_patient(&shared, tid);
	CHECK(shared.word == tid);
	pthread_join(t, NULL);
	lock_release(&shared, tid);
}

/* Nobody waits for a lock that somebody else holds, except an allocation of the shared
 * heap. A thread with a heap of its own does not even look. */
static void busy(void)
{
	void *a = pool_alloc(pool, 100, 0), *b = pool_alloc(pool, 100, 0);
	void *c = pool_alloc(pool, 200001, 0), *d;
	bool somebody = false;

	CHECK(pool_return(pool, b) == HEAP_OK);
	pool->hot->lock.word = 1;
	CHECK(pool_free(pool, a) == HEAP_OK);
	CHECK(cache_free_odd(cache, c) == HEAP_OK);
	CHECK(pool_take_returned(pool, 10) == 0);
	CHECK(!pool_try(pool, 100, &somebody) && somebody);
	CHECK((d = cache_alloc(cache, 200001)) != NULL);
	CHECK(cache_free_odd(cache, d) == HEAP_OK);
	cache_flush(cache);
	pool_tend(pool);
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
	void *a = pool_alloc(pool, 100, 0), *b = cache_alloc(cache, 100);
	size_t used = own()->used;
	bool busy;

	pools_child();
	CHECK(pools_inherited(pool));
	CHECK(pool_return(pool, a) == HEAP_OK && pool_free(pool, a) == HEAP_OK);
	CHECK(!pool_alloc(pool, 100, 0) && !pool_resize(pool, NULL, a, 200));
	CHECK(!pool_try(pool, 100, &busy) && !busy);
	CHECK(!pool_resize(pool, own(), b, 50));
	CHECK(pool_available(pool) == 0 && pool_check(pool, own()));
	CHECK(pool_take_returned(pool, 1) == 0 && pool_grow(pool, 4096) < 0);
	pool_ready_heaps(pool, 60);
	CHECK(pool->heaps < 60 && own()->used == used);
	cache_detach(cache); /* the heap is its parent's thread's */
	CHECK(!own() && !cache_owns(cache, b));
	CHECK(heap_check_pointer(pool->heap, b) == HEAP_OK);
	pool->inherited = false;
	CHECK(pool_return(pool, a) == HEAP_OK && pool_return(pool, b) == HEAP_OK);
}

int main(void)
{
	struct heap *h;

	pool = make(SIZE, 0, NULL);
	cache = calloc(1, sizeof(*cache));
	if (!pool || !cache)
		return 1;
	pool_ready_heaps(pool, 1);
	cache_attach(cache, pool, 0, false, NULL);
	check_finds();
	growing(false);
	growing(true);
	cures();
	resizing();
	native();
	all_returned();
	each_live();
	locks();
	busy();
	table();
	no_address_space();
	h = own();
	child();
	pool_let_go(pool, h);
	pool_tend(pool);
	CHECK(pool_available(pool) >= SIZE - 4096 && pool->heap->used == 0);
	CHECK(h->used == 0 && !h->own && !pool->heap->own);
	return failures != 0;
}
