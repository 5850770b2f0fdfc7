/* SPDX-License-Identifier: MIT */
/* Every call of the four families and of the tags, with what no caller should give it:
 * NULL, zero, huge, misaligned, somebody else's, freed already, used after its end. Each
 * answers as documented, or ends a process of its own with one line; what is alive
 * beside it stays sound. Prints how many of either kind there were. */
/* libs: -Lbuild -lrtpreload */
#include <CoreMedia/CMMemoryPool.h>
#include <drivers/area_malloc.h>
#include <errno.h>
#include <intime/rt.h>
#include <libkern/OSMalloc.h>
#include <rtmem.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/machine.h"
#include "api_check.h"

#define MIB	    (1UL << 20)
#define RW	    (B_READ_AREA | B_WRITE_AREA)
#define ALL	    0xFFFFFFFFFFFFFFFFull
#define NO_SUCH_END 99

/* What no call has ever returned. */
static void *foreign[9], *gone;
static int nforeign, answers, ends;

static const void *area;
static OSMallocTag tag;
static CMMemoryPoolRef pool;
static CFAllocatorRef allocator;
static bool nothing_contiguous;
static char *in_area, *of_tag, *frame, *contiguous, *stale_block;
static rtm_pool *native;

/* Which of the calls that end the process this one makes; -1: those that answer. */
static int this_end;

#define ANSWERS(expr)              \
	do {                       \
		if (this_end >= 0) \
			break;     \
		errno = 0;         \
		CHECK(expr);       \
		answers++;         \
	} while (0)

