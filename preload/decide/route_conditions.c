/* SPDX-License-Identifier: MIT */
/*
 * route_conditions.c - matched threads whose rules have conditions, alignment, realloc,
 * rtm_enter()
 *
 * Realtime path. Bound: a rule is asked at most once, POLICY_RULES_MAX in all; realloc
 * copies a block that moves.
 */
#include "trace/audit.h"
#include "route_private.h"
#include "route_watch.h"

#include "engine/pools.h"
#include "engine/tag_block.h"
#include "sites/site_inline.h"
#include "trace/probe.h"

/* From the thread's own pool, booked on its cache's tag; or from jemalloc. */
static inline void *route_alloc_cached(struct slot *s, size_t size, size_t align)
{
	if (align <= BLOCK_ALIGN)
		return cache_alloc(route_cache(s), size);
	s->slow++;
	return cache_alloc_aligned(route_cache(s), align, size);
}

/* ---- pools that are not the route's ---- */

struct heap *route_heap_in(const struct slot *s, const struct pool *pool)
{
	if (s->route && pool == s->route->pool)
		return cache_heap((const struct cache *)(const void *)s->cache);
	for (unsigned i = 0; i < ROUTE_OTHERS; i++) {
		if (s->other[i].pool == pool)
			return s->other[i].heap;
	}
	return NULL;
}

/* The same, adopted now if there is room for it. */
static struct heap *route_heap_for(struct slot *s, struct pool *pool)
{
	struct heap *h = route_heap_in(s, pool);
	bool share = !s->route || !s->route->defer;

	for (unsigned i = 0; !h && !pool->native && i < ROUTE_OTHERS; i++) {
		if (s->other[i].pool)
			continue;
		h = pool_usable(pool) ? pool_adopt(pool, share) : NULL;
		if (h)
			s->other[i] = (struct route_other){pool, h};
		break;
	}
	return h;
}

void route_let_others_go(struct slot *s)
{
	for (unsigned i = 0; i < ROUTE_OTHERS; i++) {
		if (s->other[i].pool && !s->other[i].pool->inherited)
			pool_let_go(s->other[i].pool, s->other[i].heap);
		s->other[i] = (struct route_other){NULL, NULL};
	}
}

/* Past all caches. A realtime thread takes no lock but a native pool's, which it entered
 * itself. */
static void *route_alloc_other(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align)
{
	bool realtime = s->route && s->route->defer;
	struct heap *h = route_heap_for(s, pool);
	void *p = NULL;

	s->slow++;
	if (h && size <= BLOCK_MAX / 2)
		p = align > BLOCK_ALIGN
			    ? heap_serve_aligned(h, align, block_size_for(size), tag)
			    : heap_serve(h, block_size_for(size), tag);
	if (p)
		tag_count(tag, 1, (long)block_taken_of(p));
	else if (pool->native || !realtime)
		p = pool_alloc(pool, size, align);
	if (UNLIKELY(!p))
		return route_full_slow(s, pool, tag, size, align);
	if (block_tag(block_of(p)) != tag)
		tag_own(p, tag);
	return p;
}

void *route_alloc_from(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align)
{
	void *p;

	if (!s->route || pool != s->route->pool)
		return route_alloc_other(s, pool, tag, size, align);
	if (tag == s->route->tag)
		return route_alloc_cached(s, size, align);
	p = route_alloc_cached(s, size, align);
	if ((uintptr_t)p - pool->lo < pool->span)
		tag_hand_over(p, tag);
	return p;
}

/* The rule for this allocation, -1 for jemalloc. */
static int route_conditions(
	const struct route *r, size_t size, const struct site_frame *f)
{
	uint64_t sites = 0;

	if (r->simple)
		return r->candidates.cand[0].rule;
	if (r->want_sites && !site_fast(f->ret, r->want_sites, &sites))
		sites = site_match(f, r->want_sites);
	return match_allocation(r->process, &r->candidates, size, sites);
}

