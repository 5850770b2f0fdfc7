/* SPDX-License-Identifier: MIT */
/*
 * entry_dlsym.c - libc's allocator by another name: dlsym(3) and dlvsym(3)
 *
 * ctypes, JNA, Fiddle, .NET and LuaJIT open "libc.so.6" (or any object that needs it) and
 * ask that handle for free. They would get libc's own, for a block that strdup() took
 * from ours. So where the answer would be libc's allocator, it is ours. A library that
 * resolves libc's malloc that way, to wrap it, wraps ours.
 *
 * RTLD_NEXT and RTLD_DEFAULT depend on the caller's place in the order of objects. There
 * the real function is entered by a jump, so that it sees the program as its caller, and
 * its answer is not changed.
 *
 * Allocates nothing, and works before any constructor. Never on the realtime path.
 */
#include <dlfcn.h>
#include <string.h>

#include "os/libc.h"
#include "os/next.h"
#include "entry.h"

typedef void *entry_dlsym_fn(void *, const char *);
typedef void *entry_dlvsym_fn(void *, const char *, const char *);

/*
 * The names by which libc has its allocator, and the symbols that are ours, declared by
 * address alone, since some stand in no header any more. Four of them mean jemalloc's in
 * this library (own_alloc.c): the linker has the exported ones as __real_.
 */
#define ENTRY_NAMES(ONE, REAL_ONE) \
	REAL_ONE(malloc)           \
	REAL_ONE(free)             \
	REAL_ONE(calloc)           \
	REAL_ONE(realloc)          \
	ONE(memalign)              \
	ONE(aligned_alloc)         \
	ONE(posix_memalign)        \
	ONE(valloc)                \
	ONE(pvalloc)               \
	ONE(reallocarray)          \
	ONE(cfree)                 \
	ONE(free_sized)            \
	ONE(free_aligned_sized)    \
	ONE(malloc_usable_size)    \
	ONE(malloc_trim)           \
	ONE(malloc_info)           \
	ONE(malloc_stats)          \
	ONE(mallinfo)              \
	ONE(mallinfo2)             \
	ONE(mallopt)               \
	ONE(__libc_malloc)         \
	ONE(__libc_free)           \
	ONE(__libc_calloc)         \
	ONE(__libc_realloc)        \
	ONE(__libc_memalign)       \
	ONE(__libc_valloc)         \
	ONE(__libc_pvalloc)

#define ENTRY_DECLARE(name) extern void entry_at_##name(void) __asm__(#name);
#define ENTRY_DECLARE_REAL(name) \
	extern void entry_at_##name(void) __asm__("__real_" #name);
ENTRY_NAMES(ENTRY_DECLARE, ENTRY_DECLARE_REAL)

#define ENTRY_ROW(name) {#name, entry_at_##name},
static const struct {
	const char *name;
	void (*fn)(void);
} entry_ours[] = {ENTRY_NAMES(ENTRY_ROW, ENTRY_ROW)};

/* What the handle has by that name is `found`. */
static void *entry_ours_for(void *found, const char *name)
{
	if (!found || !libc_holds(found))
		return found;
	for (size_t i = 0; i < sizeof(entry_ours) / sizeof(*entry_ours); i++)
		if (!strcmp(entry_ours[i].name, name))
			return (void *)entry_ours[i].fn;
	return found;
}

static inline bool entry_asks_order(const void *handle)
{
	return handle == RTLD_NEXT || handle == RTLD_DEFAULT;
}

EXPORT void *dlsym(void *handle, const char *name)
{
	entry_dlsym_fn *fn = NEXT(entry_dlsym_fn, "dlsym");

	if (entry_asks_order(handle))
		return fn(handle, name);
	return entry_ours_for(fn(handle, name), name);
}

EXPORT void *dlvsym(void *handle, const char *name, const char *version)
{
	entry_dlvsym_fn *fn = NEXT(entry_dlvsym_fn, "dlvsym");

	if (entry_asks_order(handle))
		return fn(handle, name, version);
	return entry_ours_for(fn(handle, name, version), name);
}
