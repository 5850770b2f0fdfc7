/* SPDX-License-Identifier: MIT */
/* One driver that uses all four families at once, two pools and tags of the same name
 * among them; C and C++. Prints what it holds. "wait": until its input ends. */
/* libs: -Lbuild -lrtpreload */
#include <CoreMedia/CMMemoryPool.h>
#include <drivers/area_malloc.h>
#include <intime/rt.h>
#include <libkern/OSMalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../unit/machine.h"

static void *until_end(void *arg)
{
	char c;

	while (read(0, &c, 1) > 0)
		;
	return arg;
}

static void *from_area(area_malloc_module_info **m)
{
	module_info *info = NULL;
	const void *pool;

	if (get_module(B_AREA_MALLOC_MODULE_NAME, &info) != B_OK)
		return NULL;
	*m = (area_malloc_module_info *)info;
	pool = (*m)->create_pool(
		B_ANY_ADDRESS, 65536, B_FULL_LOCK, B_READ_AREA | B_WRITE_AREA);
	return pool ? (*m)->calloc(pool, 10, 100) : NULL;
}

int main(int argc, char **argv)
{
	OSMallocTag one = OSMalloc_Tagalloc("com.example.driver", OSMT_DEFAULT);
	OSMallocTag two = OSMalloc_Tagalloc("com.example.driver", OSMT_PAGEABLE);
	CMMemoryPoolRef video = CMMemoryPoolCreate(NULL);
	CMMemoryPoolRef more = CMMemoryPoolCreate(NULL);
	area_malloc_module_info *m = NULL;
	pthread_t reader;
	void *p[6];
	int n = 0;

	p[0] = OSMalloc(1000, one);
	p[1] = OSMalloc_nowait(24, two);
	p[2] = AllocateRtMemory(10000);
	p[3] = CFAllocatorAllocate(CMMemoryPoolGetAllocator(video), 1 << 20, 0);
	p[4] = CFAllocatorAllocate(CMMemoryPoolGetAllocator(more), 5000, 0);
	p[5] = from_area(&m);
	for (int i = 0; i < 6; i++) {
		n += p[i] != NULL || (i == 2 && !machine_pins());
		if (p[i])
			memset(p[i], i, i ? 24 : 1000);
	}
	printf("blocks %d\n", n);
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		pthread_create(&reader, NULL, until_end, NULL);
		pthread_join(reader, NULL);
	}
	if (n < 6)
		return 1;
	OSFree(p[0], 1000, one);
	OSFree(p[1], 24, two);
	OSMalloc_Tagfree(one);
	OSMalloc_Tagfree(two);
	CFAllocatorDeallocate(CMMemoryPoolGetAllocator(video), p[3]);
	CFRelease(video);
	CFAllocatorDeallocate(CMMemoryPoolGetAllocator(more), p[4]);
	CFRelease(more);
	return FreeRtMemory(p[2]) != (p[2] != NULL) ||
	       put_module(B_AREA_MALLOC_MODULE_NAME) != B_OK;
}
