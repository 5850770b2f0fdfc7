/* SPDX-License-Identifier: MIT */
/* media_realtime_init_thread() and _image(): stacks and objects are locked, and refused
 * with the documented codes. Arguments: what the policy and the limits let it expect,
 * "audio", "video", "off", "little" or "limit". */
/* libs: -Lbuild -lrtpreload */
#include <media/MediaDefs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api_check.h"

#define KIB  1024UL
#define PAGE 4096UL

static struct {
	int ready, quit;
	thread_id tid;
	char *local;
	char *end; /* libc keeps its descriptor of the thread at the stack's upper end */
} other;

/* The process's locked memory, in bytes. */
static size_t locked_in_all(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %lu kB", &kib);
	if (f)
		fclose(f);
	return kib * KIB;
}

static void *sleeper(void *arg)
{
	char local[100];

	(void)arg;
	other.local = local;
	other.end = (char *)pthread_self();
	other.tid = (thread_id)syscall(SYS_gettid);
	__atomic_store_n(&other.ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&other.quit, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static pthread_t start_sleeper(const pthread_attr_t *attr)
{
	pthread_t t;

	other.ready = other.quit = 0;
	CHECK(pthread_create(&t, attr, sleeper, NULL) == 0);
	while (!__atomic_load_n(&other.ready, __ATOMIC_ACQUIRE))
		usleep(100);
	return t;
}

static void stop_sleeper(pthread_t t)
{
	__atomic_store_n(&other.quit, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
}

/* Pages from the variable up to the descriptor, and a few for the calls below it. */
static size_t in_use(void)
{
	return (size_t)(other.end - other.local) + 6 * PAGE;
}

/* Of a stack that lies amid other memory, what is in use and what was asked for. */
static void no_more_than_asked(uint32 flag)
{
	char *around = mmap(NULL, 4096 * KIB, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before, asked = 0x5000;
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	CHECK(pthread_attr_setstack(&attr, around + 1024 * KIB, 256 * KIB) == 0);
	for (int own = 0; own < 2; own++) {
		t = start_sleeper(own ? NULL : &attr);
		before = locked_in_all();
		CHECK(media_realtime_init_thread(other.tid, asked, flag) == B_OK);
		CHECK(locked_in_all() - before >= asked);
		CHECK(locked_in_all() - before <= asked + in_use());
		CHECK(locked_around(other.local) >= (long)(asked / KIB));
		CHECK(locked_around(other.end) > 0);
		stop_sleeper(t);
	}
	pthread_attr_destroy(&attr);
	munmap(around, 4096 * KIB);
}

/* More is asked for than the stack has: not beyond its guard. */
static void no_more_than_there_is(uint32 flag)
{
	size_t before;
	pthread_attr_t attr;
	pthread_t t[2];

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * KIB);
	t[0] = start_sleeper(&attr);
	t[1] = start_sleeper(&attr); /* often just below the first */
	for (int all = 0; all < 2; all++) {
		before = locked_in_all();
		CHECK(media_realtime_init_thread(other.tid, all ? 0 : 1024 * KIB, flag) ==
			B_OK);
		CHECK(locked_in_all() - before <= 128 * KIB);
	}
	stop_sleeper(t[1]);
	pthread_join(t[0], NULL);
	pthread_attr_destroy(&attr);
}

/* From another thread, the first thread's stack. */
static void *lock_first(void *arg)
{
	thread_id tid = (thread_id)getpid();
	uint32 flag = *(uint32 *)arg;
	size_t before = locked_in_all();

	CHECK(media_realtime_init_thread(tid, 256 * KIB, flag) == B_OK);
	CHECK(locked_in_all() - before >= 256 * KIB);
	CHECK(locked_in_all() - before <= 512 * KIB);
	return NULL;
}

static int initialised[100] = {1};

static void switched_on(uint32 flag, uint32 other_flag)
{
	char local;
	pthread_t t;

	pthread_create(&t, NULL, lock_first, &flag);
	pthread_join(t, NULL);
	munlockall();
	no_more_than_asked(flag);
	no_more_than_there_is(flag);

	CHECK(media_realtime_init_thread(0, 65536, other_flag) ==
		B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_image(0, other_flag) == B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_thread(0, 0, 0) == B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_thread(0, 0, B_MEDIA_REALTIME_ALLOCATOR) ==
		B_MEDIA_REALTIME_DISABLED);
	CHECK(find_thread(NULL) == (thread_id)getpid());
	CHECK(find_thread("main") == B_NAME_NOT_FOUND);
	CHECK(media_realtime_init_thread(-3, 0, flag) == B_BAD_VALUE);
	CHECK(media_realtime_init_thread(0x3fffffff, 0, flag) == B_BAD_VALUE);
	CHECK(media_realtime_init_image((image_id)&local, flag) == B_BAD_VALUE);

	CHECK(locked_around(&local) == 0);
	CHECK(media_realtime_init_thread(0, 65536, flag) == B_OK);
	CHECK(locked_around(&local) >= 64);
	CHECK(media_realtime_init_thread(
		      (thread_id)getpid(), 0, B_MEDIA_REALTIME_ANYKIND) == B_OK);

	munlockall(); /* libc gives the stacks above out again */
	t = start_sleeper(NULL);
	CHECK(locked_around(other.local) == 0);
	CHECK(media_realtime_init_thread(other.tid, 0x5000, flag) == B_OK);
	CHECK(locked_around(other.local) >= 0x5000 / 1024);
	CHECK(media_realtime_init_thread(other.tid, 0, flag) == B_OK);
	CHECK(locked_around(other.local) >= 8000);
	stop_sleeper(t);

	CHECK(locked_around(&initialised) == 0);
	CHECK(media_realtime_init_image(0, flag) == B_OK);
	CHECK(locked_around(&initialised) > 0);
	CHECK(locked_around((void *)(uintptr_t)strlen) == 0);
	CHECK(media_realtime_init_image((image_id)(uintptr_t)strlen, flag) == B_OK);
	CHECK(locked_around((void *)(uintptr_t)strlen) > 0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (!strcmp(how, "audio")) {
		switched_on(B_MEDIA_REALTIME_AUDIO, B_MEDIA_REALTIME_VIDEO);
	} else if (!strcmp(how, "video")) {
		switched_on(B_MEDIA_REALTIME_VIDEO, B_MEDIA_REALTIME_AUDIO);
	} else if (!strcmp(how, "off")) {
		CHECK(media_realtime_init_thread(0, 0, B_MEDIA_REALTIME_ANYKIND) ==
			B_MEDIA_REALTIME_DISABLED);
		CHECK(media_realtime_init_image(0, B_MEDIA_REALTIME_ANYKIND) ==
			B_MEDIA_REALTIME_DISABLED);
	} else if (!strcmp(how, "little")) {
		/* what the book's own example asks for, where 64 KiB may be locked */
		pthread_t t = start_sleeper(NULL);

		CHECK(media_realtime_init_thread(
			      other.tid, 0x5000, B_MEDIA_REALTIME_AUDIO) == B_OK);
		stop_sleeper(t);
	} else {
		CHECK(media_realtime_init_image((image_id)(uintptr_t)strlen,
			      B_MEDIA_REALTIME_AUDIO) == B_MEDIA_REALTIME_UNAVAILABLE);
		CHECK(media_realtime_init_thread(0, 4 << 20, B_MEDIA_REALTIME_AUDIO) ==
			B_MEDIA_REALTIME_UNAVAILABLE);
	}
	return api_failed;
}
