/* SPDX-License-Identifier: MIT */
/*
 * parts.c ROUNDS - who gets which parts: alone; then threads that take and give all the
 * time, each of which writes to what it has
 *
 * Exit 0: no part was ever two threads', none was lost, the owner bytes were right.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "engine/parts.h"
#include "runs.h"

#define THREADS 4
#define PART	(64UL << 10)

static struct parts parts;
static unsigned long rounds = 100000;

static uint64_t rnd(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1dUL >> 11;
}

static void all_of(unsigned count)
{
	parts_init(&parts, PART, PART * PARTS_MAX);
	parts_give(&parts, parts_mask(0, count));
}

/* ---- alone ---- */

static void sizes(void)
{
	for (size_t max = 1; max < 4UL << 30; max += 1 + max / 7) {
		size_t size = parts_size_for(max);

		CHECK(size % PARTS_LEAST == 0 && size >= PARTS_LEAST);
		CHECK(size * PARTS_MAX >= max);
		CHECK(size == PARTS_LEAST || (size - PARTS_LEAST) * PARTS_MAX < max ||
			(size == PARTS_BEST && max / size >= PARTS_ENOUGH));
	}
}

static void made(void)
{
	parts_init(&parts, PART, 20 * PART);
	CHECK(parts.size == PART && parts.count == 20 && !parts_free(&parts));
	CHECK(parts_take_these(&parts, 1, 1) == -1);
	CHECK(parts_of(&parts, 0) == 0 && parts_of(&parts, PART - 1) == 0);
	CHECK(parts_of(&parts, PART) == 1 && parts_of(&parts, 20 * PART - 1) == 19);
}

static void all_at_once(void)
{
	all_of(64);
	CHECK(parts_take_these(&parts, ~0UL, 3) == 0 && !parts_free(&parts));
	for (unsigned i = 0; i < PARTS_MAX; i++)
		CHECK(parts.owner[i] == 3);
	parts_give(&parts, ~0UL);
	CHECK(parts_free(&parts) == ~0UL);
	CHECK(parts.owner[63] == 3); /* until it is taken again */
}

static void exactly_these(void)
{
	all_of(8);
	CHECK(parts_take_these(&parts, 0x81, 5) == 0 && parts_free(&parts) == 0x7e);
	CHECK(parts.owner[0] == 5 && parts.owner[7] == 5 && parts.owner[1] == 0);
	CHECK(parts_take_these(&parts, 0x81, 6) == -1);
	CHECK(parts_take_these(&parts, 3, 6) == -1 && parts_free(&parts) == 0x7e);
	CHECK(parts_take_these(&parts, 0x100, 6) == -1 && parts.owner[0] == 5);
	parts_give(&parts, 0x81);
	CHECK(parts_free(&parts) == 0xff);
}

/* What was seen is not there any more: nothing is taken, and it is seen. */
static void too_late(void)
{
	uint64_t seen;

	all_of(8);
	seen = parts_free(&parts);
	CHECK(parts_take_these(&parts, 1, 1) == 0);
	CHECK(!parts_swap(&parts, &seen, 2) && seen == 0xfe);
	CHECK(parts_swap(&parts, &seen, 2) && parts_free(&parts) == 0xfc);
}

static void one_more(void)
{
	uint64_t seed = 7;

	/* beside its own */
	CHECK(parts_choose_one(0xff00, 0x00f0) == 0x100);
	CHECK(parts_choose_one(0x000f, 0x00f0) == 8);
	/* room for four, nobody before it */
	CHECK(parts_choose_one(~0UL, 0) == 1);
	CHECK(parts_choose_one(0x1f7e, 0) == 4);
	CHECK(parts_choose_one(0x1f0e, 0) == 0x200);
	CHECK(parts_choose_one(31UL << 59, 0) == 1UL << 60);
	/* any */
	CHECK(parts_choose_one(0x0e0e, 0x8000) == 2);
	for (int i = 0; i < 10000; i++) {
		uint64_t free = rnd(&seed) & rnd(&seed), own = rnd(&seed) & ~free;
		uint64_t one = parts_choose_one(free, own);

		CHECK(__builtin_popcountl(one) == (free != 0) && (one & free) == one);
		CHECK(!(free & (own << 1 | own >> 1)) || one & (own << 1 | own >> 1));
	}
}

/* ---- threads ---- */

static unsigned long inside[PARTS_MAX]; /* plain: only the owner of the part writes */

static void write_to(unsigned first, unsigned n, unsigned long id)
{
	for (unsigned i = first; i < first + n; i++)
		inside[i] = id;
}

static bool still(unsigned first, unsigned n, unsigned long id)
{
	bool same = true;

	for (unsigned i = first; i < first + n; i++)
		same &= inside[i] == id &&
			__atomic_load_n(&parts.owner[i], __ATOMIC_RELAXED) == id;
	return same;
}

/* As a heap does for a large block. */
static int take(unsigned n, unsigned hint, uint8_t id)
{
	for (int i = 0; i < PARTS_TRIES; i++) {
		uint64_t seen = parts_free(&parts);
		int first = run_of(seen, n, hint % 12);

		if (first < 0)
			first = run_of(seen, n, 0);
		if (first < 0)
			return -1;
		if (!parts_take_these(&parts, parts_mask((unsigned)first, n), id))
			return first;
	}
	return -1;
}

static void *taker(void *arg)
{
	unsigned long id = (unsigned long)arg, wrong = 0;
	uint64_t seed = id, own = 0;

	for (unsigned long i = 0; i < rounds; i++) {
		unsigned n = 1 + (unsigned)(rnd(&seed) % 6);
		int first = take(n, (unsigned)id * 3, (uint8_t)id);

		if (first < 0)
			continue;
		write_to((unsigned)first, n, id);
		own = parts_mask((unsigned)first, n);
		if (rnd(&seed) % 2 &&
			!parts_take_these(&parts, own << n & ~own, (uint8_t)id))
			parts_give(&parts, own << n & ~own);
		wrong += !still((unsigned)first, n, id);
		parts_give(&parts, own);
	}
	return (void *)wrong;
}

static void threads(void)
{
	pthread_t t[THREADS];
	void *wrong;

	all_of(12); /* too few for all at once */
	for (unsigned long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, taker, (void *)(i + 1));
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(t[i], &wrong);
		CHECK(!wrong);
	}
	CHECK(parts_free(&parts) == 0xfff);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 0);
	sizes();
	made();
	all_at_once();
	exactly_these();
	too_late();
	one_more();
	threads();
	return failures != 0;
}
