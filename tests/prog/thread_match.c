/* SPDX-License-Identifier: MIT */
/*
 * thread_match.c WAY - a thread becomes realtime (or gets the name "rt-one") in one of
 * the ways there are, and ordinary again. Its blocks must come from a pool from the very
 * next allocation on, or within 60 naps of 5 ms where no call of this process is
 * involved.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

struct way {
	const char *name;
	void (*up)(void);
	void (*down)(void);
	bool by_other; /* the main thread does it */
	bool later;    /* nobody can see it at once */
};

static pthread_t target;
static pid_t target_tid;

struct attr_of_kernel {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int raw(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return (int)ret;
}

static void set_class(int policy, int priority)
{
	struct sched_param p = {priority};

	CHECK_EQ(pthread_setschedparam(target, policy, &p), 0);
}

static void fifo(void)
{
	set_class(SCHED_FIFO, 10);
}

static void rr(void)
{
	set_class(SCHED_RR, 10);
}

static void other(void)
{
	set_class(SCHED_OTHER, 0);
}

static void prio_60(void)
{
	CHECK_EQ(pthread_setschedprio(target, 60), 0);
}

static void prio_10(void)
{
	CHECK_EQ(pthread_setschedprio(target, 10), 0);
}

static void setparam_60(void)
{
	struct sched_param p = {60};

	CHECK_EQ(sched_setparam(target_tid, &p), 0);
}

static void scheduler(int policy, int priority)
{
	struct sched_param p = {priority};

	CHECK_EQ(sched_setscheduler(target_tid, policy, &p), 0);
}

static void scheduler_fifo(void)
{
	scheduler(SCHED_FIFO, 10);
}

static void scheduler_other(void)
{
	scheduler(SCHED_OTHER, 0);
}

static void scheduler_reset(void)
{
	scheduler(SCHED_RR | SCHED_RESET_ON_FORK, 10);
}

static void syscall_fifo(void)
{
	struct sched_param p = {10};

	CHECK_EQ(syscall(SYS_sched_setscheduler, target_tid, SCHED_FIFO, &p), 0);
}

static void syscall_other(void)
{
	struct sched_param p = {0};

	CHECK_EQ(syscall(SYS_sched_setscheduler, target_tid, SCHED_OTHER, &p), 0);
}

static void set_attr(uint32_t policy, uint32_t priority)
{
	struct attr_of_kernel a = {
		.size = sizeof(a), .policy = policy, .priority = priority};

	if (policy == SCHED_DEADLINE) {
		a.runtime = 5000000;
		a.deadline = a.period = 100000000;
	}
	CHECK_EQ(syscall(SYS_sched_setattr, target_tid, &a, 0), 0);
}

static void attr_rr(void)
{
	set_attr(SCHED_RR, 5);
}

static void attr_deadline(void)
{
	set_attr(SCHED_DEADLINE, 0);
}

static void attr_other(void)
{
	set_attr(SCHED_OTHER, 0);
}

static void asm_fifo(void)
{
	struct sched_param p = {10};

	CHECK_EQ(raw(SYS_sched_setscheduler, target_tid, SCHED_FIFO, (long)&p), 0);
}

static void asm_other(void)
{
	struct sched_param p = {0};

	CHECK_EQ(raw(SYS_sched_setscheduler, target_tid, SCHED_OTHER, (long)&p), 0);
}

/* Another process, as rtkit-daemon is one. */
static void command(const char *format)
{
	char text[128];

	snprintf(text, sizeof(text), format, (int)target_tid);
	CHECK_EQ(system(text), 0);
}

static void chrt_rr(void)
{
	command("chrt -R -r -p 20 %d");
}

static void chrt_other(void)
{
	command("chrt -o -p 0 %d");
}

static void name(const char *text)
{
	CHECK_EQ(pthread_setname_np(target, text), 0);
}

static void name_rt(void)
{
	name("rt-one");
}

static void name_plain(void)
{
	name("plain");
}

static void prctl_rt(void)
{
	CHECK_EQ(prctl(PR_SET_NAME, "rt-one"), 0);
}

static void prctl_plain(void)
{
	CHECK_EQ(prctl(PR_SET_NAME, "plain"), 0);
}

static void syscall_rt(void)
{
	CHECK_EQ(syscall(SYS_prctl, PR_SET_NAME, "rt-one", 0, 0, 0), 0);
}

/* Through /proc: threads of the same process may write it. */
static void comm(const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)target_tid);
	fd = open(path, O_WRONLY);
	CHECK_EQ(write(fd, text, strlen(text)), (long)strlen(text));
	close(fd);
}

