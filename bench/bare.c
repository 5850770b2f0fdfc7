/* SPDX-License-Identifier: MIT */
/* bare.c - see bare.h */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "bare.h"
#include "common.h"

#define LINE	  64
#define LOOP	  (16 * LINE) /* bytes that bare_loop() goes through */
#define CALIBRATE 2000	      /* rounds */

static char *area;
static size_t slice;
static unsigned slices, taken; /* taken: atomic, relaxed: a number */
static __thread char *at, *end;
static char looped[LOOP];

void bare_init(unsigned threads, size_t bytes)
{
	slice = bytes;
	slices = threads;
	area = mmap(NULL, slice * slices, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (area == MAP_FAILED)
		exit(2);
	mlock(area, slice * slices);
}

void bare_mine(void)
{
	if (!area)
		return;
	at = area + __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED) % slices * slice;
	end = at + slice;
}

void *bare_take(size_t size)
{
	char *p = at;

	size = (size + 15) & ~(size_t)15;
	if (size > (size_t)(end - p))
		p = end - slice;
	at = p + size;
	*(volatile char *)p = 1;
	return p;
}

void bare_give(void *p)
{
	if (p)
		*(volatile char *)p = 0;
}

void bare_loop(unsigned turns)
{
	volatile char *c = looped;

	for (unsigned i = 0; i < turns; i++)
		c[i * LINE % LOOP]++;
}

/* The least of many: what nothing disturbed. */
static uint64_t least_ticks(unsigned turns)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < CALIBRATE; i++) {
		uint64_t start = __rdtsc(), took;
		unsigned aux;

		bare_loop(turns);
		took = __rdtscp(&aux) - start;
		least = took < least ? took : least;
	}
	return least;
}

unsigned bare_turns(double ns)
{
	double want = ns / ns_per_tick();
	unsigned turns = 1;

	while (turns < 1u << 20 && (double)least_ticks(turns) < want)
		turns += turns / 16 + 1;
	return turns;
}
