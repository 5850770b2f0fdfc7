/* SPDX-License-Identifier: MIT */
/*
 * rtm_media.c - media_realtime_init_thread() and media_realtime_init_image()
 *
 * A boundary over image.h that obeys the switches of the policy. Not for realtime
 * threads.
 */
#include "rtm.h"

#include <errno.h>
#include <kernel/OS.h>
#include <sys/auxv.h>

#include "os/sys.h"
#include "memory/image.h"

static bool rtm_media_on(uint32 flags)
{
	const struct policy_realtime *r = rtm_realtime();

	return (flags & B_MEDIA_REALTIME_AUDIO && r->audio) ||
	       (flags & B_MEDIA_REALTIME_VIDEO && r->video);
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
		ret = image_lock_other_stack(thread, stack_used);
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

thread_id rtm_find_thread(const char *name)
{
	return name ? B_NAME_NOT_FOUND : sys_gettid();
}
