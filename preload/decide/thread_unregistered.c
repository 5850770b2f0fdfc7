/* SPDX-License-Identifier: MIT */
/*
 * thread_unregistered.c - the one slot of all threads that are not registered
 *
 * Those are threads from before the start, threads of a program without rules, and
 * threads that were made by a raw clone. The first malloc through the slot initialises
 * jemalloc. From then on the slot has jemalloc's own malloc and free, until pools exist
 * or rules watch threads.
 */
#include "engine/pools.h"
#include "route_private.h"
#include "thread.h"

static route_malloc_fn thread_malloc_unregistered;

struct slot thread_nobody = {
	.malloc_fn = thread_malloc_unregistered, .free_fn = ROUTE_JE_FREE};

__thread struct slot *route_self = &thread_nobody;

static void *thread_malloc_unregistered(size_t size, struct slot *s)
{
	s = thread_settle();
	return s->malloc_fn(size, s);
}

struct slot *thread_settle(void)
{
	struct slot *s = route_self;

	if (s == &thread_nobody) {
		base_init();
		if (thread_watching())
			s = thread_self();
		else
			__atomic_store_n(
				&s->malloc_fn, ROUTE_JE_MALLOC, __ATOMIC_RELEASE);
	}
	route_settle_pending(s);
	return s;
}

void thread_ask_nobody(void)
{
	/* a page that is right already is not written to: a fork would copy it */
	if (thread_nobody.malloc_fn != thread_malloc_unregistered)
		__atomic_store_n(&thread_nobody.malloc_fn, thread_malloc_unregistered,
			__ATOMIC_RELEASE);
	thread_pools_exist();
}

void thread_pools_exist(void)
{
	/* A thread that holds a pool block has synchronised with its maker. The others may
	 * go on with the old function. */
	if (thread_nobody.free_fn != route_free_check)
		__atomic_store_n(
			&thread_nobody.free_fn, route_free_check, __ATOMIC_RELEASE);
}
