/* SPDX-License-Identifier: MIT */
/*
 * pools.c - the table of pools
 *
 * All pools lie in one window of address space (the hull), far from where the kernel puts
 * other mappings, so that one subtraction and one comparison tell nearly every foreign
 * pointer. Inside, a sorted table decides. Tables are immutable once published: a writer
 * fills the next of POOLS_TABLES and then advances the generation; a reader whose table
 * was reused while it read starts again (that takes POOLS_TABLES - 1 pools made
 * meanwhile).
 */
#include "pools.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "os/child.h"
#include "os/sys.h"
#include "tag.h"

#ifndef __SANITIZE_THREAD__
#define POOLS_WINDOW 0x600000000000UL /* between the program and the kernel's mmaps */
#define POOLS_PLACES (12UL << 20)     /* where it may begin, 2 MiB apart: 24 TiB */
#else				      /* which watches only some addresses */
#define POOLS_WINDOW 0x7e9000000000UL
#define POOLS_PLACES 1
#endif
#define POOLS_HULL   (64UL << 30)
#define POOLS_TABLES 16

uintptr_t pools_lo;
size_t pools_span;

struct pools_table {
	int n;
	struct {
		uintptr_t lo, hi;
		struct pool *pool;
	} at[POOLS_MAX];
};

static struct pool pools_all[POOLS_MAX];
CHILD_DATA static bool pools_taken[POOLS_MAX];
static struct pools_table pools_tables[POOLS_TABLES];
static unsigned pools_generation; /* atomic: release by writers, acquire by readers */
CHILD_DATA static struct lock pools_lock; /* writers; never taken by malloc or free */
static uintptr_t pools_next;		  /* where the next pool is wished */

/* ---- whose pointer is this ---- */

static struct pool *pools_search(const struct pools_table *t, uintptr_t p)
{
	int lo = 0, hi = t->n;

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (p < t->at[mid].lo)
			hi = mid;
		else if (p >= t->at[mid].hi)
			lo = mid + 1;
		else
			return t->at[mid].pool;
	}
	return NULL;
}

struct pool *pools_find_slow(const void *p)
{
	for (;;) {
		/* acquire: pairs with the release in pools_publish() */
		unsigned gen = __atomic_load_n(&pools_generation, __ATOMIC_ACQUIRE);
		struct pool *found =
			pools_search(&pools_tables[gen % POOLS_TABLES], (uintptr_t)p);

#ifndef __SANITIZE_THREAD__ /* which knows no fences */
		/* acquire: the reads above before the one below */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
		if (__builtin_expect(
			    __atomic_load_n(&pools_generation, __ATOMIC_RELAXED) - gen <
				    POOLS_TABLES - 1,
			    1))
			return found;
	}
}

/* Under the lock: the table of what exists now. */
static void pools_publish(void)
{
	unsigned gen = pools_generation + 1;
	struct pools_table *t = &pools_tables[gen % POOLS_TABLES];

	t->n = 0;
	for (int i = 0; i < POOLS_MAX; i++) {
		struct area *a = &pools_all[i].area;
		int at = t->n;

		if (!pools_taken[i] || !a->base)
			continue;
		for (; at > 0 && t->at[at - 1].lo > (uintptr_t)a->base; at--)
			t->at[at] = t->at[at - 1];
		t->at[at].lo = (uintptr_t)a->base;
		t->at[at].hi = (uintptr_t)a->base + a->reserved;
		t->at[at].pool = &pools_all[i];
		t->n++;
	}
	/* release: the table before the generation that names it */
	__atomic_store_n(&pools_generation, gen, __ATOMIC_RELEASE);
}

/* ---- the window ---- */

/* Numbers that other processes do not know. One tells nothing about the next (splitmix64
 * over both halves of what the kernel gave the process). */
static uint64_t pools_random(uint64_t n)
{
	const void *from = (const void *)getauxval(AT_RANDOM); /* not aligned */
	uint64_t r[2] = {(uintptr_t)&r, 0}, x;

	if (from)
		memcpy(r, from, sizeof(r));
	x = r[0] + n * 0x9e3779b97f4a7c15UL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27 ^ r[1]) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

/* Number 0 is the window's. */
static struct block_key pools_key(const struct pool *p)
{
	static unsigned made; /* under the lock */

	made++;
	return (struct block_key){
		.mix = pools_random(2UL * made),
		.factor = pools_random(2UL * made + 1) | 1,
	};
}

static void pools_open_window(void)
{
	if (pools_span)
		return;
	pools_next = POOLS_WINDOW + (pools_random(0) % POOLS_PLACES << 21);
	__atomic_store_n(&pools_lo, pools_next, __ATOMIC_RELAXED);
	/* release: a reader that sees the span sees where it starts */
	__atomic_store_n(&pools_span, POOLS_HULL, __ATOMIC_RELEASE);
}

