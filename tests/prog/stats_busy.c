/* SPDX-License-Identifier: MIT */
/*
 * stats_busy.c - a thread "rt" that does nothing but allocate and free, for argv[1]
 * seconds, on the processor that the main thread is busy on, too, and that sends it
 * signals meanwhile
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static volatile sig_atomic_t over;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *busy(void *arg)
{
	pthread_setname_np(pthread_self(), "rt");
	while (!over) {
		void *volatile p = malloc(100);

		free(p);
	}
	return arg;
}

static void nothing(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	double next, end = now() + (argc > 1 ? atof(argv[1]) : 1);
	cpu_set_t one;
	pthread_t t;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	signal(SIGUSR1, nothing);
	pthread_create(&t, NULL, busy, NULL);
	for (next = 0; now() < end;) {
		if (now() < next)
			continue;
		pthread_kill(t, SIGUSR1);
		next = now() + 0.002;
	}
	over = 1;
	pthread_join(t, NULL);
	return 0;
}
