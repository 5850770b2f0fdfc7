/* SPDX-License-Identifier: MIT */
/*
 * route_switch.c - how a slot's route changes, by its owner or from outside
 *
 * THE SWITCH. A publisher stores `next`, then points both functions at the switch. The
 * owner takes `next`, installs it, sets the functions, and looks at `next` again: a
 * publisher that came in between is either seen there, or its later stores of the
 * functions win. All four are seq_cst for that reason; on the common path the owner only
 * loads malloc_fn.
 *
 * A route that nobody wants any more is freed once no slot names it. It goes from `next`
 * to `taken` to `route`, and each names it before the one before forgets it. A
 * reader that looks at them in that order does not miss it (tests/model/retired.pml).
 *
 * Not part of a malloc that hits: the switch itself runs once per change.
 */
#include "trace/audit.h"
#include "route_private.h"
#include "route_watch.h"

#include <errno.h>

#include "os/debug.h"
#include "sites/site_thread.h"

static route_malloc_fn route_malloc_switch;
static route_free_fn route_free_switch;

struct slot route_gone = {.malloc_fn = ROUTE_JE_MALLOC, .free_fn = route_free_check};

static void route_set_functions(struct slot *s)
{
	route_malloc_fn *m = ROUTE_JE_MALLOC;
	route_free_fn *f = route_free_check;

	if (s->entered || (s->route && s->route->sizes))
		m = route_malloc_ask;
	else if (s->route && s->route->deep && s->walks)
		m = route_malloc_walk;
	else if (s->route && !s->route->simple)
		m = route_malloc_site;
	else if (s->route)
		m = route_malloc_simple;
	if (s->route && s->route->pool)
		f = route_free_cached;
	else if (s->route && s->route->defer)
		f = route_free_slow;
	s->watch = s->route && (audit_going() ||
				       __atomic_load_n(&route_watching, __ATOMIC_RELAXED))
			   ? s->watch_memory
			   : NULL;
	if (s->watch) {
		m = route_malloc_ask;
		f = route_free_watched;
	} else if (audit_going() && !s->route && !s->entered) {
		m = route_malloc_unaudited;
		f = route_free_unaudited;
	}
	s->debug = s->route && debug_level() > 0;
	if (s->debug) {
		m = route_malloc_ask;
		f = route_free_debug;
	}
	__atomic_store_n(&s->malloc_fn, m, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->free_fn, f, __ATOMIC_SEQ_CST);
}

static void route_point_at_switch(struct slot *s)
{
	__atomic_store_n(&s->malloc_fn, route_malloc_switch, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->free_fn, route_free_switch, __ATOMIC_SEQ_CST);
}

/* What `next` holds when the thread shall go back to jemalloc. */
static struct route route_none;

static void route_detach(struct slot *s)
{
	s->slow = route_slow_calls(s);
	cache_detach(route_cache(s));
}

static void route_install(struct slot *s, const struct route *r)
{
	const struct route *was = s->route;
	bool same;

	if (r == &route_none)
		r = NULL;
	same = was && r && was->pool == r->pool && was->tag == r->tag;
	if (!same && was && was->pool)
		route_detach(s);
	if (!same && r && r->pool) {
		cache_attach(
			route_cache(s), r->pool, r->tag, !r->defer, route_full_own_slow);
	} else if (r && r->pool) {
		cache_set_share(route_cache(s), !r->defer);
	}
	/* seq_cst: before `taken` names another; pairs with route_follows() */
	__atomic_store_n(&s->route, r, __ATOMIC_SEQ_CST);
	s->seen_generation = 0;
	if (s == route_self)
		site_thread_walks(r && r->want_sites ? s->walks : NULL);
}

/* Stacks are walked from now on: the helper has found where the thread's begins and ends
 * (thread_audit.c), only the thread can say so to the walker. */
static void route_take_bounds(const struct slot *s)
{
	if (s->walk_lo && s == route_self && !site_self.hi)
		site_thread_bounds(s->walk_lo, s->walk_hi);
}

