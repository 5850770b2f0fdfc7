/* SPDX-License-Identifier: MIT */
/* common.c - see common.h */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

#include "common.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double ns_per_tick(void)
{
	static double ratio;

	if (ratio == 0) {
		uint64_t t = __rdtsc(), n = now_ns(), end = n + 20000000, at;

		while ((at = now_ns()) < end)
			;
		ratio = (double)(at - n) / (double)(__rdtsc() - t);
	}
	return ratio;
}

uint64_t hist_at(const struct hist *h, double part)
{
	uint64_t want = (uint64_t)((double)h->count * part), sum = 0;

	for (unsigned i = 0; i < PROBE_BINS; i++) {
		sum += h->bin[i];
		if (sum > want)
			return probe_bin_top(i);
	}
	return h->max;
}

double hist_over_ppm(const struct hist *h)
{
	return h->count ? (double)h->over * 1e6 / (double)h->count : 0;
}

void hist_begin(struct hist *h, double limit_ns)
{
	memset(h, 0, sizeof(*h));
	h->limit = (uint64_t)(limit_ns / ns_per_tick());
}

/* Populated in one go, which is faster; the program's own writes come on top, for they
 * are what a hypervisor with page tables of its own waits for. */
void *touched_memory(size_t bytes)
{
	volatile char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	mlock((char *)p, bytes);
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = 0;
	return (char *)p;
}

bool promote(int priority, int cpu)
{
	struct sched_param sp = {.sched_priority = priority};
	cpu_set_t set;

	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((unsigned)cpu, &set);
		pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	}
	pthread_setname_np(pthread_self(), BENCH_RT_NAME);
	return pthread_setschedparam(pthread_self(), SCHED_FIFO, &sp) == 0;
}

void sleep_until_next(uint64_t *next, uint64_t period)
{
	struct timespec t;

	*next += period;
	t.tv_sec = (time_t)(*next / 1000000000u);
	t.tv_nsec = (long)(*next % 1000000000u);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}
