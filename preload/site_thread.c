// SPDX-License-Identifier: MIT
/*
 * site_thread.c - stack bounds of threads, and the stock of walk caches
 *
 * The stock is a bit per cache: taken by compare-and-swap on the realtime path, put back
 * when a thread ends.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "area.h"
#include "site.h"
#include "site_inline.h"
#include "site_thread.h"
#include "sys.h"

enum { STOCK = 8, MAIN_STACK_MAX = 128 << 20 };

__thread struct site_thread site_self;

extern void *__libc_stack_end; /* ld.so's: the main thread's first stack pointer */

static struct area area; /* area.c keeps a pointer to it, for fork */
static struct site_walked *stock;
static uint32_t stock_free; /* atomic: bit i, cache i can be taken */

void site_thread_stock(void)
{
	size_t bytes = sizeof(struct site_walked) * SITE_WALKED * STOCK;

	if (stock || area_reserve(&area, NULL, bytes, AREA_LOCK | AREA_PIN) != 0)
		return;
	if (area_commit(&area, bytes) != 0) {
		area_release(&area);
		return;
	}
	stock = (struct site_walked *)area.base;
	/* release: pairs with the acquire in site_thread_take(); the memory is there */
	__atomic_store_n(&stock_free, (1u << STOCK) - 1, __ATOMIC_RELEASE);
}

struct site_walked *site_thread_take(void)
{
	uint32_t bits = __atomic_load_n(&stock_free, __ATOMIC_ACQUIRE);

	/* bounded: a failed exchange means that another thread took or gave one */
	for (unsigned i = 0; bits && i < 4; i++) {
		uint32_t bit = bits & -bits;

		/* acq_rel: what the last owner left is complete before it is reused */
		if (__atomic_compare_exchange_n(&stock_free, &bits, bits & ~bit, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return stock + (size_t)__builtin_ctz(bit) * SITE_WALKED;
	}
	return NULL;
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
	struct site_walked *cache = site_self.cache;

	site_self = (struct site_thread){0};
	if (!cache)
		return;
	/* what it remembers is about a stack that another thread may get */
	for (unsigned i = 0; i < SITE_WALKED; i++)
		cache[i].generation = 0;
	/* release: pairs with site_thread_take() */
	__atomic_fetch_or(&stock_free, 1u << ((size_t)(cache - stock) / SITE_WALKED),
		__ATOMIC_RELEASE);
}
