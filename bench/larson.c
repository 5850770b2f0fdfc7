/* SPDX-License-Identifier: MIT */
/*
 * larson.c - a server's day (after Larson and Krishnan): blocks outlive who made them
 *
 *   larson [SECONDS] [THREADS]
 *
 * Each thread replaces random blocks of 16..512 bytes in its set of 4096; now and then a
 * thread hands its set to a new one. Prints millions of operations a second.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"

#define SET	   4096
#define GENERATION 200000 /* operations until a thread hands over */
#define THREADS	   16

static void *set[THREADS][SET];
static uint64_t operations;
static bool done;

static void *worker(void *arg)
{
	void **mine = arg;
	struct rng r = {(uint64_t)now_ns() | 1};

	for (int i = 0; i < GENERATION; i++) {
		uint64_t v = rng_next(&r);
		void **slot = &mine[v % SET];

		free(*slot);
		*slot = malloc(16 + (v >> 32) % 497);
		*(char *)*slot = 1;
	}
	__atomic_fetch_add(&operations, 2 * GENERATION, __ATOMIC_RELAXED);
	return NULL;
}

static void *line(void *arg)
{
	pthread_t t;

	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		pthread_create(&t, NULL, worker, arg);
		pthread_join(t, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 3;
	int threads = argc > 2 ? atoi(argv[2]) : 2;
	pthread_t t[THREADS];
	uint64_t start = now_ns();

	if (threads < 1 || threads > THREADS)
		return 2;
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, line, set[i]);
	usleep((useconds_t)(seconds * 1e6));
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	printf(" %.1f\n", (double)operations * 1e3 / (double)(now_ns() - start));
	return 0;
}
