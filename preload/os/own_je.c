/* SPDX-License-Identifier: MIT */
/*
 * own_je.c - jemalloc 5.3 where there is no memory for a thread's first call (see own.c)
 *
 * At that call jemalloc makes a cache and perhaps an arena for the thread, and does not
 * check that it got them. Without an arena of its own the thread uses the first one;
 * without a cache it goes on without. All names are jemalloc's own, between two of its
 * objects.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool je_opt_tcache;
extern void *je_arenas[];

enum { NONE, MAKING, FAILED };
static __attribute__((tls_model("initial-exec"))) __thread unsigned char own_cache;

void *__real_je_arena_choose_hard(void *tsd, bool internal);
void *__wrap_je_arena_choose_hard(void *tsd, bool internal);
void *__wrap_je_arena_choose_hard(void *tsd, bool internal)
{
	void *arena = __real_je_arena_choose_hard(tsd, internal);

	/* acquire: pairs with jemalloc's release, when it made it at its start */
	return arena ? arena : __atomic_load_n(&je_arenas[0], __ATOMIC_ACQUIRE);
}

/* The same where jemalloc asks itself without our help, and gets none: that malloc will
 * give NULL, but its thread's cache belongs to an arena. */
void __real_je_tcache_arena_associate(void *tsdn, void *slow, void *cache, void *arena);
void __wrap_je_tcache_arena_associate(void *tsdn, void *slow, void *cache, void *arena);
void __wrap_je_tcache_arena_associate(void *tsdn, void *slow, void *cache, void *arena)
{
	if (!arena)
		arena = __atomic_load_n(&je_arenas[0], __ATOMIC_ACQUIRE); /* as above */
	__real_je_tcache_arena_associate(tsdn, slow, cache, arena);
}

void __real_je_tcache_arena_reassociate(void *tsdn, void *slow, void *cache, void *arena);
void __wrap_je_tcache_arena_reassociate(void *tsdn, void *slow, void *cache, void *arena);
void __wrap_je_tcache_arena_reassociate(void *tsdn, void *slow, void *cache, void *arena)
{
	if (arena)
		__real_je_tcache_arena_reassociate(tsdn, slow, cache, arena);
}

/* The cache's memory is asked for here. */
void *__real_je_arena_palloc(
	void *tsdn, void *arena, size_t size, size_t align, bool zero, void *cache);
void *__wrap_je_arena_palloc(
	void *tsdn, void *arena, size_t size, size_t align, bool zero, void *cache);
void *__wrap_je_arena_palloc(
	void *tsdn, void *arena, size_t size, size_t align, bool zero, void *cache)
{
	void *p = __real_je_arena_palloc(tsdn, arena, size, align, zero, cache);

	if (!p && own_cache == MAKING)
		own_cache = FAILED;
	return p;
}

bool __real_je_tsd_tcache_enabled_data_init(void *tsd);
bool __wrap_je_tsd_tcache_enabled_data_init(void *tsd);
bool __wrap_je_tsd_tcache_enabled_data_init(void *tsd)
{
	own_cache = MAKING;
	__real_je_tsd_tcache_enabled_data_init(tsd);
	if (own_cache == FAILED) {
		/* A thread that begins meanwhile has no cache either: slower, no more.
		 * Nobody asks for memory here when it is false, so it was true. */
		__atomic_store_n(&je_opt_tcache, false, __ATOMIC_RELAXED);
		__real_je_tsd_tcache_enabled_data_init(tsd);
		__atomic_store_n(&je_opt_tcache, true, __ATOMIC_RELAXED);
	}
	own_cache = NONE;
	return false;
}
