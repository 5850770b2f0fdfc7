// SPDX-License-Identifier: MIT
/*
 * route_site.c - malloc of threads whose rules ask for the call site, never for the size
 *
 * A thread remembers the decision for a call site: by return address where the immediate
 * caller decides, by stack where a walk decides. It uses the second only after it has
 * compared every word that the walk had read (site_thread.h). Straight-line code does
 * that for up to sixteen words, a loop for more.
 *
 * Realtime path. Bound: SITE_WORDS comparisons; a stack not seen before is walked.
 */
#include "route_private.h"

#include "sites/site_inline.h"
#include "sites/site_thread.h"

static route_malloc_fn route_malloc_transparent, route_malloc_tagged;

/* acquire: pairs with the seq_cst increment around dlopen and dlclose; read before the
 * answer that is remembered under it */
static inline uint64_t route_generation(void)
{
	return __atomic_load_n(&site_generation, __ATOMIC_ACQUIRE);
}

/* ---- by return address ---- */

static inline unsigned route_seen_index(uintptr_t ret)
{
	return (unsigned)(ret >> 2) % ROUTE_SEEN;
}

/* Bound: ROUTE_SEEN stores when modules have changed. */
static void route_remember(struct slot *s, uintptr_t ret, uint64_t generation,
	route_malloc_fn *fn, uint8_t tag)
{
	unsigned i = route_seen_index(ret);

	if (s->seen_generation != generation) {
		for (unsigned k = 0; k < ROUTE_SEEN; k++)
			s->seen[k].ret = 0;
		s->seen_generation = generation;
	}
	s->seen[i].ret = ret;
	s->seen[i].fn = fn;
	s->seen_tag[i] = tag;
}

/* ---- by stack ---- */

static route_malloc_fn route_site_slow;

/* Where it is not the stack that was remembered, route_site_slow() finds out what it is.
 */
static inline void *route_check_words(size_t size, struct slot *s,
	const struct site_walked *e, uintptr_t cfa, unsigned n)
{
	site_then_fn *then = e->then;

#pragma GCC unroll 16
	for (unsigned i = 0; i < n; i++) {
		if (UNLIKELY(*e->word[i].at != e->word[i].word))
			return route_site_slow(size, s);
	}
	/* last, see site_thread.h */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (UNLIKELY(e->cfa != cfa))
		return route_site_slow(size, s);
	return then(size, s);
}

/*
 * One function for each number of words, without and with the caller's frame pointer: a
 * loop over e->n takes 0.9 ns more of a pair's 6.2, and 1.9 of 8.2 with frame pointers
 * (bench/site_pair, depth 8, best of 8).
 */
#define ROUTE_CHECK(n)                                                                   \
	static void *route_check_##n(                                                    \
		size_t size, struct slot *s, const struct site_walked *e, uintptr_t cfa) \
	{                                                                                \
		return route_check_words(size, s, e, cfa, n);                            \
	}                                                                                \
	static void *route_check_rbp_##n(                                                \
		size_t size, struct slot *s, const struct site_walked *e, uintptr_t cfa) \
	{                                                                                \
		uintptr_t rbp = *(const uintptr_t *)__builtin_frame_address(0);          \
                                                                                         \
		if (UNLIKELY(e->rbp != rbp))                                             \
			return route_site_slow(size, s);                                 \
		return route_check_words(size, s, e, cfa, n);                            \
	}
#define ROUTE_COUNTS(F) \
	F(0)            \
	F(1)            \
	F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16)
ROUTE_COUNTS(ROUTE_CHECK)

#define ROUTE_CHECKS(n) {route_check_##n, route_check_rbp_##n},
static site_check_fn *const route_check[][2] = {ROUTE_COUNTS(ROUTE_CHECKS)};

