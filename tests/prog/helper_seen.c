/* SPDX-License-Identifier: MIT */
/*
 * helper_seen.c - prints, of the thread that the library has beside this program, how
 * many processors it may use, its class, priority and nice, and which signals libc sends
 * itself it blocks; "none" when there is no such thread
 *
 * Arguments, done in this order before that:
 *	bind	the program's thread binds itself to one processor
 *	nice	it becomes nicer
 *	fifo	it becomes realtime
 *	thread	it makes a second thread
 *	outside	another process makes that thread realtime; its pool, of 500 MiB and more,
 *		is there before the program goes on
 * Afterwards setuid() is to reach every thread, and to end.
 */
#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "victim.h"

static int helper(void)
{
	DIR *dir = opendir("/proc/self/task");
	char path[64], name[32];
	struct dirent *e;
	int tid = 0;

	while ((e = readdir(dir))) {
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", e->d_name);
		f = fopen(path, "r");
		if (f && fgets(name, sizeof(name), f) && !strcmp(name, "rtmem-helper\n"))
			tid = atoi(e->d_name);
		if (f)
			fclose(f);
	}
	closedir(dir);
	return tid;
}

static void bind_to_one(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

static unsigned long long blocked(int tid)
{
	unsigned long long mask = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "SigBlk: %llx", &mask);
	if (f)
		fclose(f);
	return mask;
}

/* Not only for an instant, as around a system call that nobody may interrupt. */
static unsigned long long blocked_always(int tid)
{
	unsigned long long mask = ~0ULL;

	for (int i = 0; i < 200 && mask >> 31 & 3; i++) {
		mask &= blocked(tid);
		usleep(2000);
	}
	return mask >> 31 & 3;
}

static void say(void)
{
	int tid = 0, sched;
	struct sched_param param;
	cpu_set_t set;

	for (int i = 0; i < 500 && !(tid = helper()); i++)
		usleep(10000);
	usleep(50000); /* it may have its name before its class */
	if (!tid) {
		puts("none");
		return;
	}
	sched_getaffinity(tid, sizeof(set), &set);
	sched = (int)syscall(SYS_sched_getscheduler, tid);
	sched_getparam(tid, &param);
	printf("%d processors, class %d priority %d nice %d, of libc's signals %llx\n",
		CPU_COUNT(&set), sched, param.sched_priority,
		getpriority(PRIO_PROCESS, (id_t)tid), blocked_always(tid));
}

static int second_tid;

static void *second(void *arg)
{
	free(malloc(1));
	__atomic_store_n(&second_tid, gettid(), __ATOMIC_RELEASE);
	pause();
	return arg;
}

static long resident_mib(void)
{
	long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages >> 8;
}

static void from_outside(void)
{
	struct sched_param ten = {.sched_priority = 10};
	int tid;

	while (!(tid = __atomic_load_n(&second_tid, __ATOMIC_ACQUIRE)))
		usleep(1000);
	if (fork() == 0)
		_exit(sched_setscheduler(tid, SCHED_FIFO, &ten));
	for (int i = 0; i < 3000 && resident_mib() < 500; i++)
		usleep(10000);
	CHECK(resident_mib() >= 500);
}

int main(int argc, char **argv)
{
	struct sched_param fifty = {.sched_priority = 50};
	pthread_t t;

	free(malloc(1));
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "bind"))
			bind_to_one();
		else if (!strcmp(argv[i], "nice"))
			setpriority(PRIO_PROCESS, 0, 5);
		else if (!strcmp(argv[i], "fifo"))
			CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &fifty), 0);
		else if (!strcmp(argv[i], "thread"))
			CHECK_EQ(pthread_create(&t, NULL, second, NULL), 0);
		else if (!strcmp(argv[i], "outside"))
			from_outside();
	}
	say();
	fflush(stdout);
	alarm(20);
	CHECK_EQ(setuid(getuid()), 0);
	return FAILED;
}
