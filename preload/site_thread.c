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

#include "area.h"
#include "lock.h"
#include "site.h"
#include "site_inline.h"
#include "site_thread.h"
#include "sys.h"

enum { THREADS = 1024, MAIN_STACK_MAX = 128 << 20 };

#define WALKS_BYTES (sizeof(struct site_walked) * SITE_WALKED)

__thread struct site_thread site_self;

extern void *__libc_stack_end; /* ld.so's: the main thread's first stack pointer */

static struct lock walks_lock;
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
static void main_thread(void)
{
	uintptr_t hi = (uintptr_t)__libc_stack_end, most = MAIN_STACK_MAX;
	struct rlimit limit;

	if (sys_call4(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)&limit) == 0 &&
		limit.rlim_cur < most)
		most = limit.rlim_cur;
	site_thread_bounds(hi - most, hi);
}

void site_thread_here(void)
{
	pthread_attr_t attr;
	void *lo;
	size_t size;
	int saved = errno;

	if (!site_world)
		return;
	if (sys_gettid() == sys_getpid()) {
		main_thread();
	} else if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		if (pthread_attr_getstack(&attr, &lo, &size) == 0)
			site_thread_bounds((uintptr_t)lo, (uintptr_t)lo + size);
		pthread_attr_destroy(&attr);
	}
	errno = saved;
}

void site_thread_gone(void)
{
	site_self = (struct site_thread){0};
}
