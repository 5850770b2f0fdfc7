/* SPDX-License-Identifier: MIT */
/*
 * route_ask.c - matched threads whose rules have conditions, alignment, realloc,
 * rtm_enter()
 *
 * Realtime path. Bound: a rule is asked at most once, POLICY_RULES_MAX in all; realloc
 * copies a block that moves.
 */
#include "route_private.h"
#include "audit.h"
#include "route_watch.h"

#include "pools.h"
#include "probe.h"
#include "site_inline.h"
#include "tag_block.h"

#define ROUTE_MOVE 65536UL /* blocks up to this are rather moved than waited for */

/* From the thread's own pool, booked on its cache's tag; or from jemalloc. */
static inline void *route_alloc_cached(struct slot *s, size_t size, size_t align)
{
	if (align <= HEAP_ALIGN)
		return route_alloc_own(size, s);
	s->slow++;
	return cache_alloc_aligned(route_cache(s), align, size);
}

/* From another pool, past all caches. */
static void *route_alloc_other(
	struct slot *s, struct pool *pool, uint8_t tag, size_t size, size_t align)
{
	void *p;

	s->slow++;
	p = pool_alloc(pool, size, align);
	if (UNLIKELY(!p))
		return route_full_slow(s, pool, tag, size, align);
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
static int route_ask(const struct route *r, size_t size, const struct site_frame *f)
{
	uint64_t sites = 0;

	if (r->simple)
		return r->standing.cand[0].rule;
	if (r->want_sites && !site_fast(f->ret, r->want_sites, &sites))
		sites = site_match(f, r->want_sites);
	return match_allocation(r->process, &r->standing, size, sites);
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

/* Counted and timed; the rules' conditions are asked within the time. */
static __attribute__((noinline)) void *route_alloc_watched(
	struct slot *s, size_t size, size_t align, const struct site_frame *f)
{
	struct audit_call call;
	uint64_t slow = s->slow;
	int rule = -1;
	void *p;

	PROBE_FRAME();
	route_watch_begin(&call);
	if (s->entered) {
		p = route_alloc_from(s, s->entered, TAG_UNTAGGED, size, align);
	} else {
		rule = route_ask(s->route, size, f);
		p = route_alloc_by(s, rule, size, align);
	}
	route_watch_end(s->watch, &call);
	route_watch_alloc(s->watch, rule, size, call.ticks);
	route_probe(s, rule, p, size, call.ticks, s->slow != slow);
	if (audit_going())
		audit_alloc(s->audit, p, size, &call, f);
	return p;
}

void *route_alloc(struct slot *s, size_t size, size_t align, const struct site_frame *f)
{
	if (UNLIKELY(s->watch != NULL))
		return route_alloc_watched(s, size, align, f);
	if (s->entered)
		return route_alloc_from(s, s->entered, TAG_UNTAGGED, size, align);
	return route_alloc_by(s, route_ask(s->route, size, f), size, align);
}

__attribute__((noinline)) void *route_malloc_ask(size_t size, struct slot *s)
{
	ROUTE_FRAME(f);

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

/* In place? When somebody is at the pool's lock a block that shrinks stays as it is and
 * one that grows moves, unless copying it would take longer than waiting. */
static bool route_resize(struct pool *pool, void *p, size_t size, size_t had)
{
	bool busy, fits = pool_resize_now(pool, p, size, &busy);

	if (!fits && busy && size <= had)
		return true;
	if (!fits && busy && had > ROUTE_MOVE)
		fits = pool_resize(pool, p, size);
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
	if (!pools_inherited(pool) && route_resize(pool, p, size, had))
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
