/* SPDX-License-Identifier: MIT */
/*
 * route.c - where a thread's next malloc and free go, and how that changes
 *
 * Realtime path, except the functions named _slow. Never makes a system call, never waits
 * for another thread's unbounded work, never calls jemalloc for a matched thread unless
 * its pool is full and the policy says so. Bound: rules with conditions are tried in
 * order, at most POLICY_RULES_MAX.
 */
#include "route_private.h"

#include <errno.h>
#include <string.h>

#include "os/child.h"
#include "os/debug.h"
#include "os/log.h"
#include "engine/cache_inline.h"
#include "engine/pools.h"
#include "engine/recycle.h"
#include "engine/tag_block.h"
#include "trace/probe.h"

CHILD_DATA route_alone_fn *route_alone;
route_relieve_fn *route_relieve;

/* ---- threads that are not matched ---- */

static __attribute__((noinline)) void route_free_hull_slow(void *p)
{
	struct pool *pool = pools_find_slow(p);

	if (pool)
		route_free_pool(pool, p);
	else
		je_free(p);
}

void route_free_check(void *p, struct slot *s)
{
	if (__builtin_expect(pools_in_hull(p), 0))
		route_free_hull_slow(p);
	else
		je_free(p);
}

void route_free_pool(struct pool *pool, void *p)
{
	enum heap_verdict v;

	if (pools_inherited(pool))
		return;
	if (UNLIKELY(debug_level() > 0))
		route_debug_freeing_slow(pool, p);
	v = pool_return(pool, p);
	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(pool, p, v);
}

void *route_realloc_pool(struct pool *pool, void *p, size_t size)
{
	void *to;

	if (size == 0) {
		route_free_pool(pool, p);
		return NULL;
	}
	if (!pools_inherited(pool) && pool_resize(pool, NULL, p, size))
		return p;
	to = pool_replace_tagged(pool, p, size);
	if (!to)
		to = je_malloc(size);
	if (to) {
		route_copy(to, p, pool_room(pool, p), size);
		route_free_pool(pool, p);
	}
	return to;
}

/* ---- matched threads: everything goes to one pool ---- */

static void *route_base_try(size_t size, size_t align)
{
	return align > BLOCK_ALIGN ? je_memalign(align, size) : je_malloc(size);
}

/* jemalloc has nothing: what its threads freed may still wait for the helper. */
static __attribute__((noinline)) void *route_base_relieved_slow(size_t size, size_t align)
{
	/* acquire: pairs with the release in helper_matched() */
	route_relieve_fn *fn = __atomic_load_n(&route_relieve, __ATOMIC_ACQUIRE);
	void *p = NULL;

	if (fn && size >> 47 == 0) {
		fn();
		p = route_base_try(size, align);
	}
	if (!p)
		errno = ENOMEM;
	return p;
}

void *route_base_alloc(size_t size, size_t align)
{
	void *p = route_base_try(size, align);

	return __builtin_expect(p != NULL, 1) ? p : route_base_relieved_slow(size, align);
}

/* The slow work of a program without a helper. Relaxed: there is one thread. */
static bool route_alone_slow(struct pool *pool, size_t size)
{
	route_alone_fn *fn = __atomic_load_n(&route_alone, __ATOMIC_RELAXED);

	return __builtin_expect(fn != NULL, 0) && fn(pool, size);
}

/* From the thread's own heap, once more, since the pool has grown. */
static void *route_alloc_grown_slow(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align)
{
	struct heap *h = route_heap_in(s, pool);
	void *p;

	if (!h || size > BLOCK_MAX / 2)
		return NULL;
	p = heap_alloc_aligned(h, align, block_size_for(size), tag);
	if (p && pool != s->route->pool) /* else its heap counts */
		tag_count(tag, 1, (long)block_taken_of(p));
	return p;
}

/* A rule with `recycle =` keeps big blocks of jemalloc for the next of their size. */
static bool route_recycles(const struct slot *s, size_t size)
{
	return s->route && s->route->recycle && size >= ROUTE_BIG && size >> 47 == 0;
}

