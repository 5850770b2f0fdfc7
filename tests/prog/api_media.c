/* SPDX-License-Identifier: MIT */
/* media_realtime_init_thread() and _image(): stacks and objects are locked, and refused
 * with the documented codes. Arguments: what the policy and the limits let it expect,
 * "audio", "video", "off" or "limit". */
/* libs: -Lbuild -lrtpreload */
#include <media/RealtimeAlloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api_check.h"

static struct {
	int ready, quit;
	thread_id tid;
	char *local;
} other;

static void *sleeper(void *arg)
{
	char local[100];

	(void)arg;
	other.local = local;
	other.tid = (thread_id)syscall(SYS_gettid);
	__atomic_store_n(&other.ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&other.quit, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static int initialised[100] = {1};

static void switched_on(uint32 flag, uint32 other_flag)
{
	char local;
	pthread_t t;

	CHECK(media_realtime_init_thread(0, 65536, other_flag) ==
		B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_image(0, other_flag) == B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_thread(0, 0, 0) == B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_thread(0, 0, B_MEDIA_REALTIME_ALLOCATOR) ==
		B_MEDIA_REALTIME_DISABLED);
	CHECK(media_realtime_init_thread(-3, 0, flag) == B_BAD_VALUE);
	CHECK(media_realtime_init_thread(0x3fffffff, 0, flag) == B_BAD_VALUE);
	CHECK(media_realtime_init_image((image_id)&local, flag) == B_BAD_VALUE);

	CHECK(locked_around(&local) == 0);
	CHECK(media_realtime_init_thread(0, 65536, flag) == B_OK);
	CHECK(locked_around(&local) >= 64);
	CHECK(media_realtime_init_thread(
		      (thread_id)getpid(), 0, B_MEDIA_REALTIME_ANYKIND) == B_OK);

	CHECK(pthread_create(&t, NULL, sleeper, NULL) == 0);
	while (!__atomic_load_n(&other.ready, __ATOMIC_ACQUIRE))
		usleep(100);
	CHECK(locked_around(other.local) == 0);
	CHECK(media_realtime_init_thread(other.tid, 0x5000, flag) == B_OK);
	CHECK(locked_around(other.local) >= 0x5000 / 1024);
	CHECK(media_realtime_init_thread(other.tid, 0, flag) == B_OK);
	CHECK(locked_around(other.local) >= 8000);
	__atomic_store_n(&other.quit, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);

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
	} else {
		CHECK(media_realtime_init_image((image_id)(uintptr_t)strlen,
			      B_MEDIA_REALTIME_AUDIO) == B_MEDIA_REALTIME_UNAVAILABLE);
		CHECK(media_realtime_init_thread(0, 4 << 20, B_MEDIA_REALTIME_AUDIO) ==
			B_MEDIA_REALTIME_UNAVAILABLE);
	}
	return api_failed;
}
