// SPDX-License-Identifier: MIT
/*
 * site_pair.c - malloc and free eight frames down, for call-site rules and their peers
 *
 *	site_pair MODE COUNT [ROUNDS]
 *	  pair       malloc(64) and free
 *	  walked     the same, its stack taken by libunwind's unw_backtrace() before
 *	  backtrace  the same by glibc's backtrace()
 *
 * libunwind is opened, not linked: it has a backtrace() of its own. The pairs are made in
 * the main thread, which calls itself "asker", COUNT of them below one stack. With
 * ROUNDS, the shortest of so many rounds is printed, nanoseconds a pair. Built twice:
 * without frame pointers, as Debian compiles, and with them (site_pair_fp);
 * bench/site.sh chooses the policy.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER()	 __asm__ volatile("" ::: "memory")

enum { DEPTH = 8 };

static void *stack[DEPTH];
static int (*unwind)(void **, int);

NOINLINE static void pair(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		void *p = malloc(64);

		AFTER();
		free(p);
	}
}

NOINLINE static void walked(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		void *p;

		unwind(stack, DEPTH);
		p = malloc(64);
		AFTER();
		free(p);
	}
}

NOINLINE static void traced(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		void *p;

		backtrace(stack, DEPTH);
		p = malloc(64);
		AFTER();
		free(p);
	}
}

static void (*work)(unsigned long);

#define FRAME(name, next)                          \
	NOINLINE static void name(unsigned long n) \
	{                                          \
		next(n);                           \
		AFTER();                           \
	}
FRAME(frame2, work)
FRAME(frame3, frame2)
FRAME(frame4, frame3)
FRAME(frame5, frame4)
FRAME(frame6, frame5)
FRAME(frame7, frame6)
FRAME(frame8, frame7)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned long count, rounds;

static void measure(void)
{
	double best = 1e18;

	frame8(1);
	for (unsigned long i = 0; i <= rounds; i++) {
		double t = now();

		frame8(count);
		t = now() - t;
		best = t < best ? t : best;
	}
	if (rounds)
		printf("%.2f\n", best / (double)count);
}

int main(int argc, char **argv)
{
	void *lib;

	if (argc < 3)
		return 2;
	work = !strcmp(argv[1], "walked")      ? walked
	       : !strcmp(argv[1], "backtrace") ? traced
					       : pair;
	if (work == walked) {
		lib = dlopen("libunwind.so.8", RTLD_NOW);
		unwind = lib ? (int (*)(void **, int))dlsym(lib, "unw_backtrace") : NULL;
		if (!unwind)
			return 1;
	}
	count = strtoul(argv[2], NULL, 10);
	rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	pthread_setname_np(pthread_self(), "asker");
	measure();
	return 0;
}
