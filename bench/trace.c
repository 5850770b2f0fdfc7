/* SPDX-License-Identifier: MIT */
/*
 * trace.c - a realtime thread's day: latency of each malloc and free, by percentile
 *
 *   trace [-f TAKE,GIVE] [-n NOISE] [-p PERIOD] [-s SECONDS]
 *
 * Every period (-p: microseconds, default 1000; 0: without pause, full rate) the thread
 * takes 200 blocks of 16 B .. 64 KiB, each for 1 .. 50 periods; half are freed by it,
 * half by an ordinary thread. NOISE more threads allocate and free without pause. SECONDS
 * are so many thousand periods.
 *
 * -f is the floor: what is timed is not malloc and free but a loop that touches memory
 * for as long, TAKE and GIVE ns: an allocator's p50, as this program prints it. What
 * preemption, interrupts and the hypervisor add to a call of that length is all that the
 * loop's percentiles show. Blocks come from and go to floor.h, outside of what is timed.
 *
 * Prints ns: malloc p50 p99 p99.9 p99.99 max, and how many of a million took more than 5
 * microseconds; the same of free; the thread's page faults, and its class.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bare.h"
#include "common.h"
#include "floor.h"

#define PER_PERIOD 200
#define LIFETIME   50
#define LIMIT_NS   5000
#define WARM	   400	/* periods before anything counts */
#define ADJUST	   40	/* periods between corrections of the loop */
#define RING	   4096 /* what waits for the ordinary thread fits the pool as well */

/* What is to be freed in a period; room for all that could fall into one. */
struct due {
	unsigned n;
	void *p[PER_PERIOD * LIFETIME];
};

static bool bare;				  /* -f */
static double take_ns, give_ns;			  /* its arguments */
static unsigned take_turns = 10, give_turns = 10; /* as turns of bare_loop() */
static struct due due[LIFETIME + 1];
static struct hist taking, giving;
static void *ring[RING];
static uint32_t ring_head, ring_tail; /* release by its writer, acquire by the other */
static bool done;
static double seconds = 5;
static uint64_t period_ns = 1000000;
static long faults;
static bool fifo;

static void give(void *p)
{
	if (bare)
		floor_free(p);
	else
		free(p);
}

static void *timed_take(size_t size)
{
	void *p = bare ? floor_alloc(size) : NULL;
	uint64_t start = __rdtsc();
	unsigned aux;

	if (bare)
		bare_loop(take_turns);
	else
		p = malloc(size);
	hist_add(&taking, __rdtscp(&aux) - start);
	if (!p)
		abort();
	return p;
}

static void timed_give(void *p)
{
	uint64_t start = __rdtsc();
	unsigned aux;

	if (bare)
		bare_loop(give_turns);
	else
		free(p);
	hist_add(&giving, __rdtscp(&aux) - start);
	if (bare)
		floor_free(p);
}

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
	void *p = timed_take(size);

	touch(p, size);
	d->p[d->n++] = p;
}

static void give_due(struct due *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		uint32_t used = ring_head - __atomic_load_n(&ring_tail, __ATOMIC_ACQUIRE);

		if (i % 2 && used < RING) {
			ring[ring_head % RING] = d->p[i];
			__atomic_store_n(&ring_head, ring_head + 1, __ATOMIC_RELEASE);
			continue;
		}
		timed_give(d->p[i]);
	}
	d->n = 0;
}

/* The loop's turns by what they took: of the p50, not of the least, and where caches are
 * as cold as they are for an allocator. */
static void adjust(unsigned *turns, struct hist *h, double want_ns)
{
	double got = (double)hist_at(h, 0.5) * ns_per_tick();
	double turned = *turns * want_ns / got;

	*turns = turned < 1 ? 1 : (unsigned)(turned + 0.5);
	hist_begin(h, LIMIT_NS);
}

static void adjust_both(void)
{
	adjust(&take_turns, &taking, take_ns);
	adjust(&give_turns, &giving, give_ns);
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
	unsigned period, periods = (unsigned)(seconds * 1000), warm = WARM;
	uint64_t next;

	floor_mine();
	memset(due, 1, sizeof(due));
	memset(ring, 1, sizeof(ring));
	for (int i = 0; i <= LIFETIME; i++)
		due[i].n = 0;
	fifo = promote(80, 1);
	next = now_ns();
	for (period = 0; period < periods + warm; period++) {
		if (period == warm) {
			hist_begin(&taking, LIMIT_NS);
			hist_begin(&giving, LIMIT_NS);
			faults = thread_faults();
		}
		give_due(&due[period % (LIFETIME + 1)]);
		for (int i = 0; i < PER_PERIOD; i++)
			take_one(&r, period);
		if (bare && period < warm && period % ADJUST == ADJUST - 1)
			adjust_both();
		if (period_ns)
			sleep_until_next(&next, period_ns);
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
	printf(" %.0f %.0f", (double)h->max * ns_per_tick(), hist_over_ppm(h));
}

int main(int argc, char **argv)
{
	pthread_t rt, other, extra;
	int o, noises = 0;

	while ((o = getopt(argc, argv, "f:n:p:s:")) != -1) {
		if (o == 'n')
			noises = atoi(optarg);
		else if (o == 's')
			seconds = atof(optarg);
		else if (o == 'p')
			period_ns = (uint64_t)(atof(optarg) * 1000);
		else if (o == 'f')
			bare = sscanf(optarg, "%lf,%lf", &take_ns, &give_ns) == 2;
		else
			return 2;
		if (o == 'f' && (!bare || floor_init(512 << 20) < 0))
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
