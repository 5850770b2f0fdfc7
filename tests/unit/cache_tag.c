/* SPDX-License-Identifier: MIT */
/*
 * cache_tag.c ROUNDS - two caches of one pool that book on different tags, and whoever
 * has no cache, free and resize each other's blocks; a shadow knows what must be booked
 *
 * Exit 0: the figures of both tags, and the owner of every block, were right throughout.
 */
#include <stdio.h>

#include "cache_unit.h"

#define SIZE  (8UL << 20)
#define LIVE  700
#define CACHE 2

static struct cache *caches[CACHE];
static uint8_t number[CACHE];

static struct {
	void *p;
	unsigned tag;
} live[LIVE];

static uint64_t seed = 0x9e3779b97f4a7c15UL;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL >> 11;
}

static void attach(unsigned k)
{
	cache_attach(caches[k], pool, number[k], k == 1, NULL);
}

/* What is booked is what is alive. */
static void compare(void)
{
	struct tag_held held = {{0}, {0}};
	long blocks[CACHE] = {0}, bytes[CACHE] = {0};

	for (unsigned i = 0; i < LIVE; i++) {
		if (!live[i].p)
			continue;
		CHECK(heap_check_pointer(pool->heap, live[i].p) == HEAP_OK);
		CHECK(block_tag(block_of(live[i].p)) == number[live[i].tag]);
		blocks[live[i].tag]++;
		bytes[live[i].tag] += (long)block_taken_of(live[i].p);
	}
	for (unsigned k = 0; k < CACHE; k++)
		CHECK(cache_figures(caches[k], &held.blocks[number[k]],
			      &held.bytes[number[k]]) == number[k]);
	for (unsigned k = 0; k < CACHE; k++) {
		struct tag *t = tag_numbered(number[k]);
		struct tag_figures f = tag_figures(t, &held);

		CHECK(f.blocks == (uint64_t)blocks[k] && f.bytes == (uint64_t)bytes[k]);
		CHECK(f.peak >= f.bytes && t->kind == TAG_RULE);
	}
}

/* Small ones most of the time, large and huge ones, aligned ones. */
static void *some(unsigned k)
{
	unsigned way = rnd() % 32;
	size_t size = way < 20	 ? 1 + rnd() % 1024
		      : way < 28 ? 1025 + rnd() % 20000
				 : 1 + rnd() % 150000;

	if (rnd() % 16 == 0)
		return cache_alloc_aligned(caches[k], 16UL << rnd() % 6, size);
	return cache_alloc(caches[k], size);
}

/* By its own cache or the other, or by a thread that has none. */
static void let_go(void *p)
{
	unsigned way = rnd() % 8;

	if (way == 0)
		CHECK(pool_return(pool, p) == HEAP_OK);
	else if (way == 1)
		CHECK(pool_free(pool, p) == HEAP_OK);
	else
		CHECK(give_to(caches[way % CACHE], p) == HEAP_OK);
}

static void one(void)
{
	unsigned i = (unsigned)(rnd() % LIVE);

	if (live[i].p && rnd() % 8 == 0) {
		pool_resize(pool, cache_heap(caches[rnd() % CACHE]), live[i].p,
			1 + rnd() % 3000);
	} else if (live[i].p && rnd() % 8 == 0) {
		live[i].tag = (unsigned)(rnd() % CACHE);
		tag_hand_over(live[i].p, number[live[i].tag]);
	} else if (live[i].p) {
		let_go(live[i].p);
		live[i].p = NULL;
	} else {
		live[i].tag = (unsigned)(rnd() % CACHE);
		live[i].p = some(live[i].tag);
		if (live[i].p)
			memset(live[i].p, 0xa5, block_usable_of(live[i].p));
	}
}

/* Nothing of it changes what is booked. */
static void disturb(void)
{
	unsigned k = (unsigned)(rnd() % CACHE);

	switch (rnd() % 4) {
	case 0:
		cache_flush(caches[k]);
		break;
	case 1:
		cache_detach(caches[k]);
		attach(k);
		break;
	case 2:
		pool_tend(pool);
		break;
	}
}

/* More names of rules than numbers: the last ones' blocks are untagged. */
static void names(void)
{
	char name[80];
	uint8_t last = 0;

	CHECK(tag_rule("one") == number[0] && tag_rule("two") == number[1]);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "rule %u", i);
		last = tag_rule(name);
	}
	CHECK(last == TAG_UNTAGGED && tag_rule("rule 200") > TAG_UNTAGGED);
	memset(name, 'x', 79);
	name[79] = '\0';
	CHECK(tag_rule(name) == TAG_UNTAGGED && tag_rule("two") == number[1]);
	CHECK(!tag_numbered(TAG_NOBODY) &&
		!strcmp(tag_numbered(TAG_UNTAGGED)->name, "(untagged)"));
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 30000, blocks, bytes;

	unit_begin(SIZE);
	number[0] = tag_rule("one");
	number[1] = tag_rule("two");
	CHECK(pool && number[0] > TAG_UNTAGGED && number[1] > number[0]);
	for (unsigned k = 0; k < CACHE; k++) {
		caches[k] = calloc(1, sizeof(struct cache));
		CHECK(cache_figures(caches[k], &blocks, &bytes) == TAG_NOBODY && !blocks);
		attach(k);
	}
	for (long i = 0; !failures && i < rounds; i++) {
		one();
		if (rnd() % 512 == 0)
			disturb();
		if (i % 64 == 0)
			compare();
		if (i % 1024 == 0)
			CHECK(pool_check(pool, cache_heap(caches[i / 1024 % CACHE])));
	}
	for (unsigned i = 0; i < LIVE; i++) {
		if (live[i].p)
			let_go(live[i].p);
		live[i].p = NULL;
	}
	compare();
	for (unsigned k = 0; k < CACHE; k++)
		cache_detach(caches[k]);
	CHECK(tag_numbered(number[0])->blocks == 0 &&
		tag_numbered(number[0])->bytes == 0);
	CHECK(tag_numbered(number[1])->blocks == 0 &&
		tag_numbered(number[1])->bytes == 0);
	pool_tend(pool);
	everything_back();
	names();
	return unit_end();
}
