/* SPDX-License-Identifier: MIT */
/*
 * rtm_media.c - media_realtime_init_thread() and media_realtime_init_image()
 *
 * The calling thread's stack is known to image.c. Another thread's is found from its
 * stack pointer, which /proc tells while it sleeps: the mapped pages around that are its
 * stack, whose guard pages end it on both sides. Not for realtime threads. Bound:
 * RTM_STACK_MAX bytes of a stack, RTM_LOOKS looks at a thread that never sleeps.
 */
#include "rtm.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "fds.h"
#include "image.h"
#include "log.h"
#include "sys.h"

#define RTM_STACK_MAX (64UL << 20)
#define RTM_LOOKS     100

static bool rtm_media_on(uint32 flags)
{
	const struct policy_realtime *r = rtm_realtime();

	return (flags & B_MEDIA_REALTIME_AUDIO && r->audio) ||
	       (flags & B_MEDIA_REALTIME_VIDEO && r->video);
}

struct rtm_look {
	thread_id tid;
	uintptr_t sp; /* out */
};

/* The last but one word of "202 0x81 ... 0x7ffd0 0x7f1c"; 0 for "running". */
static uintptr_t rtm_parse_sp(const char *s)
{
	uintptr_t last = 0, before = 0;

	while (*s) {
		uintptr_t v = 0;

		while (*s == ' ' || *s == '\n' || *s == '-')
			s++;
		if (s[0] == '0' && s[1] == 'x')
			s += 2;
		for (; *s && *s != ' ' && *s != '\n'; s++)
			v = v * 16 + (uintptr_t)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
		while (*s == ' ' || *s == '\n')
			s++;
		before = last;
		last = v;
	}
	return before;
}

static int rtm_look_at(void *arg)
{
	struct rtm_look *l = arg;
	char path[64], text[256];
	int ret;

	log_format(path, sizeof(path), "/proc/self/task/%d/syscall", l->tid);
	ret = fds_slurp(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	l->sp = rtm_parse_sp(text);
	return l->sp ? 0 : -EAGAIN;
}

/* Pages from `page` on, in steps of step, that can be touched; at most max of them. */
static size_t rtm_pages_around(uintptr_t page, long step, size_t max)
{
	size_t n = 0;

	while (n < max && sys_madvise((void *)(page + (uintptr_t)(step * (long)n)),
				  AREA_PAGE, MADV_POPULATE_READ) == 0)
		n++;
	return n;
}

static int rtm_lock_other(thread_id tid, size_t used)
{
	static const struct timespec pause = {0, 1000000};
	struct rtm_look l = {.tid = tid};
	size_t up, down, max = RTM_STACK_MAX / AREA_PAGE;
	uintptr_t page;
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < RTM_LOOKS; i++) {
		if (i)
			sys_call3(SYS_nanosleep, (long)&pause, 0, 0);
		ret = fds_run(rtm_look_at, &l);
	}
	if (ret < 0)
		return ret;
	if (used && used < RTM_STACK_MAX)
		max = (used + AREA_PAGE - 1) / AREA_PAGE;
	page = l.sp & ~(AREA_PAGE - 1);
	up = rtm_pages_around(page, (long)AREA_PAGE, RTM_STACK_MAX / AREA_PAGE);
	down = rtm_pages_around(page - AREA_PAGE, -(long)AREA_PAGE, max);
	if (up == 0)
		return -EFAULT;
	return image_lock_stack_range(
		(void *)(page - down * AREA_PAGE), (void *)(page + up * AREA_PAGE));
}

status_t media_realtime_init_thread(thread_id thread, size_t stack_used, uint32 flags)
{
	pid_t self = sys_gettid();
	int ret;

	if (thread < 0 ||
		(thread > 0 && sys_call3(SYS_tgkill, sys_getpid(), thread, 0) != 0))
		return B_BAD_VALUE;
	if (!rtm_media_on(flags))
		return B_MEDIA_REALTIME_DISABLED;
	if (thread == 0 || thread == self)
		ret = image_lock_stack(0, stack_used);
	else
		ret = rtm_lock_other(thread, stack_used);
	return ret < 0 ? B_MEDIA_REALTIME_UNAVAILABLE : B_OK;
}

status_t media_realtime_init_image(image_id image, uint32 flags)
{
	const void *at = image ? (const void *)image : (const void *)getauxval(AT_ENTRY);
	int ret;

	if (!rtm_media_on(flags))
		return B_MEDIA_REALTIME_DISABLED;
	ret = image_lock_object(at);
	if (ret == -ENOENT)
		return B_BAD_VALUE;
	return ret < 0 ? B_MEDIA_REALTIME_UNAVAILABLE : B_OK;
}