#define ENDS(call)                                            \
	do {                                                  \
		if (ends++ != this_end)                       \
			break;                                \
		call;                                         \
		printf("%d: %s returned\n", __LINE__, #call); \
		fflush(stdout);                               \
		_exit(0);                                     \
	} while (0)

static void some_foreign(void)
{
	static char data[8192] __attribute__((aligned(4096)));

	gone = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(gone, 65536);
	foreign[nforeign++] = data;
	foreign[nforeign++] = data + 1;
	foreign[nforeign++] = (void *)16;
	foreign[nforeign++] = (void *)4096;
	foreign[nforeign++] = gone;
	foreign[nforeign++] = (void *)0x7fffffffe000;
	foreign[nforeign++] = (void *)-1;
	foreign[nforeign++] = (void *)-4096;
	foreign[nforeign++] = malloc(100);
}

static void bad_area(const void *id, const char *block)
{
	ANSWERS(rtm_area_delete_pool(id) == B_ERROR);
	ANSWERS(!rtm_area_malloc(id, 1) && errno == EINVAL);
	ANSWERS(!rtm_area_calloc(id, 1, 1) && errno == EINVAL);
	ANSWERS(!rtm_area_realloc(id, NULL, 1) && errno == EINVAL);
	ANSWERS(rtm_area_descriptor(id) == B_ERROR);
	rtm_area_free(id, NULL);
	ENDS(rtm_area_free(id, (void *)block));
	ENDS(rtm_area_realloc(id, (void *)block, 10));
}

static void areas(void)
{
	const void *deleted = rtm_area_create_pool(NULL, B_ANY_ADDRESS, 1, B_NO_LOCK, RW);
	module_info *info = NULL;

	bad_area(NULL, in_area);
	bad_area((const char *)area + 8, in_area);
	CHECK(rtm_area_delete_pool(deleted) == B_OK);
	bad_area(deleted, in_area);
	for (int i = 0; i < nforeign; i++) {
		bad_area(foreign[i], in_area);
		ENDS(rtm_area_free(area, foreign[i]));
		ENDS(rtm_area_realloc(area, foreign[i], 10));
	}
	ENDS(rtm_area_free(area, in_area + 8));
	ENDS(rtm_area_free(area, in_area + 16));
	ENDS(rtm_area_free(area, stale_block));
	ENDS(rtm_area_realloc(area, stale_block, 5));
	ENDS(rtm_area_free(area, rtm_alloc(native, 10)));
	ANSWERS(!rtm_area_malloc(area, SIZE_MAX) && errno == ENOMEM);
	ANSWERS(!rtm_area_calloc(area, SIZE_MAX, SIZE_MAX) && errno == ENOMEM);
	ANSWERS(!rtm_area_realloc(area, in_area, SIZE_MAX) && errno == ENOMEM);
	for (uint32 lock = 0; lock < 5; lock++) {
		ANSWERS(!rtm_area_create_pool(NULL, 0, 0, lock, RW));
		ANSWERS(!rtm_area_create_pool(NULL, 0, SIZE_MAX, lock, RW));
		ANSWERS(!rtm_area_create_pool(NULL, 0, 1UL << 40, lock, RW));
		for (int i = 0; i < nforeign; i++)
			if (foreign[i] != gone && foreign[i] != (void *)4096)
				ANSWERS(!rtm_area_create_pool(
					foreign[i], B_EXACT_ADDRESS, MIB, lock, RW));
	}
	ANSWERS(!rtm_area_create_pool(NULL, 99, MIB, 0, RW));
	ANSWERS(!rtm_area_create_pool(NULL, 0, MIB, 99, RW));
	ANSWERS(!rtm_area_create_pool(NULL, 0, MIB, 0, 0xffff));
	ANSWERS(rtm_get_module("", &info) == B_ENTRY_NOT_FOUND && !info);
	ANSWERS(rtm_get_module(NULL, NULL) == B_BAD_VALUE);
	ANSWERS(rtm_put_module("") == B_ENTRY_NOT_FOUND);
	ANSWERS(rtm_put_module(NULL) == B_BAD_VALUE);
	ANSWERS(rtm_put_module(B_AREA_MALLOC_MODULE_NAME) == B_ENTRY_NOT_FOUND);
}

static void intime(void)
{
	for (int i = 0; i < nforeign; i++) {
		ANSWERS(!FreeRtMemory(foreign[i]) && GetLastRtError() == E_PARAM);
		GetRtPhysicalAddress(foreign[i]);
		GetRtPhysicalAddressEx(foreign[i]);
		answers += 2;
	}
	ANSWERS(!FreeRtMemory(NULL) && GetLastRtError() == E_PARAM);
	ANSWERS(!FreeRtMemory(contiguous + 4096) && GetLastRtError() == E_PARAM);
	ANSWERS(!FreeRtMemory(contiguous + 1) && GetLastRtError() == E_PARAM);
	ANSWERS(GetRtPhysicalAddressEx(NULL) == BAD_RTPHYSADDREX &&
		GetLastRtError() == E_PARAM);
	ANSWERS(GetRtPhysicalAddressEx((PVOID)-1) == BAD_RTPHYSADDREX &&
		GetLastRtError() == E_PARAM);
	ANSWERS(!AllocateRtMemoryEx(0, 0, 0, 0) && GetLastRtError() == E_PARAM);
	ANSWERS(!AllocateRtMemoryEx(1, 1, 0, 0) && GetLastRtError() == E_PARAM);
	ANSWERS(!AllocateRtMemoryEx(1, 0, ALL, 1) && GetLastRtError() == E_PARAM);
	ANSWERS(!AllocateRtMemoryEx(1, 0, ALL, 0xffffffff) &&
		GetLastRtError() == E_PARAM);
	ANSWERS(!AllocateRtMemoryEx(1, ALL, ALL, 0) && GetLastRtError() == E_MEM);
	ANSWERS(!AllocateRtMemoryEx(1, 0, 1, 0) && GetLastRtError() == E_MEM);
	ANSWERS(!AllocateRtMemoryEx(0xffffffff, 0, 1 << 20, 0) &&
		GetLastRtError() == E_MEM);
	ANSWERS(!AllocateRtMemory(0) && GetLastRtError() == E_PARAM);
}

static void bad_tag(OSMallocTag t)
{
	ENDS(OSMalloc(1, t));
	ENDS(OSMalloc_noblock(1, t));
	ENDS(OSMalloc_nowait(1, t));
	ENDS(OSFree(of_tag, 100, t));
	ENDS(OSMalloc_Tagfree(t));
	ANSWERS(rtm_tag_delete((rtm_tag *)(void *)t) == B_BAD_VALUE);
	ANSWERS(!rtm_tag_name((rtm_tag *)(void *)t));
	ANSWERS(!rtm_tag_alloc((rtm_tag *)(void *)t, native, 1) && errno == EINVAL);
	ANSWERS(!rtm_tag_alloc_nowait((rtm_tag *)(void *)t, native, 1) &&
		errno == EINVAL);
}

static void tags(void)
{
	OSMallocTag deleted = OSMalloc_Tagalloc("deleted", 0);
	OSMallocTag other = OSMalloc_Tagalloc("other", 0);
	char *freed = OSMalloc(100, tag);

	OSMalloc_Tagfree(deleted);
	OSFree(freed, 100, tag);
	bad_tag(NULL);
	bad_tag((OSMallocTag)((char *)tag + 8));
	bad_tag(deleted);
	for (int i = 0; i < nforeign; i++) {
		bad_tag(foreign[i]);
		ENDS(OSFree(foreign[i], 100, tag));
		ANSWERS(!rtm_tag_of(foreign[i]));
	}
	ENDS(OSMalloc_Tagfree(tag));
	ENDS(OSFree(NULL, 0, tag));
	ENDS(OSFree(of_tag, 0, tag));
	ENDS(OSFree(of_tag, 99, tag));
	ENDS(OSFree(of_tag, 100, other));
	ENDS(OSFree(of_tag + 8, 92, tag));
	ENDS(OSFree(of_tag + 16, 84, tag));
	ENDS(OSFree(freed, 100, tag));
	ENDS(OSFree(in_area, 100, tag));
	ENDS(OSFree(rtm_alloc(native, 100), 100, tag));
	ENDS(rtm_free(of_tag + 16));
	ANSWERS(!OSMalloc(0, tag) && !OSMalloc_noblock(0, tag) &&
		!OSMalloc_nowait(0, tag));
	ANSWERS(!OSMalloc(0xffffffff, tag) && !OSMalloc_nowait(0xffffffff, tag));
	ANSWERS(!OSMalloc_Tagalloc("flags", 2) && !OSMalloc_Tagalloc(NULL, 0xffffffff));
	ANSWERS(rtm_tag_delete(rtm_tag_create(NULL)) == B_OK);
	OSMalloc_Tagfree(other);
}

static void bad_object(void *o)
{
	void *p = CFAllocatorAllocate(o, 4096, 0);

	ANSWERS(!CMMemoryPoolGetAllocator(o));
	ANSWERS(!p || !o);
	CFAllocatorDeallocate(NULL, p);
	ANSWERS(CFGetRetainCount(o) == 0 && CFGetTypeID(o) == 0);
	ANSWERS(CFRetain(o) == o);
	CMMemoryPoolFlush(o);
	CMMemoryPoolInvalidate(o);
	if (!o)
		return; /* no options, nothing to release, the default allocator */
	ANSWERS(!CMMemoryPoolCreate((CFDictionaryRef)o) &&
		rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	ENDS(CFRelease(o));
	ENDS(CFAllocatorDeallocate(o, frame));
	ENDS(CFAllocatorReallocate(o, frame, 10, 0));
}

static void objects(void)
{
	CMMemoryPoolRef released = CMMemoryPoolCreate(NULL);
	CFAllocatorRef its = CMMemoryPoolGetAllocator(released);
	char *freed = CFAllocatorAllocate(allocator, 8192, 0);
	const void *key[1] = {kCMMemoryPoolOption_AgeOutPeriod}, *value[1] = {pool};
	CFDictionaryRef odd = CFDictionaryCreate(NULL, key, value, 1, NULL, NULL);

	CFAllocatorDeallocate(allocator, freed);
	CFRelease(released);
	bad_object(NULL);
	bad_object(released);
	bad_object((void *)its);
	bad_object((char *)pool + 8);
	bad_object((char *)allocator + 16);
	for (int i = 0; i < nforeign; i++) {
		bad_object(foreign[i]);
		ENDS(CFAllocatorDeallocate(allocator, foreign[i]));
		ENDS(CFAllocatorReallocate(allocator, foreign[i], 10, 0));
	}
	ENDS(CFAllocatorDeallocate(allocator, freed));
	ENDS(CFAllocatorDeallocate(allocator, frame + 16));
	ENDS(CFAllocatorDeallocate(allocator, frame + 4096));
	ANSWERS(!CFAllocatorAllocate(allocator, 0, 0) &&
		rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	ANSWERS(!CFAllocatorAllocate(allocator, INT64_MIN, 0) &&
		rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	ANSWERS(!CFAllocatorAllocate(allocator, INT64_MAX, 0) &&
		rtm_cm_last_error() == kCMMemoryPoolError_AllocationFailed);
	ANSWERS(!CFAllocatorReallocate(allocator, frame, INT64_MAX, 0));
	ANSWERS(CFAllocatorGetPreferredSizeForSize(allocator, INT64_MAX, 0) == INT64_MAX);
	ANSWERS(!CMMemoryPoolCreate(odd)); /* its value is no number */
	ANSWERS(!CFNumberCreate(NULL, kCFNumberDoubleType, NULL));
	ANSWERS(!CFNumberCreate(NULL, 0, key) && !CFNumberCreate(NULL, -1, key));
	ANSWERS(!CFDictionaryCreate(NULL, NULL, NULL, 1, NULL, NULL));
	ANSWERS(!CFDictionaryCreate(NULL, key, value, -1, NULL, NULL));
	ANSWERS(!CFDictionaryCreate(NULL, key, value, INT32_MAX, NULL, NULL));
	CFRelease(odd);
}

/* What was alive all the time is as it was. */
static void sound(void)
{
	CHECK(in_area[0] == 'a' && in_area[99] == 'a' && rtm_size_for(in_area) == 100);
	CHECK(of_tag[0] == 't' && of_tag[99] == 't');
	CHECK(CFGetTypeID(pool) == CMMemoryPoolGetTypeID());
	CHECK(frame[0] == 'f' && frame[99] == 'f' && contiguous[0] == 'c');
	OSFree(of_tag, 100, tag);
	OSMalloc_Tagfree(tag);
	rtm_area_free(area, in_area);
	CHECK(rtm_area_delete_pool(area) == B_OK);
	CFAllocatorDeallocate(allocator, frame);
	CFRelease(pool);
	CHECK(FreeRtMemory(contiguous) != nothing_contiguous &&
		!FreeRtMemory(contiguous));
	CHECK(rtm_delete_pool(native) == B_OK);
}

/* Where nothing can be pinned there is none: then all the calls get a foreign block. */
static char *some_contiguous(void)
{
	char *p = AllocateRtMemory(2 * 4096);

	nothing_contiguous = p == NULL;
	return p ? p : malloc(3 * 4096);
}

static int everything(void)
{
	some_foreign();
	area = rtm_area_create_pool(NULL, B_ANY_ADDRESS, 65536, B_FULL_LOCK, RW);
	in_area = memset(rtm_area_malloc(area, 100), 'a', 100);
	stale_block = rtm_area_malloc(area, 100);
	rtm_area_free(area, stale_block);
	tag = OSMalloc_Tagalloc("bad", OSMT_DEFAULT);
	of_tag = memset(OSMalloc(100, tag), 't', 100);
	pool = CMMemoryPoolCreate(NULL);
	allocator = CMMemoryPoolGetAllocator(pool);
	frame = memset(CFAllocatorAllocate(allocator, 3 * 4096, 0), 'f', 100);
	contiguous = memset(some_contiguous(), 'c', 1);
	CHECK(rtm_create_pool(&native, 65536, "native") == B_OK);
	areas();
	intime();
	tags();
	objects();
	if (this_end >= 0)
		return NO_SUCH_END;
	sound();
	printf("answers %d ends %d\n", answers, ends);
	fflush(stdout);
	return api_failed;
}

/* One line that begins as ours do, then SIGABRT. Where nothing can be pinned, a line
 * before it says so. */
static int ended_well(int status, const char *text, ssize_t n)
{
	const char *first = strchr(text, '\n');

	if (first && strstr(text, "cannot be pinned") &&
		strstr(text, "cannot be pinned") < first) {
		n -= first + 1 - text;
		text = first + 1;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && n > 0 &&
		!strncmp(text, "rtmem: ", 7) && strchr(text, '\n') == text + n - 1)
		return 1;
	printf("end %d: status %x: %s\n", this_end, (unsigned)status, text);
	return 0;
}

/* In a process of its own, which makes its own pools. */
static int one_end(int *failed)
{
	char text[4096] = "";
	ssize_t n = 0, got;
	int fd[2], status = 0;
	pid_t pid;

	if (pipe(fd) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], 2);
		_exit(everything());
	}
	close(fd[1]);
	while ((got = read(fd[0], text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += got;
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_SUCH_END)
		return 0;
	*failed |= !ended_well(status, text, n);
	return 1;
}

int main(void)
{
	struct rlimit no_core = {0, 0};
	int failed = 0;

	setrlimit(RLIMIT_CORE, &no_core);
	while (one_end(&failed))
		this_end++;
	this_end = -1;
	return everything() || failed;
}