static void comm_rt(void)
{
	comm("rt-one");
}

static void comm_plain(void)
{
	comm("plain");
}

static const struct way ways[] = {
	{"setschedparam-self", fifo, other, false, false},
	{"setschedparam-rr-self", rr, other, false, false},
	{"setschedparam-other", fifo, other, true, false},
	{"sched_setscheduler-self", scheduler_fifo, scheduler_other, false, false},
	{"sched_setscheduler-other", scheduler_fifo, scheduler_other, true, false},
	{"reset-on-fork", scheduler_reset, scheduler_other, false, false},
	{"syscall-self", syscall_fifo, syscall_other, false, false},
	{"syscall-other", syscall_fifo, syscall_other, true, false},
	{"sched_setattr-self", attr_rr, attr_other, false, false},
	{"sched_setattr-other", attr_rr, attr_other, true, false},
	{"deadline", attr_deadline, attr_other, false, false},
	{"setschedprio", prio_60, prio_10, false, false},
	{"sched_setparam", setparam_60, prio_10, true, false},
	{"asm-self", asm_fifo, asm_other, false, true},
	{"asm-other", asm_fifo, asm_other, true, true},
	{"chrt", chrt_rr, chrt_other, true, true},
	{"setname-self", name_rt, name_plain, false, false},
	{"setname-parent", name_rt, name_plain, true, false},
	{"prctl", prctl_rt, prctl_plain, false, false},
	{"syscall-prctl", syscall_rt, prctl_plain, false, false},
	{"comm", comm_rt, comm_plain, true, true},
};

static const struct way *way;
static pthread_barrier_t step;

static void expect(const char *what, const char *when)
{
	for (int nap = 0; way->later && nap < 60 && strcmp(where(), what); nap++)
		usleep(5000);
	if (strcmp(where(), what)) {
		dprintf(2, "%s: blocks come from %s, not from %s\n", when, where(), what);
		CHECK(!"as expected");
	}
}

/* One of the two threads does it; the target goes on when it is done. */
static void change(void (*fn)(void))
{
	pthread_barrier_wait(&step);
	if (!way->by_other)
		fn();
	pthread_barrier_wait(&step);
}

static void *body(void *arg)
{
	char *before = malloc(1000), *during;

	target = pthread_self();
	target_tid = gettid();
	pthread_barrier_wait(&step);
	pthread_barrier_wait(&step);
	for (int round = 0; round < 3; round++) {
		expect("base", "before");
		change(way->up);
		expect("pool", "promoted");
		during = malloc(300);
		CHECK(in_pool(during));
		/* a block from before promotion */
		fill(before, 1000, 1);
		before = realloc(before, 2000);
		CHECK(filled(before, 1000, 1));
		free(before);
		change(way->down);
		expect("base", "demoted");
		/* a block from the pool, freed by an ordinary thread */
		during = realloc(during, 5000);
		free(during);
		before = malloc(1000);
	}
	free(before);
	return arg;
}

int main(int argc, char **argv)
{
	struct sched_param p = {10};
	pthread_t t;

	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++) {
		if (!strcmp(ways[i].name, argv[1]))
			way = &ways[i];
	}
	if (!way)
		return 2;
	pthread_barrier_init(&step, NULL, 2);
	CHECK_EQ(pthread_create(&t, NULL, body, NULL), 0);
	pthread_barrier_wait(&step);
	if (way->up == prio_60 || way->up == setparam_60)
		CHECK_EQ(pthread_setschedparam(t, SCHED_FIFO, &p), 0);
	pthread_barrier_wait(&step);
	for (int i = 0; i < 6; i++) {
		pthread_barrier_wait(&step);
		if (way->by_other)
			(i % 2 ? way->down : way->up)();
		pthread_barrier_wait(&step);
	}
	pthread_join(t, NULL);
	return FAILED;
}
