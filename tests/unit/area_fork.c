/* SPDX-License-Identifier: MIT */
/*
 * area_fork.c - a thread that writes to an area 1,000 times a second while the program
 * forks 50 times: its page faults, and what children and parent see
 *
 *	area_fork          all ways, each in a process of its own
 *	area_fork WAY      Pin, snapshot, partial or cow. Prints
 *	                   "WAY: F faults, fork N us".
 *
 * The thread's stack lies in a protected area of its own in all ways, so that every fault
 * it takes is one in the area at hand.
 */
#include "memory/area.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "os/sys.h"

#define SIZE  (8UL << 20)
#define FORKS 50
#define STACK (256UL << 10)

static struct area area;
static int failures;

#define CHECK(cond) check((cond), #cond, __LINE__)
static void check(bool ok, const char *what, int line)
{
	if (!ok) {
		printf("area_fork.c:%d: %s\n", line, what);
		failures++;
	}
}

struct writer {
	pthread_t thread;
	int ready, stop; /* ready: by the writer; stop: by main */
	int rounds;	 /* by the writer */
	long faults;
};

/* Writes one byte of every page, 1,000 times a second; nothing else of it can fault. */
static void *write_often(void *arg)
{
	const struct timespec period = {0, 1000000};
	struct writer *w = arg;
	struct rusage before, after;

	memset(&after, 0, sizeof after);
	unsigned char *base = area.base; /* globals share a page with what main writes */

	sys_call3(SYS_nanosleep, (long)&period, 0, 0);
	getrusage(RUSAGE_THREAD, &before);
	/* release and acquire: pair with main's */
	__atomic_store_n(&w->ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		for (size_t at = 0; at < SIZE; at += AREA_PAGE)
			base[at]++;
		/* release: pairs with await_rounds() */
		__atomic_store_n(&w->rounds, w->rounds + 1, __ATOMIC_RELEASE);
		sys_call3(SYS_nanosleep, (long)&period, 0, 0);
	}
	getrusage(RUSAGE_THREAD, &after);
	w->faults = after.ru_minflt - before.ru_minflt;
	return NULL;
}

static struct writer *start_writer(void)
{
	static struct area stack;
	struct writer *w;
	pthread_attr_t attr;

	CHECK(area_reserve(&stack, NULL, STACK + AREA_PAGE, AREA_LOCK | AREA_PIN) == 0);
	CHECK(area_commit(&stack, STACK + AREA_PAGE) == 0);
	w = (struct writer *)(stack.base + STACK);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack.base, STACK);
	pthread_create(&w->thread, &attr, write_often, w);
	while (!__atomic_load_n(&w->ready, __ATOMIC_ACQUIRE))
		sched_yield();
	return w;
}

/* One that has begun by now is not enough: the next is whole. */
static void await_rounds(const struct writer *w)
{
	int now = __atomic_load_n(&w->rounds, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&w->rounds, __ATOMIC_ACQUIRE) < now + 2)
		usleep(1000);
}

static unsigned char pattern(size_t at, int round)
{
	return (unsigned char)(at >> 12) ^ (unsigned char)round;
}

static void fill(int round)
{
	for (size_t at = 8; at < SIZE; at += AREA_PAGE)
		area.base[at] = pattern(at, round);
}

static bool intact(int round)
{
	for (size_t at = 8; at < SIZE; at += AREA_PAGE)
		if (area.base[at] != pattern(at, round))
			return false;
	return true;
}

static int child(int round)
{
	if (!intact(round))
		return 1;
	if (area.locked != 0 || area.pinned != 0)
		return 2;
	for (size_t at = 0; at < SIZE; at += 8)
		area.base[at] = 0xee;
	return area.base[SIZE] == 1 ? 0 : 3;
}

/*
 * A stream that was opened by a realtime thread lies in a pool, and libc follows it in
 * the child before any handler runs: one behind SIZE, linked into libc's list.
 */
static FILE *volatile real;

static void plant_stream(void)
{
	FILE *planted = (FILE *)(area.base + SIZE + 512);
	void *lock = area.base + SIZE + 1024;

	real = fopen("/dev/null", "r");
	memcpy(planted, real, sizeof *real);
	planted->_lock = lock;
	real->_chain = planted;
}

static void pull_stream(void)
{
	real->_chain = real->_chain->_chain;
	fclose(real);
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fork_often(const char *way)
{
	struct writer *w = start_writer();
	long took = 0, start;
	int status;
	pid_t pid;

	for (int round = 0; round < FORKS; round++) {
		fill(round);
		start = now_us();
		pid = fork();
		if (pid == 0)
			_exit(child(round));
		took += now_us() - start;
		await_rounds(w);
		waitpid(pid, &status, 0);
		CHECK(status == 0);
		CHECK(intact(round));
	}
	__atomic_store_n(&w->stop, 1, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
	printf("%s: %ld faults, fork %ld us\n", way, w->faults, took / FORKS);
	if (strcmp(way, "cow") == 0)
		CHECK(w->faults > FORKS * 100);
	else
		CHECK(w->faults == 0);
}

static void *fork_once(void *unused)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(intact(1) ? 0 : 1);
	waitpid(pid, &status, 0);
	CHECK(status == 0);
	return unused;
}

/* Who forks runs on a stack inside an area: it must find its own frames. */
static void fork_from_within(void)
{
	struct area stack;
	pthread_attr_t attr;
	pthread_t t;

	fill(1);
	CHECK(area_reserve(&stack, NULL, STACK, AREA_LOCK | AREA_PIN) == 0);
	CHECK(area_commit(&stack, STACK) == 0);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack.base, STACK);
	pthread_create(&t, &attr, fork_once, NULL);
	pthread_join(t, NULL);
	area_release(&stack);
}

/* As in a container: io_uring_setup fails with EPERM. */
static void forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static size_t pinned_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "VmPin:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static int one_way(const char *way)
{
	bool pins = machine_pins(); /* without, all but "cow" is a snapshot */
	bool pin = strcmp(way, "pin") == 0, partial = strcmp(way, "partial") == 0;
	uid_t user = machine_user();
	unsigned flags = strcmp(way, "cow") == 0 ? AREA_LOCK : AREA_LOCK | AREA_PIN;

	pthread_atfork(area_fork_prepare, area_fork_parent, area_fork_child);
	if (strcmp(way, "snapshot") == 0)
		forbid_io_uring();
	if (partial) {
		CHECK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){SIZE / 2, SIZE / 2}) ==
			0);
		if (geteuid() == 0)
			CHECK(setresuid(user, user, user) == 0);
	}
	CHECK(area_reserve(&area, NULL, SIZE + AREA_PAGE, flags) == 0);
	CHECK(area_commit(&area, SIZE + AREA_PAGE) == 0);
	CHECK(area.committed == SIZE + AREA_PAGE);
	CHECK(area.pinned == pinned_kib() << 10);
	CHECK(pin && pins ? area.pinned == area.committed : area.pinned < SIZE);
	CHECK(!partial || !pins || area.pinned > 0);
	area.base[SIZE] = 1;
	plant_stream();
	fork_often(way);
	fork_from_within();
	pull_stream();
	area_release(&area);
	return failures != 0;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = {"pin", "snapshot", "partial", "cow"};
	int status, bad = 0;

	if (argc > 1)
		return one_way(argv[1]);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		fflush(stdout);
		if (fork() == 0)
			exit(one_way(ways[i]));
		wait(&status);
		bad |= status;
	}
	return bad != 0;
}
