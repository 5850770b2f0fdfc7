/* SPDX-License-Identifier: MIT */
/*
 * stats_victim.c - a thread "rt" (SCHED_FIFO where that is allowed) that allocates and
 * frees at a steady pace for argv[1] seconds; a second one, "brief", that ends after 500
 * calls. argv[2] KiB stay allocated, 4 KiB at a time; with argv[3] as many more each
 * millisecond.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds;
static long keep, more;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void promote(const char *name)
{
	struct sched_param param = {.sched_priority = 20};

	pthread_setname_np(pthread_self(), name);
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

static void *brief(void *arg)
{
	void *before = arg;

	promote("brief");
	for (int i = 0; i < 500; i++) {
		free(malloc(100));
		if (i % 10 == 0)
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	free(before);
	return NULL;
}

static void *steady(void *arg)
{
	double end = now() + seconds;

	(void)arg;
	promote("rt");
	for (long i = 0; i < keep; i++)
		memset(malloc(4096), 1, 4096);
	while (now() < end) {
		for (int i = 0; i < 10; i++) {
			void *p = malloc(64);
			void *q = calloc(1, 2000);

			free(realloc(p, 200));
			free(q);
		}
		free(malloc(40000));
		for (long i = 0; i < more; i++)
			memset(malloc(4096), 1, 4096);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t a, b;

	seconds = argc > 1 ? atof(argv[1]) : 5;
	keep = argc > 2 ? atol(argv[2]) / 4 : 0;
	more = argc > 3 ? atol(argv[3]) / 4 : 0;
	pthread_create(&a, NULL, steady, NULL);
	pthread_create(&b, NULL, brief, malloc(1000));
	pthread_join(b, NULL);
	pthread_join(a, NULL);
	puts("done");
	return 0;
}
