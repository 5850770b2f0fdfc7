/* SPDX-License-Identifier: MIT */
/*
 * common.h - what the benches share: clock, random numbers, sizes, histogram, promotion
 */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe.h" /* probe_bin(): the histogram */

/* Thread name that the benches' policies match, for where SCHED_FIFO is not allowed. */
#define BENCH_RT_NAME "bench-rt"

struct hist {
	uint64_t count, max;
	uint64_t limit, over; /* how many were above the limit */
	uint32_t bin[PROBE_BINS];
};

static inline void hist_add(struct hist *h, uint64_t v)
{
	h->count++;
	h->over += v > h->limit;
	h->bin[probe_bin(v)]++;
	if (v > h->max)
		h->max = v;
}
/* The value below which `part` (0..1) of h lies. */
uint64_t hist_at(const struct hist *h, double part);
/* How many of a million were above the limit. */
double hist_over_ppm(const struct hist *h);
/* Empties h; limit_ns: the limit, in nanoseconds, where the values are ticks. */
void hist_begin(struct hist *h, double limit_ns);

uint64_t now_ns(void);
/* Nanoseconds a tick of rdtsc; takes 20 ms at the first call. */
double ns_per_tick(void);

struct rng {
	uint64_t s;
};
static inline uint64_t rng_next(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s * 0x2545f4914f6cdd1d;
}
/* 16 bytes .. 64 KiB: as many between 16 and 32 as between 32 and 64 KiB. */
static inline size_t rng_size(struct rng *r)
{
	uint64_t v = rng_next(r);
	unsigned octave = (unsigned)(v % 12) + 4;

	return ((size_t)1 << octave) + ((v >> 16) & (((size_t)1 << octave) - 1)) +
	       (v >> 63);
}

/* Writes one byte in every page of a block, and its last. */
static inline void touch(void *p, size_t n)
{
	volatile char *c = p;

	for (size_t i = 0; i < n; i += 4096)
		c[i] = 1;
	c[n - 1] = 1;
}

/* Zeroed memory that every page of is there, also in the tables of a hypervisor, and
 * locked if that is allowed. NULL: there is none. */
void *touched_memory(size_t bytes);

/*
 * Makes the calling thread what the policies match: SCHED_FIFO at `priority` if that is
 * allowed (returns whether), and in any case the name. cpu < 0: not pinned.
 */
bool promote(int priority, int cpu);

/* Sleeps until *next (ns) and moves it on by period. */
void sleep_until_next(uint64_t *next, uint64_t period);

#endif