/* A pool lies outside the window: from now on every pointer is looked up in the table. */
static void pools_hull_everything(void)
{
	__atomic_store_n(&pools_span, SIZE_MAX, __ATOMIC_RELEASE);
	__atomic_store_n(&pools_lo, 0, __ATOMIC_RELEASE);
}

static int pools_reserve(struct pool *p, const struct pool_attr *attr, size_t size)
{
	struct pool_attr in_window = *attr;
	int ret;

	pools_open_window();
	if (!attr->at)
		in_window.at = (void *)pools_next;
	if (attr->reserve)
		ret = attr->reserve(&p->area, size, &in_window);
	else
		ret = area_reserve(&p->area, in_window.at, size, attr->area_flags);
	if (ret < 0 && !attr->at && !attr->reserve)
		ret = area_reserve(&p->area, NULL, size, attr->area_flags);
	if (ret < 0)
		return ret;
	if ((uintptr_t)p->area.base == pools_next)
		pools_next += p->area.reserved + (2UL << 20);
	if ((uintptr_t)p->area.base - pools_lo >= pools_span ||
		(uintptr_t)p->area.base + p->area.reserved - pools_lo > pools_span)
		pools_hull_everything();
	return 0;
}

/* ---- making and deleting ---- */

static struct pool *pools_take(void)
{
	for (int i = 0; i < POOLS_MAX; i++) {
		if (!pools_taken[i]) {
			pools_all[i] = (struct pool){.index = i, .rule = ""};
			pools_taken[i] = true;
			return &pools_all[i];
		}
	}
	return NULL;
}

static int pools_make(struct pool *p, const struct pool_attr *attr)
{
	size_t max = attr->max > attr->size ? attr->max : attr->size;
	size_t name = attr->name ? strnlen(attr->name, POOL_NAME_MAX) : 0;
	int ret;

	if (!attr->size || max > BLOCK_MAX - (64UL << 20))
		return attr->size ? -ENOMEM : -EINVAL;
	if (name)
		memcpy(p->name, attr->name, name);
	p->size = attr->size;
	p->max = max;
	p->when_full = attr->when_full;
	p->native = attr->native;
	p->key = pools_key(p);
	ret = pools_reserve(p, attr, pool_area_size(p, max));
	if (ret < 0)
		return ret;
	ret = pool_reserve_control(p, attr->area_flags);
	if (ret >= 0 && !attr->commit_later)
		ret = pool_commit(p);
	if (ret >= 0)
		return 0;
	if (p->control.base)
		area_release(&p->control);
	area_release(&p->area);
	return ret;
}

struct pool *pools_create(const struct pool_attr *attr, int *error)
{
	uint32_t me = lock_tid();
	struct pool *p;
	int ret = -ENOMEM;

	tag_untagged();
	lock_acquire(&pools_lock, me);
	p = pools_take();
	if (p) {
		ret = pools_make(p, attr);
		if (ret < 0) {
			pools_taken[p->index] = false;
			p = NULL;
		} else {
			pools_publish();
		}
	}
	lock_release(&pools_lock, me);
	if (!p && error)
		*error = ret;
	return p;
}

void pools_delete(struct pool *p)
{
	uint32_t me = lock_tid();
	struct area area;

	lock_acquire(&pools_lock, me);
	area = p->area;
	p->area.base = NULL;
	p->ready = false;
	pools_publish();
	p->area = area;
	area_release(&p->area);
	area_release(&p->control);
	pools_taken[p->index] = false;
	lock_release(&pools_lock, me);
}

bool pools_valid(const struct pool *p)
{
	uintptr_t off = (uintptr_t)p - (uintptr_t)pools_all;

	return off < sizeof(pools_all) && off % sizeof(struct pool) == 0 &&
	       pools_taken[off / sizeof(struct pool)];
}

void pools_each(void (*fn)(struct pool *, void *), void *arg)
{
	for (int i = 0; i < POOLS_MAX; i++) {
		if (pools_taken[i])
			fn(&pools_all[i], arg);
	}
}

void pools_each_held(void (*fn)(struct pool *, void *), void *arg)
{
	uint32_t me = lock_tid();

	lock_acquire(&pools_lock, me);
	pools_each(fn, arg);
	lock_release(&pools_lock, me);
}

/* ---- fork ---- */

bool pools_inherited(const struct pool *p)
{
	return p->inherited;
}

void pools_child(void)
{
	lock_child(&pools_lock);
	for (int i = 0; i < POOLS_MAX; i++) {
		if (pools_taken[i])
			pools_all[i].inherited = true;
	}
}
