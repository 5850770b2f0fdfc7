/* SPDX-License-Identifier: MIT */
/* As a video encoder hands out frames: block buffers of a memory pool's allocator, made
 * by one thread and let go by another; the pool is released while frames are in flight.
 */
/* libs: -Lbuild -lrtpreload */
#include <CoreFoundation/CoreFoundation.h>
#include <CoreMedia/CoreMedia.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api_check.h"

#define FRAMES	 300
#define QUEUE	 16
#define IN_THERE 10

static CMBlockBufferRef queue[QUEUE];
static unsigned put, taken; /* atomic: release after the frame, acquire by the other */

static CMMemoryPoolRef make_pool(void)
{
	double age = 10;
	CFNumberRef number =
		CFNumberCreate(kCFAllocatorDefault, kCFNumberDoubleType, &age);
	CFMutableDictionaryRef options = CFDictionaryCreateMutable(kCFAllocatorDefault, 1,
		&kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
	CMMemoryPoolRef pool;

	CFDictionarySetValue(options, kCMMemoryPoolOption_AgeOutPeriod, number);
	CFRelease(number);
	pool = CMMemoryPoolCreate(options);
	CFRelease(options);
	return pool;
}

static CMBlockBufferRef encode(CMMemoryPoolRef pool, unsigned n)
{
	size_t size = 50000 + n % 3 * 10000;
	CMBlockBufferRef b = NULL;
	char *p = NULL;
	OSStatus err = CMBlockBufferCreateWithMemoryBlock(kCFAllocatorDefault, NULL, size,
		CMMemoryPoolGetAllocator(pool), NULL, 0, size,
		kCMBlockBufferAssureMemoryNowFlag, &b);

	CHECK(err == kCMBlockBufferNoErr && b);
	err = CMBlockBufferGetDataPointer(b, 0, NULL, NULL, &p);
	CHECK(err == noErr);
	memset(p, (int)n, size);
	return b;
}

/* Keeps a few, as a muxer does, and looks at each before it lets it go. */
static void *mux(void *arg)
{
	CMBlockBufferRef held[IN_THERE] = {NULL};

	for (unsigned n = 0; n < FRAMES + IN_THERE; n++) {
		CMBlockBufferRef last = held[n % IN_THERE];
		char byte;

		if (last) {
			size_t size = CMBlockBufferGetDataLength(last);

			CHECK(CMBlockBufferCopyDataBytes(last, size - 1, 1, &byte) == 0);
			CHECK((unsigned char)byte == (unsigned char)(n - IN_THERE));
			CFRelease(last);
		}
		if (n >= FRAMES) {
			held[n % IN_THERE] = NULL;
			continue;
		}
		while (__atomic_load_n(&put, __ATOMIC_ACQUIRE) == n)
			sched_yield();
		held[n % IN_THERE] = queue[n % QUEUE];
		__atomic_store_n(&taken, n + 1, __ATOMIC_RELEASE);
	}
	return arg;
}

int main(void)
{
	CMMemoryPoolRef pool = make_pool();
	pthread_t t;

	CHECK(pool && CFGetTypeID(pool) == CMMemoryPoolGetTypeID());
	CHECK(pthread_create(&t, NULL, mux, NULL) == 0);
	for (unsigned n = 0; n < FRAMES; n++) {
		while (n - __atomic_load_n(&taken, __ATOMIC_ACQUIRE) == QUEUE)
			sched_yield();
		queue[n % QUEUE] = encode(pool, n);
		__atomic_store_n(&put, n + 1, __ATOMIC_RELEASE);
		if (n == FRAMES / 2) { /* another session */
			CMMemoryPoolInvalidate(pool);
			CFRelease(pool);
			pool = make_pool();
		}
	}
	CMMemoryPoolInvalidate(pool);
	CFRelease(pool); /* the muxer has some still */
	pthread_join(t, NULL);
	return api_failed;
}
