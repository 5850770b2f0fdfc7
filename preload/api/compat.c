/* SPDX-License-Identifier: MIT */
/*
 * compat.c - chains of pools: the next one is made when the last one fills
 *
 * Bound: COMPAT_CHAIN pools are asked, each for one bounded operation.
 */
#include "compat.h"

#include <errno.h>

#include "os/child.h"
#include "os/log.h"
#include "engine/tag_block.h"
#include "decide/helper.h"
#include "rtm.h"

#define COMPAT_CHAINS 4
#define COMPAT_LEAST  (64UL << 10) /* bytes of a pool that are worth a try */

/* Those that are ready; atomic: release once ready, acquire by the helper. */
CHILD_DATA static struct compat_chain *compat_chains[COMPAT_CHAINS];

/* The bytes of the i-th pool, if it can be as large as that. */
static size_t compat_wish(int i, size_t size)
{
	size_t most = 64UL << 20, start = rtm_realtime()->default_pool;
	size_t wish = i < 8 ? start << i : most;

	wish = wish > most ? most : wish;
	return wish < size ? size : wish;
}

/* Slot i is empty: fill it, unless somebody else just did. What cannot be had as large
 * as it should be is tried at half of that, and so on down to what is needed. */
static int compat_make(struct compat_chain *c, int i, size_t size)
{
	struct pool_attr attr = {
		.name = c->name,
		.size = compat_wish(i, size),
		.area_flags = c->flags,
		.native = true,
	};
	struct pool *p, *none = NULL;
	status_t s;

	for (;;) {
		s = rtm_pool_make(&attr, &p);
		if (s == B_OK || attr.size == size || attr.size <= COMPAT_LEAST)
			break;
		attr.size = attr.size / 2 > size ? attr.size / 2 : size;
	}
	if (s != B_OK)
		return s;
	if (attr.size >= __atomic_load_n(&c->stuck, __ATOMIC_RELAXED))
		__atomic_store_n(&c->stuck, 0, __ATOMIC_RELAXED);
	/* release: the pool before its address; pairs with compat_take() */
	if (!__atomic_compare_exchange_n(
		    &c->pool[i], &none, p, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		pools_delete(p);
	return 0;
}

/* In a child, slot i is its parent's: an heir takes its place. NULL: none can be made. */
static struct pool *compat_inherit(struct compat_chain *c, int i, struct pool *was)
{
	struct pool *p = rtm_pool_use((rtm_pool *)(void *)was);

	if (p)
		/* release: as in compat_make(); of several they are the same */
		__atomic_store_n(&c->pool[i], p, __ATOMIC_RELEASE);
	return p;
}

void compat_say_full(const struct compat_chain *c, size_t size)
{
	if (c->flags & AREA_LOCK && size < RTM_TOTAL_MAX - TAG_TAIL &&
		size < area_memory_available())
		log_once(
			"%s: no more memory could be wired: see RLIMIT_MEMLOCK and librtpreload(7)",
			c->name);
}

/* ---- the helper ---- */

/* A pool that has room for `size`; false: none can be made. */
static bool compat_grow(struct compat_chain *c, size_t size)
{
	for (int i = 0; i < COMPAT_CHAIN; i++) {
		/* acquire: pairs with compat_make() */
		struct pool *p = __atomic_load_n(&c->pool[i], __ATOMIC_ACQUIRE);

		if (!p)
			return compat_make(c, i, size) == 0;
		if (p->inherited && compat_inherit(c, i, p) && p->size >= size)
			return true;
	}
	return false;
}

static void compat_turn(void)
{
	for (int i = 0; i < COMPAT_CHAINS; i++) {
		/* acquire: pairs with compat_register() */
		struct compat_chain *c =
			__atomic_load_n(&compat_chains[i], __ATOMIC_ACQUIRE);
		size_t want, stuck;

		if (!c)
			continue;
		want = __atomic_exchange_n(&c->want, 0, __ATOMIC_RELAXED);
		stuck = __atomic_load_n(&c->stuck, __ATOMIC_RELAXED);
		if (!want || (stuck && want >= stuck) || compat_grow(c, want))
			continue;
		__atomic_store_n(&c->stuck, want, __ATOMIC_RELAXED);
		compat_say_full(c, want);
	}
}

static void compat_register(struct compat_chain *c)
{
	for (int i = 0; i < COMPAT_CHAINS; i++) {
		struct compat_chain *none = NULL;

		/* release: what is in it; pairs with compat_turn() */
		if (__atomic_compare_exchange_n(&compat_chains[i], &none, c, false,
			    __ATOMIC_RELEASE, __ATOMIC_RELAXED) ||
			none == c)
			return;
	}
}

/* ---- the families ---- */

static void compat_child(void)
{
	for (int i = 0; i < COMPAT_CHAINS; i++)
		if (compat_chains[i])
			compat_chains[i]->stuck = 0;
}

int compat_ready(struct compat_chain *c, unsigned flags)
{
	/* acquire: pairs with compat_make() */
	struct pool *p = __atomic_load_n(&c->pool[0], __ATOMIC_ACQUIRE);

	if (!p)
		c->flags = flags;
	compat_register(c);
	rtm_begin(compat_child);
	helper_start_for(compat_turn);
	if (p && p->inherited)
		return compat_inherit(c, 0, p) ? 0 : -ENOMEM;
	return p ? 0 : compat_make(c, 0, 0);
}

/* Another pool for a call that may wait; NULL: there can be none. */
static struct pool *compat_another(struct compat_chain *c, int i, size_t size)
{
	if (!helper_running()) /* a child's is not, until now */
		helper_start_for(compat_turn);
	if (compat_make(c, i, size) < 0)
		return NULL;
	return __atomic_load_n(&c->pool[i], __ATOMIC_ACQUIRE); /* as below */
}

void *compat_take(struct compat_chain *c, size_t size, struct tag *tag, bool wait)
{
	size_t all = size + TAG_TAIL;

	for (int i = 0; i < COMPAT_CHAIN; i++) {
		/* acquire: pairs with compat_make() */
		struct pool *p = __atomic_load_n(&c->pool[i], __ATOMIC_ACQUIRE);
		void *block = NULL;
		bool busy;

		if (!p && wait)
			p = compat_another(c, i, all);
		if (!p)
			break;
		if (p->inherited)
			p = wait ? compat_inherit(c, i, p) : NULL;
		if (p)
			block = wait ? pool_alloc(p, all, 0) : pool_try(p, all, &busy);
		if (block) {
			tag_put(block, size, tag);
			return block;
		}
	}
	/* relaxed: of two that are refused at once, either is a reason to grow */
	if (!wait && all > __atomic_load_n(&c->want, __ATOMIC_RELAXED))
		__atomic_store_n(&c->want, all, __ATOMIC_RELAXED);
	return NULL;
}