/* What is next, if anything. A retry means that another publisher came. */
static const struct route *route_take(struct slot *s)
{
	struct route *r = __atomic_load_n(&s->next, __ATOMIC_SEQ_CST);

	do {
		if (!r)
			return NULL;
		/* seq_cst, both: `taken` names it before `next` forgets it */
		__atomic_store_n(&s->taken, r, __ATOMIC_SEQ_CST);
	} while (!__atomic_compare_exchange_n(
		&s->next, &r, NULL, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return r;
}

/* Read in the order in which a route goes from one to the next. */
bool route_follows(const struct slot *s, const struct route *r)
{
	return s->wanted == r || __atomic_load_n(&s->next, __ATOMIC_SEQ_CST) == r ||
	       __atomic_load_n(&s->taken, __ATOMIC_SEQ_CST) == r ||
	       __atomic_load_n(&s->route, __ATOMIC_SEQ_CST) == r;
}

static __attribute__((noinline)) void route_switch_slow(struct slot *s)
{
	const struct route *r;

	while ((r = route_take(s)))
		route_install(s, r);
	route_take_bounds(s);
	route_set_functions(s);
	if (__atomic_load_n(&s->next, __ATOMIC_SEQ_CST))
		route_point_at_switch(s);
}

static void *route_malloc_switch(size_t size, struct slot *s)
{
	route_switch_slow(s);
	/* a tail call: the program's return address stays where call-site rules look */
	return s->malloc_fn(size, s);
}

static void route_free_switch(void *p, struct slot *s)
{
	route_switch_slow(s);
	s->free_fn(p, s);
}

void route_publish(struct slot *s, struct route *r)
{
	__atomic_store_n(&s->next, r ? r : &route_none, __ATOMIC_SEQ_CST);
	route_point_at_switch(s);
	if (s == route_self)
		route_switch_slow(s);
}

void route_drop(struct slot *s)
{
	if (s->defer_open)
		route_defer_push(s);
	if (s->route && s->route->pool)
		route_detach(s);
	route_let_others_go(s);
	__atomic_store_n(&s->route, NULL, __ATOMIC_SEQ_CST);
	s->entered = NULL;
	s->entered_depth = 0;
	__atomic_store_n(&s->next, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->taken, NULL, __ATOMIC_SEQ_CST);
	route_set_functions(s);
}

void route_reset(struct slot *s)
{
	s->route = s->wanted = NULL;
	s->entered = NULL;
	s->entered_depth = 0;
	s->seen_generation = 0;
	s->next = s->taken = NULL;
	s->deferred = s->slow = s->fallbacks = 0;
	s->audit = AUDIT_NOBODY;
	if (s->watch_memory)
		*s->watch_memory = (struct route_watch){0};
	s->defer_head = s->defer_tail = 0;
	s->defer_list = NULL;
	s->defer_open = s->defer_full = NULL;
	memset(s->other, 0, sizeof(s->other));
	cache_forget(route_cache(s));
	route_set_functions(s);
}

/* ---- rtm_enter ---- */

static void route_enter_changed(struct slot *s)
{
	s->entered = s->entered_depth ? s->entered_stack[s->entered_depth - 1] : NULL;
	route_set_functions(s);
	if (__atomic_load_n(&s->next, __ATOMIC_SEQ_CST))
		route_point_at_switch(s);
}

int route_enter(struct slot *s, struct pool *p)
{
	if (s == &route_gone)
		return -ENOTSUP;
	if (s->entered_depth == ROUTE_ENTER_MAX)
		return -EBUSY;
	s->entered_stack[s->entered_depth++] = p;
	route_enter_changed(s);
	return 0;
}

int route_leave(struct slot *s)
{
	if (!s->entered_depth)
		return -EPERM;
	s->entered_depth--;
	route_enter_changed(s);
	return 0;
}

void route_settle_pending(struct slot *s)
{
	if (__atomic_load_n(&s->next, __ATOMIC_SEQ_CST))
		route_switch_slow(s);
}
