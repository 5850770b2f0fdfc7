/* SPDX-License-Identifier: MIT */
/*
 * entry_je.c - jemalloc's non-standard names
 *
 * Programs that link libjemalloc themselves mix these with free(); they have to land in
 * the same copy as malloc. Blocks of pools are accepted everywhere a block is.
 */
#include "entry.h"

#include <string.h>

/* jemalloc's flags: low 6 bits are the binary logarithm of the alignment. */
#define ENTRY_JE_LG_ALIGN 0x3f
#define ENTRY_JE_ZERO	  0x40

static __attribute__((noinline)) void *entry_mallocx_slow(size_t size, int flags)
{
	SITE_FRAME(f);
	struct slot *s = thread_settle();
	void *p;

	/* a chosen arena or tcache is jemalloc's business */
	if (!route_matched(s) || flags & ~(ENTRY_JE_LG_ALIGN | ENTRY_JE_ZERO))
		return je_mallocx(size, flags);
	p = route_alloc(s, size, 1UL << (flags & ENTRY_JE_LG_ALIGN), &f);
	return p && flags & ENTRY_JE_ZERO ? memset(p, 0, size) : p;
}

EXPORT void *mallocx(size_t size, int flags)
{
	if (UNLIKELY(!route_plain(route_self)))
		return entry_mallocx_slow(size, flags);
	return je_mallocx(size, flags);
}

static __attribute__((noinline)) void *entry_rallocx_slow(void *p, size_t size, int flags)
{
	struct pool *pool = pools_find(p);
	size_t had = pool_room(pool, p);
	size_t align = 1UL << (flags & ENTRY_JE_LG_ALIGN);
	struct slot *s = thread_settle();
	SITE_FRAME(f);
	void *to;

	if (align <= BLOCK_ALIGN && !(flags & ENTRY_JE_ZERO))
		return route_matched(s) ? route_realloc(s, p, size, &f)
					: route_realloc_pool(pool, p, size);
	to = mallocx(size, flags);
	if (to) {
		memcpy(to, p, had < size ? had : size);
		route_free(p, s);
	}
	return to;
}

EXPORT void *rallocx(void *p, size_t size, int flags)
{
	if (UNLIKELY(pools_find(p)))
		return entry_rallocx_slow(p, size, flags);
	return je_rallocx(p, size, flags);
}

EXPORT size_t xallocx(void *p, size_t size, size_t extra, int flags)
{
	struct pool *pool = pools_find(p);

	if (!pool)
		return je_xallocx(p, size, extra, flags);
	pool_resize(pool, route_heap_in(route_self, pool), p, size);
	return pool_room(pool, p);
}

EXPORT size_t sallocx(const void *p, int flags)
{
	const struct pool *pool = pools_find(p);

	return pool ? pool_room(pool, p) : je_sallocx(p, flags);
}

EXPORT void dallocx(void *p, int flags)
{
	struct slot *s = route_self;

	if (UNLIKELY(pools_find(p) || !route_plain(s)))
		__atomic_load_n(&s->free_fn, __ATOMIC_RELAXED)(p, s);
	else
		je_dallocx(p, flags);
}

EXPORT void sdallocx(void *p, size_t size, int flags)
{
	struct slot *s = route_self;

	if (UNLIKELY(pools_find(p) || !route_plain(s)))
		__atomic_load_n(&s->free_fn, __ATOMIC_RELAXED)(p, s);
	else
		je_sdallocx(p, size, flags);
}

EXPORT size_t nallocx(size_t size, int flags)
{
	base_init();
	return je_nallocx(size, flags);
}

EXPORT int mallctl(
	const char *name, void *oldp, size_t *oldlen, void *newp, size_t newlen)
{
	base_init();
	return je_mallctl(name, oldp, oldlen, newp, newlen);
}

EXPORT int mallctlnametomib(const char *name, size_t *mib, size_t *miblen)
{
	base_init();
	return je_mallctlnametomib(name, mib, miblen);
}

EXPORT int mallctlbymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlen,
	void *newp, size_t newlen)
{
	base_init();
	return je_mallctlbymib(mib, miblen, oldp, oldlen, newp, newlen);
}

EXPORT void malloc_stats_print(
	void (*write)(void *, const char *), void *arg, const char *opts)
{
	base_init();
	je_malloc_stats_print(write, arg, opts);
}