static void *route_alloc_by(struct slot *s, int rule, size_t size, size_t align)
{
	struct pool *pool = rule < 0 ? NULL : s->route->pool_of[rule];

	return pool ? route_alloc_from(s, pool, s->route->tag_of[rule], size, align)
		    : route_base_alloc(size, align);
}

/* refilled: it came from its pool's heap. */
static void route_probe(
	struct slot *s, int rule, void *p, size_t size, uint64_t ticks, bool refilled)
{
	struct pool *pool = rule < 0 ? s->entered : s->route->pool_of[rule];

	if (refilled && pool)
		probe_refill(size, pool->name);
	probe_alloc(p, size, rule < 0 ? "" : s->route->process->rule[rule]->name, ticks);
}

uint64_t route_slow_calls(const struct slot *s)
{
	return s->slow + cache_misses((const struct cache *)(const void *)s->cache);
}

/* Counted and timed; the rules' conditions are asked within the time. */
static __attribute__((noinline)) void *route_alloc_watched(
	struct slot *s, size_t size, size_t align, const struct site_frame *f)
{
	struct audit_call call;
	uint64_t slow = route_slow_calls(s);
	int rule = -1;
	void *p;

	PROBE_FRAME();
	route_watch_begin(&call);
	if (s->entered) {
		p = route_alloc_from(s, s->entered, TAG_UNTAGGED, size, align);
	} else {
		rule = route_conditions(s->route, size, f);
		p = route_alloc_by(s, rule, size, align);
	}
	route_watch_end(s->watch, &call);
	route_watch_alloc(s->watch, rule, size, call.ticks);
	route_probe(s, rule, p, size, call.ticks, route_slow_calls(s) != slow);
	if (audit_going())
		audit_alloc(s->audit, p, size, &call, f);
	return p;
}

static void *route_alloc_debug_slow(
	struct slot *s, size_t size, size_t align, const struct site_frame *f)
{
	void *p;

	route_debug_before_slow(s);
	s->debug = false;
	p = route_alloc(s, size, align, f);
	s->debug = true;
	route_debug_new_slow(p);
	return p;
}

void *route_alloc(struct slot *s, size_t size, size_t align, const struct site_frame *f)
{
	if (UNLIKELY(s->debug))
		return route_alloc_debug_slow(s, size, align, f);
	if (UNLIKELY(s->watch != NULL))
		return route_alloc_watched(s, size, align, f);
	if (s->entered)
		return route_alloc_from(s, s->entered, TAG_UNTAGGED, size, align);
	return route_alloc_by(s, route_conditions(s->route, size, f), size, align);
}

__attribute__((noinline)) void *route_malloc_ask(size_t size, struct slot *s)
{
	SITE_FRAME(f);

	return route_alloc(s, size, 0, &f);
}

static void *route_realloc_foreign(
	struct slot *s, void *p, size_t size, const struct site_frame *f)
{
	size_t had = je_malloc_usable_size(p);
	void *to = route_alloc(s, size, 0, f);

	if (to) {
		route_copy(to, p, had, size);
		route_free(p, s);
	}
	return to;
}

/* In place? */
static bool route_resize(struct slot *s, struct pool *pool, void *p, size_t size)
{
	bool fits = pool_resize(pool, route_heap_in(s, pool), p, size);

	if (fits)
		pool_forget_size(pool, p);
	return fits;
}

void *route_realloc(struct slot *s, void *p, size_t size, const struct site_frame *f)
{
	struct pool *pool;
	size_t had;
	void *to;

	PROBE_FRAME();
	if (!p)
		return route_alloc(s, size, 0, f);
	if (size == 0) {
		route_free(p, s);
		return NULL;
	}
	pool = pools_find(p);
	if (!pool)
		return route_realloc_foreign(s, p, size, f);
	had = pool_room(pool, p);
	if (size <= had && size >= had / 2 && !pool_tagged(pool, p))
		return p;
	if (!pools_inherited(pool) && route_resize(s, pool, p, size))
		return p;
	to = pool_replace_tagged(pool, p, size);
	if (!to)
		to = route_alloc(s, size, 0, f);
	if (to) {
		route_copy(to, p, had, size);
		route_free(p, s);
	}
	return to;
}
