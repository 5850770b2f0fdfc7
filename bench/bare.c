/* SPDX-License-Identifier: MIT */
/* bare.c - see bare.h */
#include <stdint.h>
#include <stdlib.h>

#include "bare.h"
#include "common.h"

#define LINE 64
#define LOOP (16 * LINE) /* bytes that bare_loop() goes through */

static char *area;
static size_t slice;
static unsigned slices, taken; /* taken: atomic, relaxed: a number */
static __thread char *at, *end;
static char looped[LOOP];

void bare_init(unsigned threads, size_t bytes)
{
	slice = bytes;
	slices = threads;
	area = touched_memory(slice * slices);
	if (!area)
		exit(2);
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
