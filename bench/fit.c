/* SPDX-License-Identifier: MIT */
/*
 * fit.c - the smallest pool in which 300,000 random operations never fail, cache included
 *
 * For each mix of sizes and each of SEEDS sequences of requests: what is alive at most,
 * the pool it needs (found by halving the interval), and the first as per cent of the
 * second; printed are the average and the lowest. Requested bytes count as alive. Then
 * the same without a cache, the heap by itself: what a cache keeps back must not show.
 * Then with two threads' caches and heaps, each with half of the blocks.
 * The last column is what no pool of this format could pass: at the worst moment the
 * blocks themselves, header of 8 bytes and rounding to 16 included, side by side without
 * a gap.
 */
#include <stdio.h>
#include <stdlib.h>

#include "preload/engine/cache_inline.h"
#include "preload/engine/pools.h"

#define OPERATIONS 300000
#define LIVE_MAX   4000
#define SEEDS	   12

struct mix {
	const char *name;
	size_t least, most;
	unsigned live; /* blocks alive, about */
};

static const struct mix mixes[] = {
	{"16..256 B", 16, 256, 3000},
	{"16 B..4 KiB", 16, 4096, 2000},
	{"16 B..64 KiB", 16, 65536, 600},
	{"1..16 KiB", 1024, 16384, 600},
	{"64 KiB..1 MiB", 65536, 1UL << 20, 60},
};

static uint64_t seed, sequence;
static bool bare;	 /* no cache */
static unsigned threads; /* of this many: 1 or 2 */

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL >> 11;
}

static size_t pick(const struct mix *m)
{
	size_t top = m->least + rnd() % (m->most - m->least + 1);
	unsigned bits = 64u - (unsigned)__builtin_clzl(top / m->least);

	top >>= rnd() % bits;
	return top < m->least ? m->least : top;
}

static void *take(struct cache *c, size_t n)
{
	return bare ? heap_serve(c->heap, block_size_for(n), 0) : cache_alloc(c, n);
}

static void give(struct cache *c, void *p)
{
	if (bare ? heap_free(c->heap, p) != HEAP_OK
		 : !cache_is_live(c, p, block_size(block_of(p))))
		exit(2);
	if (!bare && !cache_free_live(c, p, block_size(block_of(p))))
		cache_overflow(c, p);
}

/* True: nothing failed. The same requests whatever the pool. */
static bool survives(
	const struct mix *m, struct cache *const *own, size_t *peak, size_t *blocks)
{
	static void *p[LIVE_MAX];
	static size_t size[LIVE_MAX];
	size_t alive = 0, held = 0;
	bool ok = true;

	seed = 0x9e3779b97f4a7c15UL * (2 * sequence + 1);
	*peak = *blocks = 0;
	for (unsigned i = 0; i < m->live; i++)
		p[i] = NULL;
	for (long op = 0; ok && op < OPERATIONS; op++) {
		unsigned i = (unsigned)(rnd() % m->live);
		struct cache *c = own[i % threads];

		if (p[i]) {
			give(c, p[i]);
			alive -= size[i];
			held -= block_size_for(size[i]);
			p[i] = NULL;
			continue;
		}
		size[i] = pick(m);
		p[i] = take(c, size[i]);
		ok = p[i] != NULL;
		alive += size[i];
		held += block_size_for(size[i]);
		*peak = alive > *peak ? alive : *peak;
		*blocks = held > *blocks ? held : *blocks;
	}
	for (unsigned i = 0; i < m->live; i++) {
		if (p[i])
			give(own[i % threads], p[i]);
	}
	return ok;
}

/* *bytes becomes what the pool has. */
static bool fits(const struct mix *m, size_t *bytes, size_t *peak, size_t *blocks)
{
	const struct pool_attr attr = {.name = "fit", .size = *bytes};
	struct pool *pool = pools_create(&attr, NULL);
	struct cache *own[2];
	bool ok;

	if (!pool)
		exit(2);
	pool_ready_heaps(pool, threads);
	for (unsigned i = 0; i < threads; i++) {
		own[i] = calloc(1, sizeof(*own[i]));
		if (!own[i])
			exit(2);
		cache_attach(own[i], pool, 0, false, NULL);
	}
	ok = survives(m, own, peak, blocks);
	*bytes = pool->area.committed;
	for (unsigned i = 0; i < threads; i++) {
		cache_detach(own[i]);
		free(own[i]);
	}
	pools_delete(pool);
	return ok;
}

struct found {
	double sum, least, best;
};

static void one(const struct mix *m, struct found *f)
{
	size_t lo = 4096, hi = 64UL << 20, have = hi, peak, most, blocks, held;
	double percent;

	if (!fits(m, &have, &most, &blocks))
		exit(1);
	while (hi - lo > hi / 200) {
		size_t mid = (lo + hi) / 2, bytes = mid;

		if (fits(m, &bytes, &peak, &held)) {
			hi = mid;
			have = bytes;
		} else {
			lo = mid;
		}
	}
	percent = 100.0 * (double)most / (double)have;
	f->sum += percent;
	f->least = percent < f->least ? percent : f->least;
	f->best += 100.0 * (double)most / (double)blocks;
}

static void print(const struct found *f, unsigned seeds)
{
	printf("  %4.1f %4.1f", f->sum / seeds, f->least);
}

/* An argument: that many sequences, and not of two threads. */
int main(int argc, char **argv)
{
	unsigned seeds = argc > 1 ? (unsigned)atoi(argv[1]) : SEEDS;

	printf("# live bytes / smallest pool that never failed, per cent: average of %u "
	       "sequences, lowest; without a cache;%s at best\n",
		seeds, argc > 1 ? "" : " of two threads;");
	for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++) {
		struct found with = {0, 100, 0}, without = with, two = with;

		for (sequence = 0; sequence < seeds; sequence++) {
			bare = false;
			threads = 1;
			one(&mixes[i], &with);
			bare = true;
			one(&mixes[i], &without);
			bare = false;
			threads = 2;
			if (argc == 1)
				one(&mixes[i], &two);
		}
		printf("%-14s", mixes[i].name);
		print(&with, seeds);
		print(&without, seeds);
		if (argc == 1)
			print(&two, seeds);
		printf("  %4.1f\n", with.best / seeds);
	}
	return 0;
}
