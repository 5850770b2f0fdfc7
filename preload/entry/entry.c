/* SPDX-License-Identifier: MIT */
/*
 * entry.c - malloc and its family, as the program calls them
 *
 * malloc and free jump to the function in the slot of the calling thread. The others call
 * jemalloc for a thread that no rule matches, and route.c for the rest. All of them work
 * before constructors and after destructors, because every thread has a slot.
 */
#include "entry.h"

#include <stdint.h>
#include <string.h>

/* malloc_fn and free_fn are read relaxed: see THE SWITCH in route.c. */
EXPORT void *malloc(size_t size)
{
	struct slot *s = route_self;

	return __atomic_load_n(&s->malloc_fn, __ATOMIC_RELAXED)(size, s);
}

EXPORT void free(void *p)
{
	struct slot *s = route_self;

	__atomic_load_n(&s->free_fn, __ATOMIC_RELAXED)(p, s);
}

static __attribute__((noinline)) void *entry_calloc_slow(size_t n, size_t size)
{
	SITE_FRAME(f);
	struct slot *s = thread_settle();
	size_t bytes;
	void *p;

	if (!route_matched(s))
		return entry_checked(je_calloc(n, size));
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	p = route_alloc(s, bytes, 0, &f);
	return p ? memset(p, 0, bytes) : NULL;
}

EXPORT void *calloc(size_t n, size_t size)
{
	if (UNLIKELY(!route_plain(route_self)))
		return entry_calloc_slow(n, size);
	return entry_checked(je_calloc(n, size));
}

static __attribute__((noinline)) void *entry_realloc_slow(void *p, size_t size)
{
	SITE_FRAME(f);
	struct slot *s = thread_settle();
	struct pool *pool;

	if (route_matched(s))
		return route_realloc(s, p, size, &f);
	pool = p ? pools_find(p) : NULL;
	if (pool)
		p = route_realloc_pool(pool, p, size);
	else
		p = je_realloc(p, size);
	return size ? entry_checked(p) : p;
}

EXPORT void *realloc(void *p, size_t size)
{
	if (UNLIKELY(!route_plain(route_self) || pools_find(p)))
		return entry_realloc_slow(p, size);
	p = je_realloc(p, size);
	return size ? entry_checked(p) : p;
}

static __attribute__((noinline)) void *entry_memalign_slow(size_t align, size_t size)
{
	SITE_FRAME(f);
	struct slot *s = thread_settle();

	if (route_matched(s))
		return route_alloc(s, size, align, &f);
	return entry_checked(je_memalign(align, size));
}

static inline void *entry_memalign(size_t align, size_t size)
{
	if (UNLIKELY(!route_plain(route_self)))
		return entry_memalign_slow(align, size);
	return entry_checked(je_memalign(align, size));
}

static inline bool entry_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

/* As glibc: any alignment is taken, rounded up to a power of two. */
EXPORT void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	if (UNLIKELY(!entry_power_of_two(align)))
		align = align < 2 ? 1 : 1UL << (64 - __builtin_clzl(align - 1));
	return entry_memalign(align < BLOCK_ALIGN ? BLOCK_ALIGN : align, size);
}

/* What operator new calls: not what somebody in front of us may call aligned_alloc. */
void *entry_aligned_alloc(size_t align, size_t size)
{
	if (UNLIKELY(!entry_power_of_two(align))) {
		errno = EINVAL;
		return NULL;
	}
	return entry_memalign(align < BLOCK_ALIGN ? BLOCK_ALIGN : align, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return entry_aligned_alloc(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!entry_power_of_two(align) || align % sizeof(void *))
		return EINVAL;
	p = entry_memalign(align < BLOCK_ALIGN ? BLOCK_ALIGN : align, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return entry_memalign(AREA_PAGE, size);
}

EXPORT void *pvalloc(size_t size)
{
	size_t pages = (size + AREA_PAGE - 1) & ~(AREA_PAGE - 1);

	if (pages < size) {
		errno = ENOMEM;
		return NULL;
	}
	return entry_memalign(AREA_PAGE, pages ? pages : AREA_PAGE);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

EXPORT void free_sized(void *p, size_t size)
{
	free(p);
}

EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
	free(p);
}

EXPORT void cfree(void *p)
{
	free(p);
}

EXPORT size_t malloc_usable_size(void *p)
{
	const struct pool *pool;

	if (!p)
		return 0;
	pool = pools_find(p);
	return pool ? pool_room(pool, p) : je_malloc_usable_size(p);
}

/* glibc's own names for the family; old programs and some libraries call them. */
#define ALIAS(of) __attribute__((visibility("default"), alias(#of)))
ALIAS(malloc) void *__libc_malloc(size_t);
ALIAS(calloc) void *__libc_calloc(size_t, size_t);
ALIAS(realloc) void *__libc_realloc(void *, size_t);
ALIAS(free) void __libc_free(void *);
ALIAS(memalign) void *__libc_memalign(size_t, size_t);
ALIAS(valloc) void *__libc_valloc(size_t);
ALIAS(pvalloc) void *__libc_pvalloc(size_t);
