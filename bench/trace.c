/* SPDX-License-Identifier: MIT */
/*
 * trace.c - a realtime thread's day: latency of each malloc and free, by percentile
 *
 *   trace [-f] [-n NOISE] [-s SECONDS]
 *
 * Every millisecond the thread takes 200 blocks of 16 B .. 64 KiB, each for 1 .. 50
 * periods; half are freed by it, half by an ordinary thread. NOISE more threads allocate
 * and free without pause. -f measures the floor (floor.h) instead of malloc.
 *
 * Prints ns: malloc p50 p99 p99.9 p99.99 max, free p50 p99 p99.9 p99.99 max, the thread's
 * page faults, and its class.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common.h"
#include "floor.h"

#define PER_PERIOD 200
#define LIFETIME   50
#define PERIOD_NS  1000000
#define RING	   65536

/* What is to be freed in a period; room for all that could fall into one. */
struct due {
	unsigned n;
	void *p[PER_PERIOD * LIFETIME];
};

static void *(*take)(size_t) = malloc;
static void (*give)(void *) = free;
static struct due due[LIFETIME + 1];
static struct hist taking, giving;
static void *ring[RING];
static uint32_t ring_head, ring_tail; /* release by its writer, acquire by the other */
static bool done;
static double seconds = 5;
static long faults;
static bool fifo;

static void *ordinary(void *arg)
{
	uint32_t tail = 0;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		uint32_t head = __atomic_load_n(&ring_head, __ATOMIC_ACQUIRE);

		while (tail != head) {
			give(ring[tail++ % RING]);
			__atomic_store_n(&ring_tail, tail, __ATOMIC_RELEASE);
		}
		usleep(200);
	}
	return NULL;
}

static void *noise(void *arg)
{
	struct rng r = {(uint64_t)(uintptr_t)&arg | 1};
	void *p[256] = {NULL};

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		void **slot = &p[rng_next(&r) % 256];
		size_t size = rng_size(&r);

		free(*slot);
		*slot = malloc(size);
		touch(*slot, size);
	}
	return NULL;
}

static void take_one(struct rng *r, unsigned period)
{
	size_t size = rng_size(r);
	struct due *d = &due[(period + 1 + rng_next(r) % LIFETIME) % (LIFETIME + 1)];
	uint64_t start = __rdtsc();
	unsigned aux;
	void *p = take(size);

	hist_add(&taking, __rdtscp(&aux) - start);
	if (!p)
		abort();
	touch(p, size);
	d->p[d->n++] = p;
}

static void give_due(struct due *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		uint32_t used = ring_head - __atomic_load_n(&ring_tail, __ATOMIC_ACQUIRE);
		uint64_t start;
		unsigned aux;

		if (i % 2 && used < RING) {
			ring[ring_head % RING] = d->p[i];
			__atomic_store_n(&ring_head, ring_head + 1, __ATOMIC_RELEASE);
			continue;
		}
		start = __rdtsc();
		give(d->p[i]);
		hist_add(&giving, __rdtscp(&aux) - start);
	}
	d->n = 0;
}

static long thread_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt + u.ru_majflt;
}

static void *realtime(void *arg)
{
	struct rng r = {0x2545f4914f6cdd1d};
	unsigned period, periods = (unsigned)(seconds * 1000), warm = 200;
	uint64_t next;

	floor_mine();
	memset(due, 1, sizeof(due));
	memset(ring, 1, sizeof(ring));
	for (int i = 0; i <= LIFETIME; i++)
		due[i].n = 0;
	fifo = promote(80, 1);
	usleep(400000);
	next = now_ns();
	for (period = 0; period < periods + warm; period++) {
		if (period == warm) {
			memset(&taking, 0, sizeof(taking));
			memset(&giving, 0, sizeof(giving));
			faults = thread_faults();
		}
		give_due(&due[period % (LIFETIME + 1)]);
		for (int i = 0; i < PER_PERIOD; i++)
			take_one(&r, period);
		sleep_until_next(&next, PERIOD_NS);
	}
	faults = thread_faults() - faults;
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void print(const struct hist *h)
{
	static const double at[] = {0.5, 0.99, 0.999, 0.9999};

	for (int i = 0; i < 4; i++)
		printf(" %.0f", (double)hist_at(h, at[i]) * ns_per_tick());
	printf(" %.0f", (double)h->max * ns_per_tick());
}

int main(int argc, char **argv)
{
	pthread_t rt, other, extra;
	int o, noises = 0;

	while ((o = getopt(argc, argv, "fn:s:")) != -1) {
		if (o == 'n')
			noises = atoi(optarg);
		else if (o == 's')
			seconds = atof(optarg);
		else if (o == 'f' && floor_init(512 << 20) == 0)
			take = floor_alloc, give = floor_free;
		else
			return 2;
	}
	ns_per_tick();
	pthread_create(&other, NULL, ordinary, NULL);
	for (int i = 0; i < noises; i++)
		pthread_create(&extra, NULL, noise, NULL);
	pthread_create(&rt, NULL, realtime, NULL);
	pthread_join(rt, NULL);
	pthread_join(other, NULL);
	print(&taking);
	print(&giving);
	printf(" %ld %s\n", faults, fifo ? "FIFO" : "OTHER");
	return 0;
}