__attribute__((noinline)) void *route_full_slow(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align)
{
	if (size >> 47 == 0 && route_alone_slow(pool, size)) {
		void *p = route_alloc_grown_slow(s, pool, tag, size, align);

		if (p)
			return p;
	}
	s->fallbacks++;
	if (route_recycles(s, size) && align <= BLOCK_ALIGN) {
		size_t bytes = je_nallocx(size, 0);
		void *p = recycle_hit(s->route->recycle, bytes);

		PROBE_FALLBACK(size, pool->name);
		return p ? p
			 : recycle_fresh(s->route->recycle, route_base_alloc(size, align),
				   bytes);
	}
	if (size >> 47 == 0) { /* else no pool of any size would do */
		pool_was_full(pool, size);
		PROBE_FULL(size, pool->name);
	}
	if (pool->when_full == POOL_FULL_FAIL) {
		errno = ENOMEM;
		return NULL;
	}
	PROBE_FALLBACK(size, pool->name);
	return route_base_alloc(size, align);
}

/* Its own pool has no block for n bytes, or for a sixteenth less than n. */
void *route_full_own_slow(struct cache *c, size_t n, size_t align)
{
	struct slot *s =
		(struct slot *)(void *)((char *)c - offsetof(struct slot, cache));

	return route_full_slow(s, s->route->pool, s->route->tag, n, align);
}

void *route_malloc_simple(size_t n, struct slot *s)
{
	return cache_alloc(route_cache(s), n);
}

/* ---- frees of matched threads ---- */

/* ---- frees of jemalloc blocks: the helper's work ---- */

