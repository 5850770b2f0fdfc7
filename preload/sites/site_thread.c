// SPDX-License-Identifier: MIT
/*
 * site_thread.c - stack bounds of threads, and the memory of the walks they remember
 *
 * Walks are cut one after the other from one area, locked and touched; they stay with the
 * slot they were made for. Their lock is their own: a thread that compiles, and so holds
 * the site lock, may be registered by a malloc of the demangler.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "os/child.h"
#include "os/lock.h"
#include "os/sys.h"
#include "memory/area.h"
#include "site.h"
#include "site_inline.h"
#include "site_thread.h"

enum { THREADS = 1024, MAIN_STACK_MAX = 128 << 20 };

#define WALKS_BYTES (sizeof(struct site_walked) * SITE_WALKED)

__thread struct site_thread site_self;

extern void *__libc_stack_end; /* ld.so's: the main thread's first stack pointer */

CHILD_DATA static struct lock walks_lock;
static struct area area; /* area.c keeps a pointer to it, for fork */

static struct site_walked *cut(void)
{
	size_t had = area.committed;

	if (!area.base && area_reserve(&area, NULL, WALKS_BYTES * THREADS,
				  AREA_LOCK | AREA_PIN) != 0)
		return NULL;
	if (had == area.reserved || area_commit(&area, WALKS_BYTES) != 0)
		return NULL;
	return (struct site_walked *)(void *)(area.base + had);
}

void site_walks_make(struct site_walked **walks)
{
	uint32_t me = lock_tid();

	lock_acquire(&walks_lock, me);
	if (!*walks)
		*walks = cut();
	lock_release(&walks_lock, me);
}

void site_thread_child(void)
{
	walks_lock.word = 0;
}

void site_thread_walks(struct site_walked *walks)
{
	for (unsigned i = 0; walks && i < SITE_WALKED; i++) {
		walks[i].quick = 0;
		walks[i].generation = 0;
	}
	site_self.walks = walks;
}

void site_thread_bounds(uintptr_t lo, uintptr_t hi)
{
	site_self.lo = lo;
	site_self.hi = hi & ~(uintptr_t)7;
}

/* All frames of the main thread are below its first stack pointer. The kernel keeps at
 * least 128 MiB below free of other mappings, so what lies there is this stack. */
static uintptr_t main_thread(void)
{
	uintptr_t most = MAIN_STACK_MAX;
	struct rlimit limit;

	if (sys_call4(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)&limit) == 0 &&
		limit.rlim_cur < most)
		most = limit.rlim_cur;
	return (uintptr_t)__libc_stack_end - most;
}

uintptr_t site_thread_find(pthread_t thread, uint32_t tid, uintptr_t *hi)
{
	pthread_attr_t attr;
	void *lo = NULL;
	size_t size = 0;
	int saved = errno;

	if ((pid_t)tid == sys_getpid()) {
		*hi = (uintptr_t)__libc_stack_end;
		return main_thread();
	}
	if (pthread_getattr_np(thread, &attr) == 0) {
		if (pthread_attr_getstack(&attr, &lo, &size) != 0)
			lo = NULL;
		pthread_attr_destroy(&attr);
	}
	errno = saved;
	*hi = (uintptr_t)lo + (lo ? size : 0);
	return (uintptr_t)lo;
}

void site_thread_here(void)
{
	uintptr_t lo, hi;

	if (!site_compiled)
		return;
	lo = site_thread_find(pthread_self(), (uint32_t)sys_gettid(), &hi);
	if (lo)
		site_thread_bounds(lo, hi);
}

void site_thread_gone(void)
{
	site_self = (struct site_thread){0};
}