/* A walk of more words. */
static void *route_check_any(
	size_t size, struct slot *s, const struct site_walked *e, uintptr_t cfa)
{
	uintptr_t rbp = *(const uintptr_t *)__builtin_frame_address(0);
	unsigned n = e->n;

	if (UNLIKELY((e->uses & SITE_USES_RBP) && e->rbp != rbp))
		return route_site_slow(size, s);
	for (unsigned i = 16; i < n; i++) {
		if (UNLIKELY(*e->word[i].at != e->word[i].word))
			return route_site_slow(size, s);
	}
	return route_check_words(size, s, e, cfa, 16);
}

static site_check_fn *route_check_of(const struct site_walked *e)
{
	if (e->n >= sizeof(route_check) / sizeof(*route_check))
		return route_check_any;
	return route_check[e->n][(e->uses & SITE_USES_RBP) != 0];
}

/* ---- not seen before ---- */

/* Of the rules that hold and those that ask nothing, the last one wins. */
static __attribute__((noinline)) void *route_site_slow(size_t size, struct slot *s)
{
	SITE_FRAME(f);
	const struct route *r = s->route;
	uint64_t generation = route_generation(), holds;
	struct site_walked *e = NULL;
	bool first = site_fast(f.ret, r->want_sites, &holds);
	route_malloc_fn *fn;
	struct pool *pool = NULL;
	uint8_t tag = r->tag;

	if (!first)
		holds = site_match_walked(&f, r->want_sites, &e);
	holds |= r->always;
	if (holds) {
		pool = r->pool_of[63 - __builtin_clzl(holds)];
		tag = r->tag_of[63 - __builtin_clzl(holds)];
	}
	if (pool && (pool != r->pool || tag != r->tag)) {
		if (first && pool == r->pool)
			route_remember(s, f.ret, generation, route_malloc_tagged, tag);
		return route_alloc_from(s, pool, tag, size, 0);
	}
	fn = pool ? route_malloc_simple : ROUTE_JE_MALLOC;
	if (e)
		site_walked_quick(e, &f, route_check_of(e), fn);
	if (first)
		route_remember(s, f.ret, generation, fn, tag);
	else if (e && !r->deep)
		route_remember(s, f.ret, generation, route_malloc_transparent, tag);
	return fn(size, s);
}

/* ---- what malloc jumps to ---- */

__attribute__((noinline)) void *route_malloc_site(size_t size, struct slot *s)
{
	uintptr_t ret = (uintptr_t)__builtin_return_address(0);
	unsigned i = route_seen_index(ret);

	if (UNLIKELY(s->seen[i].ret != ret || s->seen_generation != route_generation()))
		return route_site_slow(size, s);
	return s->seen[i].fn(size, s);
}

/* The thread's own pool, but another rule than its cache's: after a jump from above, so
 * that the return address is the one that was remembered. */
static void *route_malloc_tagged(size_t size, struct slot *s)
{
	uintptr_t ret = (uintptr_t)__builtin_return_address(0);

	return route_alloc_from(
		s, s->route->pool, s->seen_tag[route_seen_index(ret)], size, 0);
}

static inline void *route_walk(size_t size, struct slot *s, route_malloc_fn *miss)
{
	uintptr_t ret = (uintptr_t)__builtin_return_address(0);
	/* the stack pointer before the call that pushed ret: no frame has to be made */
	uintptr_t cfa = (uintptr_t)__builtin_dwarf_cfa();
	const struct site_walked *e = site_walked_at(s->walks, ret, cfa);

	if (UNLIKELY(e->quick != ret || route_generation() != e->generation))
		return miss(size, s);
	return e->check(size, s, e, cfa);
}

__attribute__((noinline)) void *route_malloc_walk(size_t size, struct slot *s)
{
	return route_walk(size, s, route_malloc_site);
}

/* The immediate caller is a wrapper: its callers decide. */
static void *route_malloc_transparent(size_t size, struct slot *s)
{
	return route_walk(size, s, route_site_slow);
}
