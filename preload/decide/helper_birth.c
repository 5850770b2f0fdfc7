/* SPDX-License-Identifier: MIT */
/*
 * helper_birth.c - see helper_birth.h
 *
 * The maker sets everything before the thread runs. A thread on the maker's processors,
 * or beside busy threads of the maker's class, might never get to run.
 *
 * Never on the realtime path. Bound: as many tries to make one thread as there are ways.
 */
#include "helper_birth.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "os/libc.h"
#include "os/sys.h"
#include "rule.h"

#define HELPER_STACK (256UL << 10)
#define HELPER_CPUS  8192

/* A realtime thread that does not sleep for this long is ended (RLIMIT_RTTIME), and its
 * process with it: with less, the helper is an ordinary thread. Microseconds. */
#define HELPER_RTTIME 50000UL

/* libc's own two, by which setuid() and kin reach every thread; one waits for them. */
#define HELPER_LIBC_SIGNALS (3ULL << 31)

static struct {
	unsigned char cpus[HELPER_CPUS / 8];
	size_t size; /* of what the kernel said of processors; 0: nothing */
	int nice;
} birth;

void helper_birth_note(void)
{
	/* the main thread's, on any calling thread */
	pid_t pid;
	long n;

	birth.size = 0;
	if (sys_restricted())
		return;
	pid = sys_getpid();
	n = sys_call3(SYS_sched_getaffinity, pid, sizeof(birth.cpus), (long)birth.cpus);
	if (n > 0)
		birth.size = (size_t)n;
	/* the kernel says 20 - nice */
	n = sys_call3(SYS_getpriority, PRIO_PROCESS, pid, 0);
	birth.nice = n > 0 ? 20 - (int)n : 0;
}

/*
 * Processors that the new thread may start on: where its maker is realtime, not the one
 * that the maker runs on. A thread that is there stays there until it has run once, even
 * if it may run elsewhere; the maker may never sleep. False: there is no other.
 */
static bool birth_start(unsigned char *cpus)
{
	unsigned char any = 0;
	unsigned here = 0;

	memcpy(cpus, birth.cpus, birth.size);
	if (!rule_is_realtime_class(sys_sched_getscheduler(0) & ~SCHED_RESET_ON_FORK))
		return true;
	sys_call3(SYS_getcpu, (long)&here, 0, 0);
	if (here < birth.size * 8)
		cpus[here / 8] &= (unsigned char)~(1U << here % 8);
	for (size_t i = 0; i < birth.size; i++)
		any |= cpus[i];
	return any != 0;
}

/* ---- its class ---- */

/* May a thread of this process be realtime, and sleep as seldom as the helper does? */
static bool birth_may_be_realtime(void)
{
	struct __user_cap_header_struct who = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct cap[_LINUX_CAPABILITY_U32S_3] = {{0}};
	struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY}, priority = {0, 0};

	sys_call4(SYS_prlimit64, 0, RLIMIT_RTTIME, 0, (long)&most);
	if (most.rlim_cur < HELPER_RTTIME)
		return false;
	sys_call4(SYS_prlimit64, 0, RLIMIT_RTPRIO, 0, (long)&priority);
	if (priority.rlim_cur > 0)
		return true;
	sys_call3(SYS_capget, (long)&who, (long)cap, 0);
	return cap[0].effective & 1U << CAP_SYS_NICE;
}

static void birth_set_class(int sched, int priority)
{
	struct sched_param param = {.sched_priority = priority};

	sys_call3(SYS_sched_setscheduler, 0, sched, (long)&param);
}

void helper_birth_self(void)
{
	int sched = sys_sched_getscheduler(0);

	if (birth.size && !sys_restricted())
		sys_call3(SYS_sched_setaffinity, 0, (long)birth.size, (long)birth.cpus);
	/* it could not be told at birth: every class but the ordinary ones is realtime */
	if (sched != SCHED_FIFO && rule_is_realtime_class(sched))
		birth_set_class(SCHED_OTHER, 0);
	else if (sched == SCHED_FIFO)
		birth_set_class(SCHED_FIFO, 1);
	/* refused where its maker is nicer than the process was: then so is it */
	else if (!sys_restricted())
		sys_call3(SYS_setpriority, PRIO_PROCESS, 0, birth.nice);
}

/* ---- the thread ---- */

enum { WITH_CPUS = 1, WITH_CLASS = 2, WITH_REALTIME = 4 };

/* In this order, until one is not refused. */
static const unsigned char birth_ways[] = {
	WITH_CPUS | WITH_CLASS | WITH_REALTIME,
	WITH_CPUS | WITH_CLASS,
	WITH_CLASS,
	WITH_CPUS,
	0,
};

static int birth_try(pthread_t *t, void *(*main)(void *), int with)
{
	const struct sched_param param = {.sched_priority = with & WITH_REALTIME ? 1 : 0};
	unsigned char cpus[sizeof(birth.cpus)];
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, HELPER_STACK);
	if (with & WITH_CLASS) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(
			&attr, with & WITH_REALTIME ? SCHED_FIFO : SCHED_OTHER);
		pthread_attr_setschedparam(&attr, &param);
	}
	if (with & WITH_CPUS && birth.size && birth_start(cpus))
		pthread_attr_setaffinity_np(
			&attr, birth.size, (const cpu_set_t *)(const void *)cpus);
	/* libc's own: a preloaded library's function would run its code on the helper */
	ret = LIBC(pthread_create)(t, &attr, main, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

int helper_birth(pthread_t *t, void *(*main)(void *))
{
	uint64_t mask = ~HELPER_LIBC_SIGNALS, old;
	size_t way = 0, last = sizeof(birth_ways) - 1;
	int ret;

	/* libc sets all these by calls about another thread, which a filter may not like:
	 * one that another thread puts up waits until they are made */
	sys_begin_optional();
	if (sys_restricted())
		way = last;
	else if (!birth_may_be_realtime())
		way = 1;
	sys_sigprocmask(SIG_SETMASK, &mask, &old);
	while ((ret = birth_try(t, main, birth_ways[way])) != 0 && way < last)
		way++;
	sys_sigprocmask(SIG_SETMASK, &old, NULL);
	sys_end_optional();
	return ret;
}
