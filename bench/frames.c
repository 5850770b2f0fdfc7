/* SPDX-License-Identifier: MIT */
/*
 * frames.c - a player's frames: allocate, write all of it, free, a few of them in flight
 *
 * One line a size: microseconds and page faults a frame, the writing included. With
 * malloc, of whatever allocator is preloaded; with CMMemoryPool when it is there and the
 * argument is "pool".
 */
#define RTM_WEAK
#include <CoreMedia/CMMemoryPool.h>
#include <rtmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common.h"

#define IN_FLIGHT 4

static CFAllocatorRef allocator;

static void *take(size_t size)
{
	return allocator ? CFAllocatorAllocate(allocator, (long)size, 0) : malloc(size);
}

static void give(void *p)
{
	if (allocator)
		CFAllocatorDeallocate(allocator, p);
	else
		free(p);
}

static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt + u.ru_majflt;
}

static void run(size_t size, int frames)
{
	void *frame[IN_FLIGHT] = {NULL};

	for (int i = 0; i < frames; i++) {
		void **at = &frame[i % IN_FLIGHT];

		if (*at)
			give(*at);
		*at = take(size);
		if (!*at)
			exit(1);
		memset(*at, i, size);
	}
	for (int i = 0; i < IN_FLIGHT; i++)
		give(frame[i]);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "pool") && rtm_loaded())
		allocator = CMMemoryPoolGetAllocator(CMMemoryPoolCreate(NULL));
	for (size_t mib = 1; mib <= 16; mib *= 2) {
		int frames = (int)(1600 / mib);
		long before;
		uint64_t start;

		run(mib << 20,
			2 * IN_FLIGHT); /* the first round is everybody's warm-up */
		before = faults();
		start = now_ns();
		run(mib << 20, frames);
		printf("  %2zu MiB %8.1f us %7.1f faults", mib,
			(double)(now_ns() - start) / 1e3 / frames,
			(double)(faults() - before) / frames);
	}
	putchar('\n');
	return 0;
}