/* One producer, and the helper takes the whole stack: at most one retry per take. */
void route_defer_push(struct slot *s)
{
	struct route_deferred *d = s->defer_open, *top;

	s->defer_open = NULL;
	top = __atomic_load_n(&s->defer_full, __ATOMIC_RELAXED);
	do
		d->below = top;
	/* release: what is in it; pairs with the acquire in route_drain_deferred() */
	while (!__atomic_compare_exchange_n(
		&s->defer_full, &top, d, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* The last resort: a link in the block itself, which may never have been touched. */
static void route_defer_linked(struct slot *s, void *p)
{
	void *top = __atomic_load_n(&s->defer_list, __ATOMIC_RELAXED);

	do
		*(void **)p = top;
	/* release: the link before the head; pairs with the helper's acquire exchange */
	while (!__atomic_compare_exchange_n(
		&s->defer_list, &top, p, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* The ring is full: into a chunk of the pool, so that the block is not touched. */
static __attribute__((noinline)) void route_defer_more(struct slot *s, void *p)
{
	struct heap *h = s->route->pool ? route_heap_in(s, s->route->pool) : NULL;
	struct route_deferred *d = s->defer_open;

	route_alone_slow(NULL, 0);
	if (!d && h) {
		d = heap_serve(h, block_size_for(sizeof(*d)), s->route->tag);
		if (d)
			d->n = 0;
		s->defer_open = d;
	}
	if (!d) {
		route_defer_linked(s, p);
		return;
	}
	d->block[d->n++] = p;
	if (d->n == ROUTE_DEFER_MORE)
		route_defer_push(s);
}

static void route_defer(struct slot *s, void *p)
{
	uint32_t head = s->defer_head;
	/* acquire: pairs with the helper's release in route_drain_deferred() */
	uint32_t tail = __atomic_load_n(&s->defer_tail, __ATOMIC_ACQUIRE);

	s->deferred++;
	if (__builtin_expect(head - tail >= ROUTE_DEFER, 0)) {
		route_defer_more(s, p);
		return;
	}
	s->defer_ring[head % ROUTE_DEFER] = p;
	/* release: the entry before the head; pairs with the helper's acquire */
	__atomic_store_n(&s->defer_head, head + 1, __ATOMIC_RELEASE);
	if (__builtin_expect(s->defer_open != NULL, 0))
		route_defer_push(s);
}

static __attribute__((noinline)) bool route_keep_big(void *p, struct slot *s)
{
	size_t size = je_malloc_usable_size(p);

	return route_recycles(s, size) && recycle_keep(s->route->recycle, p, size);
}

static inline void route_free_base(void *p, struct slot *s)
{
	if (s->route && s->route->recycle && route_keep_big(p, s))
		return;
	if (s->route && s->route->defer)
		route_defer(s, p);
	else
		je_free(p);
}

/* In the addresses that pools are among, and not of the thread's own as far as known. */
static __attribute__((noinline)) void route_free_hull(void *p, struct slot *s)
{
	struct pool *pool = pools_find(p);

	if (!pool) {
		route_free_base(p, s);
		return;
	}
	/* its own pool may have grown since the cache looked */
	if (s->route && pool == s->route->pool)
		cache_see_growth(route_cache(s));
	if (cache_owns(route_cache(s), p))
		route_free_cached(p, s);
	else
		route_free_pool(pool, p);
}

/* No frame for what most are where rules ask for call sites: jemalloc's. */
static __attribute__((noinline)) void route_free_foreign(void *p, struct slot *s)
{
	if (__builtin_expect(pools_in_hull(p), 0))
		route_free_hull(p, s);
	else if (p)
		route_free_base(p, s);
}

/* A thread without a cache: it owns nothing. */
__attribute__((noinline)) void route_free_slow(void *p, struct slot *s)
{
	route_free_foreign(p, s);
}

/* In its own pool, but not the start of a live block of its cache's tag. */
static __attribute__((noinline)) void route_free_odd(void *p, struct slot *s)
{
	struct cache *c = route_cache(s);
	enum heap_verdict v;

	s->slow++;
	v = cache_free_odd(c, p);
	if (__builtin_expect(v != HEAP_OK, 0))
		pool_misuse(s->route->pool, p, v);
}

/* Its bin is full. */
static __attribute__((noinline)) void route_free_full(void *p, struct slot *s)
{
	s->slow++;
	cache_overflow(route_cache(s), p);
}

void route_free_cached(void *p, struct slot *s)
{
	struct cache *c = route_cache(s);
	uint32_t size;

	if (__builtin_expect(!cache_owns(c, p), 0)) {
		route_free_foreign(p, s);
		return;
	}
	size = block_size(block_of(p));
	if (__builtin_expect(!cache_is_live(c, p, size), 0))
		route_free_odd(p, s);
	else if (__builtin_expect(!cache_free_live(c, p, size), 0))
		route_free_full(p, s);
}

void route_free(void *p, struct slot *s)
{
	if (__builtin_expect(s->watch != NULL, 0))
		route_free_watched(p, s);
	else if (s->route && s->route->pool)
		route_free_cached(p, s);
	else
		route_free_slow(p, s);
}

/* The helper: it would be the one that falls over what is no block at all. */
static void route_free_deferred(void *p, struct slot *s)
{
	/* the owner's, which may change it; it is not freed under the
	 * thread lock */
	const struct route *r = __atomic_load_n(&s->route, __ATOMIC_RELAXED);

	if ((uintptr_t)p % 8)
		log_misuse(
			"invalid free (not the start of a block): %p in no pool (rule \"%s\")",
			p, r && r->rule ? r->rule->name : "");
	je_free(p);
}

static unsigned route_drain_chunks(struct slot *s)
{
	/* acquire: pairs with route_defer_push(); all of them at once, so no ABA */
	struct route_deferred *d =
		__atomic_exchange_n(&s->defer_full, NULL, __ATOMIC_ACQUIRE);
	unsigned n = 0;

	while (d) {
		struct route_deferred *below = d->below;
		struct pool *pool = pools_find(d);

		for (size_t i = 0; i < d->n; i++, n++)
			route_free_deferred(d->block[i], s);
		if (pool)
			route_free_pool(pool, d);
		d = below;
	}
	return n;
}

unsigned route_drain_deferred(struct slot *s)
{
	uint32_t tail = s->defer_tail;
	/* acquire: pairs with the owner's release in route_defer() */
	uint32_t head = __atomic_load_n(&s->defer_head, __ATOMIC_ACQUIRE);
	unsigned n = head - tail;
	void *p;

	for (; tail != head; tail++)
		route_free_deferred(s->defer_ring[tail % ROUTE_DEFER], s);
	/* release: the entries are read before the owner may overwrite them */
	__atomic_store_n(&s->defer_tail, tail, __ATOMIC_RELEASE);
	n += route_drain_chunks(s);
	/* acquire: pairs with route_defer_linked(); the whole list at once, so no ABA */
	p = __atomic_exchange_n(&s->defer_list, NULL, __ATOMIC_ACQUIRE);
	while (p) {
		void *below = *(void **)p;

		route_free_deferred(p, s);
		p = below;
		n++;
	}
	return n;
}
