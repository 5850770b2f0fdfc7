/* SPDX-License-Identifier: MIT */
/*
 * entry_cxx.c - C++ operator new and delete, in C
 *
 * Exported because a program that gets libstdc++ only indirectly may bind them to another
 * allocator's. Failure is the business of the C++ library: we jump to its own operator,
 * which calls malloc again, runs the new-handler and throws. We never throw and need no
 * libstdc++.
 */
#include "os/next.h"
#include "entry.h"

#define ALIAS(of) __attribute__((visibility("default"), alias(#of)))

typedef struct entry_nothrow entry_nothrow; /* std::nothrow_t, passed by reference */

/* The operator behind ours. Tail calls: nothing of ours is on the stack when it throws.
 */
static __attribute__((noinline)) void *entry_new_failed(const char *name, size_t size)
{
	void *(*next)(size_t) = (void *(*)(size_t))next_function(name);

	return next(size);
}

static __attribute__((noinline)) void *entry_new_aligned_failed(
	const char *name, size_t size, size_t align)
{
	void *(*next)(size_t, size_t) = (void *(*)(size_t, size_t))next_function(name);

	return next(size, align);
}

#define ENTRY_NEW(symbol)                                                                \
	EXPORT void *symbol(size_t size)                                                 \
	{                                                                                \
		struct slot *s = route_self;                                             \
		void *p = __atomic_load_n(&s->malloc_fn, __ATOMIC_RELAXED)(size, s);     \
                                                                                         \
		return __builtin_expect(p != NULL, 1) ? p                                \
						      : entry_new_failed(#symbol, size); \
	}
ENTRY_NEW(_Znwm)
ENTRY_NEW(_Znam)

/* nothrow: the C++ library's would also run the new-handler; so does ours, through it */
#define ENTRY_NEW_NOTHROW(symbol)                                                    \
	EXPORT void *symbol(size_t size, const entry_nothrow *n)                     \
	{                                                                            \
		struct slot *s = route_self;                                         \
		void *p = __atomic_load_n(&s->malloc_fn, __ATOMIC_RELAXED)(size, s); \
                                                                                     \
		return __builtin_expect(p != NULL, 1)                                \
			       ? p                                                   \
			       : entry_new_aligned_failed(#symbol, size, (size_t)n); \
	}
ENTRY_NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
ENTRY_NEW_NOTHROW(_ZnamRKSt9nothrow_t)

void *entry_aligned_alloc(size_t align, size_t size);

#define ENTRY_NEW_ALIGNED(symbol)                                                \
	EXPORT void *symbol(size_t size, size_t align)                           \
	{                                                                        \
		void *p = entry_aligned_alloc(align, size);                      \
                                                                                 \
		return __builtin_expect(p != NULL, 1)                            \
			       ? p                                               \
			       : entry_new_aligned_failed(#symbol, size, align); \
	}
ENTRY_NEW_ALIGNED(_ZnwmSt11align_val_t)
ENTRY_NEW_ALIGNED(_ZnamSt11align_val_t)

EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(
	size_t size, size_t align, const entry_nothrow *n)
{
	return entry_aligned_alloc(align, size);
}
ALIAS(_ZnwmSt11align_val_tRKSt9nothrow_t)
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t, size_t, const entry_nothrow *);

EXPORT void _ZdlPv(void *p)
{
	struct slot *s = route_self;

	__atomic_load_n(&s->free_fn, __ATOMIC_RELAXED)(p, s);
}

/* Every other delete has arguments we do not need. */
ALIAS(_ZdlPv) void _ZdaPv(void *);
ALIAS(_ZdlPv) void _ZdlPvm(void *);
ALIAS(_ZdlPv) void _ZdaPvm(void *);
ALIAS(_ZdlPv) void _ZdlPvRKSt9nothrow_t(void *);
ALIAS(_ZdlPv) void _ZdaPvRKSt9nothrow_t(void *);
ALIAS(_ZdlPv) void _ZdlPvSt11align_val_t(void *);
ALIAS(_ZdlPv) void _ZdaPvSt11align_val_t(void *);
ALIAS(_ZdlPv) void _ZdlPvmSt11align_val_t(void *);
ALIAS(_ZdlPv) void _ZdaPvmSt11align_val_t(void *);
ALIAS(_ZdlPv) void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *);
ALIAS(_ZdlPv) void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *);
