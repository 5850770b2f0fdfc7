/* SPDX-License-Identifier: MIT */
/*
 * pair.c - malloc and free of one size, again and again
 *
 *   pair time [FLOOR]        ns a pair at nine sizes, one line: lowest median of nine
 * runs pair run SIZE PAIRS      nothing but that many pairs, for counting instructions
 *   pair worst SIZE PAIRS    the same with 64 blocks alive, in no order
 *
 * With BENCH_RT=1 in the environment the thread is promoted first (common.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common.h"
#include "floor.h"

#define BATCH  2000
#define MEDIAN 101

static const size_t sizes[] = {16, 64, 1024, 4096, 16384, 32768, 65536, 262144, 1048576};
static bool use_floor;

__attribute__((noinline)) static void floor_pairs(size_t size, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		void *p = floor_alloc(size);

		__asm__ volatile("" : "+r"(p) : : "memory");
		floor_free(p);
	}
}

__attribute__((noinline)) static void pairs(size_t size, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		void *p = malloc(size);

		__asm__ volatile("" : "+r"(p) : : "memory");
		free(p);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double median_of_batches(size_t size)
{
	uint64_t t[MEDIAN];

	for (int i = 0; i < MEDIAN; i++) {
		uint64_t start = __rdtsc();

		if (use_floor)
			floor_pairs(size, BATCH);
		else
			pairs(size, BATCH);
		t[i] = __rdtsc() - start;
	}
	qsort(t, MEDIAN, sizeof(t[0]), by_value);
	return (double)t[MEDIAN / 2] * ns_per_tick() / BATCH;
}

static void time_all(void)
{
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		double best = 1e9;

		for (int run = 0; run < 9; run++) {
			double m = median_of_batches(sizes[s]);

			if (m < best)
				best = m;
			usleep(1000); /* a loop that never sleeps is throttled */
		}
		printf(" %.1f", best);
		fflush(stdout);
	}
	putchar('\n');
}

/* A fixed pseudo-random order over 64 live blocks. */
static void mixed_order(size_t size, uint64_t n)
{
	struct rng r = {1};
	void *p[64] = {NULL};

	for (uint64_t i = 0; i < n; i++) {
		void **slot = &p[rng_next(&r) % 64];

		free(*slot);
		*slot = malloc(size);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "time")) {
		if (floor_init(64 << 20))
			return 1;
		floor_mine();
		use_floor = true;
	}
	ns_per_tick();
	if (getenv("BENCH_RT") && *getenv("BENCH_RT") == '1') {
		promote(80, argc > 1 && !strcmp(argv[1], "time") ? 1 : -1);
		usleep(400000);
	}
	if (argc == 4 && !strcmp(argv[1], "run"))
		pairs(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	else if (argc == 4 && !strcmp(argv[1], "worst"))
		mixed_order(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	else if (argc > 1 && !strcmp(argv[1], "time"))
		time_all();
	else
		return 2;
	return 0;
}
