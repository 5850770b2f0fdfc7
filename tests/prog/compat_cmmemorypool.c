/* SPDX-License-Identifier: MIT */
/* A client of CMMemoryPool as its document describes it. With an argument: one misuse,
 * which has to end the program with one line. */
/* libs: -Lbuild -lrtpreload */
#include <CoreMedia/CMMemoryPool.h>
#include <pthread.h>
#include <rtmem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_check.h"

#define MIB (1L << 20)

static uint64_t mapped;

static void see(const struct rtm_tag_stats *s, void *arg)
{
	(void)arg;
	if (!strcmp(s->name, "CMMemoryPool"))
		mapped += s->bytes;
}

/* Bytes the pools hold, in use or for reuse. */
static uint64_t held(void)
{
	mapped = 0;
	rtm_each_tag(see, NULL);
	return mapped;
}

static CMMemoryPoolRef pool_with_age(double seconds)
{
	CFNumberRef n =
		CFNumberCreate(kCFAllocatorDefault, kCFNumberDoubleType, &seconds);
	CFDictionaryRef options = CFDictionaryCreate(kCFAllocatorDefault,
		(const void **)&kCMMemoryPoolOption_AgeOutPeriod, (const void **)&n, 1,
		&kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
	CMMemoryPoolRef pool;

	CFRelease(n);
	pool = CMMemoryPoolCreate(options);
	CFRelease(options);
	return pool;
}

static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt + u.ru_majflt;
}

static void recycling(void)
{
	CMMemoryPoolRef pool = CMMemoryPoolCreate(NULL);
	CFAllocatorRef a = CMMemoryPoolGetAllocator(pool);
	char *p, *q, *first;
	long before;

	CHECK(pool && a && a == CMMemoryPoolGetAllocator(pool));
	CHECK(CFGetTypeID(pool) == CMMemoryPoolGetTypeID() && CMMemoryPoolGetTypeID());
	CHECK(CFAllocatorGetPreferredSizeForSize(a, 5000, 0) == 8192);
	p = CFAllocatorAllocate(a, 3 * MIB, 0);
	CHECK(p && (uintptr_t)p % 4096 == 0 && locked_around(p) > 0);
	memset(p, 1, 3 * MIB);
	CHECK(held() == 3 * MIB);
	CFAllocatorDeallocate(a, p);
	CHECK(held() == 3 * MIB);
	/* other sizes are other memory */
	q = CFAllocatorAllocate(a, 2 * MIB, 0);
	CHECK(q && q != p && held() == 5 * MIB);
	first = CFAllocatorAllocate(a, 3 * MIB - 100, 0); /* the same pages */
	CHECK(first == p && held() == 5 * MIB);
	CFAllocatorDeallocate(a, first);
	CFAllocatorDeallocate(a, q);

	before = faults();
	for (int i = 0; i < 2000; i++) {
		p = CFAllocatorAllocate(a, 3 * MIB, 0);
		memset(p, i, 3 * MIB);
		CFAllocatorDeallocate(a, p);
	}
	CHECK(faults() == before);
	CMMemoryPoolFlush(pool);
	CHECK(held() == 0);
	CFRelease(pool);
}

static void ageing(void)
{
	CMMemoryPoolRef pool = pool_with_age(0.1);
	CFAllocatorRef a = CMMemoryPoolGetAllocator(pool);
	void *p = CFAllocatorAllocate(a, MIB, 0), *q;

	CFAllocatorDeallocate(a, p);
	CHECK(held() == MIB);
	usleep(150000);
	q = CFAllocatorAllocate(a, 2 * MIB, 0); /* ages out in passing */
	CHECK(held() == 2 * MIB);
	CFAllocatorDeallocate(a, q);
	usleep(150000);
	p = CFAllocatorAllocate(a, 4096, 0);
	CFAllocatorDeallocate(a, p);
	CHECK(held() == 4096);
	CFRelease(pool);
	CHECK(held() == 0);

	pool = pool_with_age(0);
	a = CMMemoryPoolGetAllocator(pool);
	CFAllocatorDeallocate(a, CFAllocatorAllocate(a, MIB, 0));
	CHECK(held() == 0);
	CFRelease(pool);
}

static void invalidated(void)
{
	CMMemoryPoolRef pool = CMMemoryPoolCreate(NULL);
	CFAllocatorRef a = CMMemoryPoolGetAllocator(pool);
	char *kept = CFAllocatorAllocate(a, MIB, 0), *p;

	CFAllocatorDeallocate(a, CFAllocatorAllocate(a, 2 * MIB, 0));
	CHECK(held() == 3 * MIB);
	CMMemoryPoolInvalidate(pool);
	CHECK(held() == MIB);
	CFRetain(a);
	CFRelease(pool); /* the allocator outlives it, and pools no more */
	memset(kept, 1, MIB);
	p = CFAllocatorAllocate(a, 2 * MIB, 0);
	CHECK(p && held() == 3 * MIB);
	CFAllocatorDeallocate(a, p);
	CHECK(held() == MIB);
	CFRelease(a);
	CHECK(held() == MIB); /* a block is still out */
	CFAllocatorDeallocate(a, kept);
	CHECK(held() == 0);
}

