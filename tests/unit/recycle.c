/* SPDX-License-Identifier: MIT */
/* Kept blocks: found by size, the last one first; given back when old, also when one was
 * kept while another thread had just looked at the clock. */
#include "engine/recycle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int failed, given;
static char blocks[RECYCLE_KEEP + 1][16];

#define CHECK(expr)                                                   \
	do {                                                          \
		if (!(expr)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #expr); \
			failed = 1;                                   \
		}                                                     \
	} while (0)

static void give(void *block, size_t bytes, void *arg)
{
	given += block == arg || bytes > 0;
}

static void by_size(struct recycle *r)
{
	CHECK(recycle_hit(r, 100) == NULL);
	CHECK(recycle_keep(r, blocks[0], 100) && recycle_keep(r, blocks[1], 200));
	CHECK(recycle_keep(r, blocks[2], 100));
	r->kept[2].since++; /* the clock may not have moved */
	CHECK(recycle_hit(r, 101) == NULL && recycle_hit(r, 99) == NULL);
	CHECK(recycle_hit(r, 100) == blocks[2] && recycle_hit(r, 100) == blocks[0]);
	CHECK(recycle_hit(r, 100) == NULL && recycle_hit(r, 200) == blocks[1]);
	CHECK(r->hits == 3 && r->misses == 4 && given == 0);
}

static void full(struct recycle *r)
{
	for (int i = 0; i < RECYCLE_KEEP; i++)
		CHECK(recycle_keep(r, blocks[i], 16));
	CHECK(!recycle_keep(r, blocks[RECYCLE_KEEP], 16));
	recycle_age(r, false);
	CHECK(given == 0);
	recycle_age(r, true);
	CHECK(given == RECYCLE_KEEP && recycle_hit(r, 16) == NULL);
	given = 0;
}

static void old(struct recycle *r)
{
	CHECK(recycle_keep(r, blocks[0], 16) && recycle_keep(r, blocks[1], 32));
	CHECK(recycle_keep(r, blocks[2], 64));
	r->kept[0].since -= r->age;
	r->kept[1].since += 1000000000;
	recycle_age(r, false);
	CHECK(given == 1 && recycle_hit(r, 16) == NULL);
	CHECK(recycle_hit(r, 32) == blocks[1] && recycle_hit(r, 64) == blocks[2]);
	r->age = 0;
	CHECK(!recycle_keep(r, blocks[0], 16));
}

/* A thread is stopped while it has claimed a place. */
static void claimed(struct recycle *r)
{
	CHECK(recycle_keep(r, blocks[0], 16) && recycle_keep(r, blocks[1], 16));
	r->kept[1].block = (void *)1;
	CHECK(recycle_keep(r, blocks[2], 16) && r->kept[2].block == blocks[2]);
	CHECK(recycle_hit(r, 16) && recycle_hit(r, 16) && !recycle_hit(r, 16));
	recycle_age(r, true);
	CHECK(given == 0 && r->kept[1].block == (void *)1);
	r->kept[1].block = blocks[1];
	CHECK(recycle_hit(r, 16) == blocks[1]);
}

/* Four threads hand 64 sizes to and fro: no block is ever anybody else's. */
static void *storm(void *arg)
{
	struct recycle *r = arg;

	for (int i = 0; i < 200000; i++) {
		size_t size = 16 + (size_t)i % 64;
		int *block = recycle_hit(r, size);

		if (!block) {
			block = malloc(sizeof(*block));
			*block = (int)size;
		}
		CHECK(*block == (int)size);
		if (!recycle_keep(r, block, size))
			free(block);
	}
	return NULL;
}

static void release(void *block, size_t bytes, void *arg)
{
	CHECK(arg == NULL && *(int *)block == (int)bytes);
	free(block);
}

static void together(void)
{
	static struct recycle r = {.age = 1000, .give = release};
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, storm, &r);
	for (int i = 0; i < 1000; i++)
		recycle_age(&r, false);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	recycle_stop(&r);
	CHECK(!recycle_hit(&r, 16));
}

int main(void)
{
	static struct recycle r = {.age = 3600000000000, .give = give, .arg = blocks};

	recycle_register(&r);
	by_size(&r);
	full(&r);
	claimed(&r);
	old(&r);
	together();
	recycle_unregister(&r);
	return failed;
}
