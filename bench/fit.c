/* SPDX-License-Identifier: MIT */
/*
 * fit.c - the smallest pool in which 300,000 random operations never fail, cache included
 *
 * For each mix of sizes: what is alive at most, the pool it needs (found by halving the
 * interval), and the first as per cent of the second. Requested bytes count as alive. The
 * last column is what no pool of this format could pass: at the worst moment the blocks
 * themselves, header of 8 bytes and rounding to 16 included, side by side without a gap.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../preload/cache_inline.h"
#include "../preload/pools.h"

#define OPERATIONS 300000
#define LIVE_MAX   4000

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

static uint64_t seed;

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

static void give(struct cache *c, void *p)
{
	if (!cache_free(c, p) && cache_free_slow(c, p) != HEAP_OK)
		exit(2);
}

static size_t block(size_t n)
{
	size_t size = (n + HEAP_OVERHEAD + HEAP_ALIGN - 1) & -HEAP_ALIGN;

	return size < HEAP_BLOCK_MIN ? HEAP_BLOCK_MIN : size;
}

/* True: nothing failed. The same requests whatever the pool. */
static bool survives(const struct mix *m, struct cache *c, size_t *peak, size_t *blocks)
{
	static void *p[LIVE_MAX];
	static size_t size[LIVE_MAX];
	size_t alive = 0, held = 0;
	bool ok = true;

	seed = 0x9e3779b97f4a7c15UL;
	*peak = *blocks = 0;
	for (unsigned i = 0; i < m->live; i++)
		p[i] = NULL;
	for (long op = 0; ok && op < OPERATIONS; op++) {
		unsigned i = (unsigned)(rnd() % m->live);

		if (p[i]) {
			give(c, p[i]);
			alive -= size[i];
			held -= block(size[i]);
			p[i] = NULL;
			continue;
		}
		size[i] = pick(m);
		p[i] = cache_alloc(c, size[i]);
		if (!p[i])
			p[i] = cache_alloc_slow(c, size[i]);
		ok = p[i] != NULL;
		alive += size[i];
		held += block(size[i]);
		*peak = alive > *peak ? alive : *peak;
		*blocks = held > *blocks ? held : *blocks;
	}
	for (unsigned i = 0; i < m->live; i++) {
		if (p[i])
			give(c, p[i]);
	}
	return ok;
}

static bool fits(const struct mix *m, size_t bytes, size_t *peak, size_t *blocks)
{
	const struct pool_attr attr = {.name = "fit", .size = bytes};
	struct cache *c = calloc(1, sizeof(*c));
	struct pool *pool = pools_create(&attr, NULL);
	bool ok;

	if (!pool || !c)
		exit(2);
	cache_attach(c, pool, lock_tid(), NULL);
	ok = survives(m, c, peak, blocks);
	cache_detach(c);
	pools_delete(pool);
	free(c);
	return ok;
}

int main(void)
{
	printf("# live bytes at most, smallest pool that never failed, per cent, "
	       "at best\n");
	for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++) {
		size_t lo = 4096, hi = 64UL << 20, peak, most, blocks, held;

		if (!fits(&mixes[i], hi, &most, &blocks))
			return 1;
		while (hi - lo > hi / 200) {
			size_t mid = (lo + hi) / 2;

			if (fits(&mixes[i], mid, &peak, &held))
				hi = mid;
			else
				lo = mid;
		}
		printf("%-14s %9zu %9zu %4.1f %4.1f\n", mixes[i].name, most, hi,
			100.0 * (double)most / (double)hi,
			100.0 * (double)most / (double)blocks);
	}
	return 0;
}
