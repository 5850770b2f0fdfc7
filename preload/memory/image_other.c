/* SPDX-License-Identifier: MIT */
/*
 * image_other.c - lock the stack of another thread
 *
 * The used part begins at the stack pointer, which /proc shows while the thread sleeps.
 * It ends below libc's descriptor of the thread, at the upper end of the stack; memory
 * above is not the stack, even if it is mapped. The thread's list of robust mutexes leads
 * to the descriptor: the list is inside of it, at the same distance as in the caller's
 * own. Never reads or writes the stack. Bound: IMAGE_STACK_MAX bytes of a stack,
 * IMAGE_LOOKS looks at a thread that never sleeps.
 */
#include "image.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

#include "os/fd_table.h"
#include "os/log.h"
#include "os/sys.h"
#include "area.h"
#include "image_private.h"

#define IMAGE_LOOKS 100

struct look {
	pid_t tid;
	uintptr_t sp; /* out */
};

/* The last but one word of "202 0x81 ... 0x7ffd0 0x7f1c"; 0 for "running". */
static uintptr_t parse_sp(const char *s)
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

static int look_at(void *arg)
{
	struct look *l = arg;
	char path[64], text[256];
	int ret;

	log_format(path, sizeof(path), "/proc/self/task/%d/syscall", l->tid);
	ret = fd_table_slurp(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	l->sp = parse_sp(text);
	return l->sp ? 0 : -EAGAIN;
}

static int find_sp(struct look *l)
{
	static const struct timespec pause = {0, 1000000};
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < IMAGE_LOOKS; i++) {
		if (i)
			sys_call3(SYS_nanosleep, (long)&pause, 0, 0);
		ret = fd_table_run(look_at, l);
	}
	return ret;
}

static uintptr_t robust_list(pid_t tid)
{
	uintptr_t head = 0;
	size_t len;

	if (sys_call3(SYS_get_robust_list, tid, (long)&head, (long)&len) < 0)
		return 0;
	return head;
}

/* Its thread pointer, 0: libc did not make it, or not the caller. */
static uintptr_t thread_pointer(pid_t tid)
{
	uintptr_t mine = robust_list(0), its = robust_list(tid);

	return mine && its ? its - (mine - (uintptr_t)__builtin_thread_pointer()) : 0;
}

/* Is the page of `end` the end of a stack that is in use from sp on? */
static bool ends_stack(uintptr_t sp, uintptr_t end)
{
	uintptr_t page = image_page_of(sp);

	return sp < end && end - sp <= IMAGE_STACK_MAX &&
	       sys_madvise((void *)page, image_page_of(end) + AREA_PAGE - page,
		       MADV_POPULATE_READ) == 0;
}

int image_lock_other_stack(pid_t tid, size_t bytes)
{
	struct look l = {.tid = tid};
	uintptr_t page, low, top;
	bool first = false;
	int ret;

	if (sys_restricted())
		return -EPERM;
	ret = find_sp(&l);
	if (ret < 0)
		return ret;
	top = thread_pointer(tid);
	if (!ends_stack(l.sp, top)) {
		top = image_first_stack_end();
		first = tid == sys_getpid();
		if (!first || !ends_stack(l.sp, top))
			return -EFAULT;
	}
	top = image_page_of(top) + AREA_PAGE;
	page = image_page_of(l.sp);
	low = image_lowest(page, bytes);
	low = image_touch_down(page, low, first && bytes != 0);
	return area_lock_foreign((void *)low, top - low);
}
