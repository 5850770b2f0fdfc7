/* SPDX-License-Identifier: MIT */
/*
 * thread_facts.c - asking the kernel who a thread is
 *
 * One or two system calls each; never on the realtime path.
 */
#include "thread_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "os/log.h"
#include "os/sys.h"

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

extern void *__libc_stack_end;

/*
 * False when there is no such thread any more. A sandbox lets a thread ask about itself,
 * by the number 0, and may end the program for a question about another: under a filter
 * that one stays what it was.
 */
bool thread_read_sched(struct slot *s)
{
	pid_t tid = s->tid == lock_tid() ? 0 : (pid_t)s->tid;
	struct sched_param param = {0};
	long sched;

	if (tid && sys_restricted())
		return true;
	sched = sys_sched_getscheduler(tid);
	if (sched < 0)
		return sched != -ESRCH;
	s->sched = (int)sched & ~SCHED_RESET_ON_FORK;
	s->priority = 0;
	if ((s->sched == SCHED_FIFO || s->sched == SCHED_RR) &&
		sys_sched_getparam(tid, &param) == 0)
		s->priority = param.sched_priority;
	return true;
}

void thread_read_own_name(struct slot *s)
{
	sys_prctl(PR_GET_NAME, (unsigned long)s->name);
}

/* From /proc, by the helper only: it has a descriptor table of its own. */
void thread_read_name(struct slot *s)
{
	char path[64], name[16];
	long fd, n;

	if (sys_restricted())
		return;
	log_format(path, sizeof(path), "/proc/self/task/%u/comm", s->tid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	n = sys_read((int)fd, name, sizeof(name));
	sys_close((int)fd);
	if (n <= 0)
		return;
	if (name[n - 1] == '\n')
		n--;
	memcpy(s->name, name, (size_t)n);
	s->name[n < 16 ? n : 15] = '\0';
}

/* Where the stack of a thread not made through us ends: call-site walks stay below it. */
void thread_read_stack(struct slot *s)
{
	pthread_attr_t attr;
	size_t size;
	void *lo;

	if ((pid_t)s->tid == sys_getpid()) {
		s->stack_hi = (uintptr_t)__libc_stack_end;
	} else if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstack(&attr, &lo, &size);
		pthread_attr_destroy(&attr);
		s->stack_hi = (uintptr_t)lo + size;
	}
}
