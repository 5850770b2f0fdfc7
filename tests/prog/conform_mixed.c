/* SPDX-License-Identifier: MIT */
/* conform_mixed.c - four threads pass blocks around: nobody's contents change, all can be
 * freed and resized by whoever holds them */
#include <malloc.h>

#include "victim.h"

#define THREADS 4
#define SHELF	512
#define ROUNDS	60000

static void *shelf[SHELF]; /* each entry: a block that begins with its size and seed */

struct label {
	uint32_t size;
	uint32_t seed;
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void *make(uint32_t *rng)
{
	uint32_t r = next(rng),
		 n = (uint32_t)sizeof(struct label) + r % (r % 16 ? 500 : 40000);
	struct label *l;

	switch (r >> 16 & 3) {
	case 0:
		l = calloc(1, n);
		break;
	case 1:
		l = memalign(64, n);
		break;
	default:
		l = malloc(n);
	}
	if (!l)
		return NULL;
	l->size = n;
	l->seed = r;
	fill(l + 1, n - sizeof(*l), (unsigned char)r);
	return l;
}

static void check(struct label *l)
{
	if (l && !filled(l + 1, l->size - sizeof(*l), (unsigned char)l->seed))
		CHECK(!"contents are as written");
}

static void *resize(struct label *l, uint32_t *rng)
{
	uint32_t n = (uint32_t)sizeof(struct label) + next(rng) % 5000;
	uint32_t had = l->size;

	l = realloc(l, n);
	if (!filled(l + 1, (had < n ? had : n) - sizeof(*l), (unsigned char)l->seed))
		CHECK(!"contents survive realloc");
	l->size = n;
	fill(l + 1, n - sizeof(*l), (unsigned char)l->seed);
	return l;
}

static void *work(void *arg)
{
	uint32_t rng = (uint32_t)(uintptr_t)arg;

	expect_here();
	for (int i = 0; i < ROUNDS; i++) {
		void *p = make(&rng);

		p = __atomic_exchange_n(&shelf[next(&rng) % SHELF], p, __ATOMIC_ACQ_REL);
		check(p);
		if (p && next(&rng) % 8 == 0) {
			p = resize(p, &rng);
			check(p);
		}
		free(p);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, work, (void *)(i * 7919 + 1));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < SHELF; i++) {
		check(shelf[i]);
		free(shelf[i]);
	}
	return FAILED;
}
