/* SPDX-License-Identifier: MIT */
/*
 * route_ask.c - matched threads whose rules have conditions, alignment, realloc,
 * rtm_enter()
 *
 * Realtime path. Bound: a rule is asked at most once, POLICY_RULES_MAX in all; realloc
 * copies a block that moves.
 */
#include "route_private.h"

#include "pools.h"
#include "site_inline.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static void *route_alloc_from(
	struct slot *s, struct pool *pool, size_t size, size_t align)
{
	void *p;

	if (align <= HEAP_ALIGN && s->route && pool == s->route->pool)
		return route_alloc_own(size, s);
	s->slow++;
	p = pool_alloc(pool, size, align);
	return __builtin_expect(p != NULL, 1) ? p : route_full_slow(s, pool, size, align);
}

/* The pool for this allocation, NULL for jemalloc. */
static struct pool *route_ask(
	const struct route *r, size_t size, const struct site_frame *f)
{
	uint64_t sites = 0;
	int rule;

	if (r->want_sites && !site_fast(f->ret, r->want_sites, &sites))
		sites = site_match(f, r->want_sites);
	rule = match_allocation(route_process, &r->standing, size, sites);

	return rule < 0 ? NULL : r->pool_of[rule];
}

void *route_alloc(struct slot *s, size_t size, size_t align, const struct site_frame *f)
{
	const struct route *r = s->route;
	struct pool *pool;

	if (s->entered)
		return route_alloc_from(s, s->entered, size, align);
	pool = r->simple ? r->pool : route_ask(r, size, f);
	if (pool)
		return route_alloc_from(s, pool, size, align);
	return align > HEAP_ALIGN ? je_memalign(align, size) : je_malloc(size);
}

/* No sizes asked: of the rules that hold, and those that ask nothing, the last one wins.
 */
__attribute__((noinline)) void *route_malloc_site(size_t size, struct slot *s)
{
	const struct route *r = s->route;
	struct pool *pool = NULL;
	uint64_t holds;

	if (UNLIKELY(!site_fast(
		    (uintptr_t)__builtin_return_address(0), r->want_sites, &holds)))
		return route_malloc_ask(size, s);
	holds |= r->always;
	if (holds)
		pool = r->pool_of[63 - __builtin_clzl(holds)];
	if (pool == NULL)
		return je_malloc(size);
	return pool == r->pool ? route_alloc_own(size, s)
			       : route_alloc_from(s, pool, size, 0);
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

void *route_realloc(struct slot *s, void *p, size_t size, const struct site_frame *f)
{
	struct pool *pool;
	size_t had;
	void *to;

	if (!p)
		return route_alloc(s, size, 0, f);
	if (size == 0) {
		route_free(p, s);
		return NULL;
	}
	pool = pools_find(p);
	if (!pool)
		return route_realloc_foreign(s, p, size, f);
	had = heap_usable_of(p);
	if (size <= had && size >= had / 2)
		return p;
	if (!pools_inherited(pool) && pool_resize(pool, p, size))
		return p;
	to = route_alloc(s, size, 0, f);
	if (to) {
		route_copy(to, p, had, size);
		route_free(p, s);
	}
	return to;
}
