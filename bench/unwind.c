/* SPDX-License-Identifier: MIT */
/*
 * unwind.c - what taking a stack does to the thread that it is taken of
 *
 *	unwind ours|libunwind|glibc
 *
 * Prints one line: page faults of a thread's first stack, and its time; the time of a
 * later one; and of a first one while another thread is in a callback of
 * dl_iterate_phdr(3) for 50 ms, as dlopen, exceptions and profilers are. Eight frames.
 * libunwind is opened with RTLD_LOCAL, as a library inside of other people's programs
 * would have to.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "decide/route.h"

enum { DEPTH = 8, HOLD_US = 50000, LATER = 1000 };

#define NOINLINE __attribute__((noinline, noclone))

static int (*unwind)(void **, int);
static const char *mode;
static volatile bool held;

struct figures {
	long faults;
	double first, later; /* ns */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt;
}

NOINLINE static int take(void)
{
	uintptr_t stack[DEPTH];
	ROUTE_FRAME(f);

	if (!strcmp(mode, "ours"))
		return (int)site_stack(&f, stack, DEPTH);
	if (!strcmp(mode, "libunwind"))
		return unwind((void **)stack, DEPTH);
	return backtrace((void **)stack, DEPTH);
}

NOINLINE static int down(int frames)
{
	int n = frames > 0 ? down(frames - 1) : take();

	__asm__ volatile("" ::: "memory"); /* no tail call */
	return n;
}

static void *measure(void *arg)
{
	struct figures *g = arg;
	double start;
	long before;

	site_thread_here();
	(void)faults();
	before = faults();
	start = now();
	down(DEPTH);
	g->first = now() - start;
	g->faults = faults() - before;
	start = now();
	for (int i = 0; i < LATER; i++)
		down(DEPTH);
	g->later = (now() - start) / LATER;
	return NULL;
}

static int hold(struct dl_phdr_info *info, size_t size, void *arg)
{
	held = true;
	usleep(HOLD_US);
	return 1;
}

static void *holder(void *arg)
{
	dl_iterate_phdr(hold, NULL);
	return arg;
}

static struct figures in_a_thread(void)
{
	struct figures g = {0};
	pthread_t t;

	pthread_create(&t, NULL, measure, &g);
	pthread_join(t, NULL);
	return g;
}

int main(int argc, char **argv)
{
	static const struct match_process none;
	struct figures beside, alone;
	void *lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	pthread_t t;

	mode = argc > 1 ? argv[1] : "ours";
	unwind = lib ? (int (*)(void **, int))dlsym(lib, "unw_backtrace") : NULL;
	if (!unwind)
		return 1;
	site_walk_everything();
	site_init(&none);
	pthread_create(&t, NULL, holder, NULL);
	while (!held)
		usleep(100);
	beside = in_a_thread();
	pthread_join(t, NULL);
	alone = in_a_thread();
	printf("%-10s %8ld %12.1f %12.2f %12.2f\n", mode, alone.faults, alone.first / 1e3,
		alone.later / 1e3, beside.first / 1e6);
	return 0;
}