static void bad_input(void)
{
	CMMemoryPoolRef pool;
	CFAllocatorRef a;

	CHECK(pool_with_age(-1) == NULL);
	CHECK(rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	CHECK(CMMemoryPoolCreate((CFDictionaryRef)(const void *)&mapped) == NULL);
	CHECK(rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	CHECK(CMMemoryPoolGetAllocator(NULL) == NULL);
	CMMemoryPoolFlush(NULL);
	CMMemoryPoolInvalidate(NULL);
	pool = pool_with_age(1e300);
	CHECK(pool && rtm_cm_last_error() == 0);
	a = CMMemoryPoolGetAllocator(pool);
	CHECK(CFAllocatorAllocate(a, 0, 0) == NULL);
	CHECK(rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	CHECK(CFAllocatorAllocate(a, -5, 0) == NULL);
	CHECK(CFAllocatorAllocate(a, 1L << 62, 0) == NULL);
	CHECK(rtm_cm_last_error() == kCMMemoryPoolError_AllocationFailed);
	CHECK(CFAllocatorAllocate(a, 1L << 46, 0) == NULL);
	CFAllocatorDeallocate(a, NULL);
	CHECK(CFNumberCreate(NULL, 99, &mapped) == NULL);
	CHECK(CFDictionaryCreate(NULL, NULL, NULL, 9, NULL, NULL) == NULL);
	CFRelease(pool);
}

static void resizing(void)
{
	CMMemoryPoolRef pool = CMMemoryPoolCreate(NULL);
	CFAllocatorRef a = CMMemoryPoolGetAllocator(pool);
	char *p = CFAllocatorReallocate(a, NULL, MIB, 0), *q;

	memset(p, 7, MIB);
	CHECK(CFAllocatorReallocate(a, p, MIB - 10, 0) == p);
	q = CFAllocatorReallocate(a, p, 3 * MIB, 0);
	CHECK(q && q != p);
	for (long i = 0; i < MIB; i++)
		if (q[i] != 7) {
			CHECK(!"kept");
			break;
		}
	CHECK(CFAllocatorReallocate(a, q, 1L << 46, 0) == NULL && q[5] == 7);
	CHECK(CFAllocatorReallocate(a, q, 0, 0) == NULL);
	CFRelease(pool);
	CHECK(held() == 0);
	p = CFAllocatorAllocate(kCFAllocatorDefault, 100, 0);
	CHECK(p != NULL);
	CFAllocatorDeallocate(kCFAllocatorDefault, p);
}

static CMMemoryPoolRef shared;

static void *frames(void *arg)
{
	CFAllocatorRef a = CMMemoryPoolGetAllocator(shared);
	unsigned char *held_frames[100] = {NULL}, tag = (unsigned char)(uintptr_t)arg;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = i * 31 % 100;
		long size = (1 + at % 5) * 4096;

		if (held_frames[at]) {
			CHECK(held_frames[at][0] == tag &&
				held_frames[at][size - 1] == tag);
			CFAllocatorDeallocate(a, held_frames[at]);
		}
		held_frames[at] = CFAllocatorAllocate(a, size, 0);
		held_frames[at][0] = held_frames[at][size - 1] = tag;
	}
	for (unsigned at = 0; at < 100; at++)
		if (held_frames[at])
			CFAllocatorDeallocate(a, held_frames[at]);
	return NULL;
}

static void threads(void)
{
	pthread_t t[3];

	shared = CMMemoryPoolCreate(NULL);
	for (uintptr_t i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, frames, (void *)(i + 1));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CFRelease(shared);
	CHECK(held() == 0);
}

static void children(void)
{
	CMMemoryPoolRef pool = CMMemoryPoolCreate(NULL);
	CFAllocatorRef a = CMMemoryPoolGetAllocator(pool);
	char *p = CFAllocatorAllocate(a, MIB, 0);
	int status = 1;
	pid_t pid;

	strcpy(p, "parent");
	pid = fork();
	if (pid == 0) {
		CHECK(!strcmp(p, "parent"));
		strcpy(p, "child");
		CFAllocatorDeallocate(a, p);
		p = CFAllocatorAllocate(a, MIB, 0);
		memset(p, 1, MIB);
		CFAllocatorDeallocate(a, p);
		CFRelease(pool);
		_exit(api_failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0 && !strcmp(p, "parent"));
	CFAllocatorDeallocate(a, p);
	CFRelease(pool);
}

static void *stay(void *arg)
{
	pthread_setname_np(pthread_self(), "matched");
	free(malloc(100));
	while (!__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

/* Nobody calls, and still what is kept goes: the library's own thread runs, because the
 * policy matches one of ours. */
static void aged_by_the_helper(void)
{
	CMMemoryPoolRef pool = pool_with_age(0.1);
	CFAllocatorRef a = CMMemoryPoolGetAllocator(pool);
	pthread_t t;
	int quit = 0;

	pthread_create(&t, NULL, stay, &quit);
	CFAllocatorDeallocate(a, CFAllocatorAllocate(a, MIB, 0));
	CHECK(held() == MIB);
	for (int i = 0; i < 5000 && held(); i++)
		usleep(1000);
	CHECK(held() == 0);
	__atomic_store_n(&quit, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	CFRelease(pool);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	CFAllocatorRef a;
	char *p;

	if (!*how) {
		recycling();
		ageing();
		invalidated();
		bad_input();
		resizing();
		threads();
		children();
		return api_failed;
	}
	if (!strcmp(how, "helper")) {
		aged_by_the_helper();
		return api_failed;
	}
	a = CMMemoryPoolGetAllocator(CMMemoryPoolCreate(NULL));
	p = CFAllocatorAllocate(a, MIB, 0);
	if (!strcmp(how, "double free"))
		CFAllocatorDeallocate(a, p), CFAllocatorDeallocate(a, p);
	else if (!strcmp(how, "foreign block"))
		CFAllocatorDeallocate(a, (void *)&how);
	else if (!strcmp(how, "inside a block"))
		CFAllocatorDeallocate(a, p + 4096);
	else if (!strcmp(how, "foreign object"))
		CFRelease(&mapped);
	return 0;
}
