/* SPDX-License-Identifier: MIT */
/*
 * entry_thread.c - the interposed calls that make or change threads
 *
 * Each calls the real function (or makes its system call), and then tells thread.c which
 * thread's facts may have changed. In a program without a rule they do nothing else.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "os/fd_table.h"
#include "os/log.h"
#include "os/next.h"
#include "os/proc.h"
#include "os/sys.h"
#include "decide/helper.h"
#include "decide/thread.h"
#include "entry.h"

#define ENTRY_AGAIN 64

static int entry_result(long ret)
{
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return (int)ret;
}

/* ---- threads ---- */

struct entry_start {
	void *(*fn)(void *);
	void *arg;
	struct slot *slot;
};

static void *entry_thread_main(void *arg)
{
	struct entry_start st = *(struct entry_start *)arg;

	je_free(arg);
	thread_born(st.slot, (const void *)st.fn);
	return st.fn(st.arg);
}

/*
 * There may be no more threads: not because of ours. First without those that live for a
 * moment (fd_table.h), as often as one was there meanwhile, then without the helper.
 * Bound: ENTRY_AGAIN.
 */
static int entry_create_again(
	pthread_t *t, const pthread_attr_t *attr, struct entry_start *st)
{
	for (int i = 0; i < ENTRY_AGAIN; i++) {
		uint32_t made = fd_table_guests_gone();
		int ret = next_pthread_create(t, attr, entry_thread_main, st);

		if (ret != EAGAIN)
			return ret;
		if (fd_table_guests_gone() == made && !helper_make_room())
			break;
	}
	return EAGAIN;
}

EXPORT int pthread_create(
	pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	struct entry_start *st;
	struct slot *slot = thread_prepare();
	int ret;

	entry_alone_find();
	if (!slot)
		return next_pthread_create(t, attr, fn, arg);
	st = je_malloc(sizeof(*st));
	if (!st) {
		thread_unprepare(slot);
		return EAGAIN;
	}
	*st = (struct entry_start){fn, arg, slot};
	ret = next_pthread_create(t, attr, entry_thread_main, st);
	if (ret == EAGAIN)
		ret = entry_create_again(t, attr, st);
	if (ret) {
		je_free(st);
		thread_unprepare(slot);
	} else {
		helper_start();
	}
	return ret;
}

EXPORT int pthread_setname_np(pthread_t t, const char *name)
{
	typedef int fn(pthread_t, const char *);
	int ret = NEXT(fn, "pthread_setname_np")(t, name);

	if (ret == 0)
		thread_changed_handle(t, name);
	return ret;
}

EXPORT int pthread_setschedparam(pthread_t t, int policy, const struct sched_param *param)
{
	typedef int fn(pthread_t, int, const struct sched_param *);
	int ret = NEXT(fn, "pthread_setschedparam")(t, policy, param);

	if (ret == 0)
		thread_changed_handle(t, NULL);
	return ret;
}

EXPORT int pthread_setschedprio(pthread_t t, int priority)
{
	typedef int fn(pthread_t, int);
	int ret = NEXT(fn, "pthread_setschedprio")(t, priority);

	if (ret == 0)
		thread_changed_handle(t, NULL);
	return ret;
}

EXPORT int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	long ret = sys_call3(SYS_sched_setscheduler, pid, policy, (long)param);

	if (ret >= 0)
		thread_changed(pid);
	return entry_result(ret);
}

EXPORT int sched_setparam(pid_t pid, const struct sched_param *param)
{
	long ret = sys_call3(SYS_sched_setparam, pid, (long)param, 0);

	if (ret >= 0)
		thread_changed(pid);
	return entry_result(ret);
}

EXPORT int prctl(int option, ...)
{
	unsigned long a[4];
	va_list ap;
	bool mine;
	long ret;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	/* before, not after: a filter may end a process that asks */
	mine = option != PR_SET_SECCOMP || proc_mine();
	ret = sys_call6(
		SYS_prctl, option, (long)a[0], (long)a[1], (long)a[2], (long)a[3], 0);
	if (option == PR_SET_NAME && ret == 0)
		thread_changed(0);
	if (option == PR_SET_SECCOMP && ret == 0 && mine)
		sys_restrict(false);
	return entry_result(ret);
}

/*
 * Behind entry_syscall.S, which makes the call itself and comes here only after the
 * numbers that change a thread's name, class or filter succeeded. Keeps errno and the
 * result. a, b: the call's first arguments.
 */
__attribute__((visibility("hidden"))) void entry_syscall_changed(long nr, long a, long b)
{
	if (nr != SYS_prctl) {
		thread_changed((pid_t)a);
	} else if (a == PR_SET_NAME) {
		thread_changed(0);
	} else if (a == PR_SET_SECCOMP) {
		sys_restrict(false);
	}
}

/* syscall(SYS_seccomp, …): jumped to by entry_syscall.S. */
__attribute__((visibility("hidden"))) long entry_seccomp(
	unsigned op, unsigned flags, void *arg)
{
	bool filter = op == SECCOMP_SET_MODE_FILTER;
	bool mine = proc_mine(); /* as in prctl() */
	bool every_thread = mine && filter && flags & SECCOMP_FILTER_FLAG_TSYNC;
	long ret;

	if (every_thread)
		sys_hold_optional();
	ret = sys_call3(SYS_seccomp, op, flags, (long)arg);
	if (ret >= 0 && mine && (filter || op == SECCOMP_SET_MODE_STRICT))
		sys_restrict(every_thread);
	if (every_thread)
		sys_go_on();
	return entry_result(ret);
}
