/* SPDX-License-Identifier: MIT */
/*
 * cache.c - several threads on one pool, each with a cache, handing blocks to each other
 *
 * Afterwards everything is freed: the pool has to be one block again, and sound.
 * Usage: cache [operations per thread]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache_inline.h"
#include "pools.h"

#define THREADS 4
#define MAIL	512
#define LIVE	200
#define TOTAL	(8UL << 20)

static struct pool *pool;
static void *mail[MAIL]; /* atomic: blocks on their way to another thread */
static long operations = 200000;

#define CHECK(x, ...)                                                  \
	do {                                                           \
		if (!(x)) {                                            \
			printf("%s:%d: %s: ", __FILE__, __LINE__, #x); \
			printf(__VA_ARGS__);                           \
			printf("\n");                                  \
			exit(1);                                       \
		}                                                      \
	} while (0)

static void *take(struct cache *c, size_t n)
{
	void *p = cache_alloc(c, n);

	if (!p)
		p = cache_alloc_slow(c, n);
	if (p) {
		CHECK(heap_usable_of(p) >= n, "%zu for %zu", heap_usable_of(p), n);
		CHECK((uintptr_t)p % 16 == 0, "%p", p);
		memset(p, 0x5a, n);
	}
	return p;
}

static void give(struct cache *c, void *p)
{
	if (cache_free_small(c, p) || cache_free_rest(c, p))
		return;
	CHECK(cache_free_slow(c, p) == HEAP_OK, "%p", p);
}

/* Half of what arrives by mail is freed as a thread without a cache would. */
static void receive(struct cache *c, void *p, uint64_t r)
{
	if (!p)
		return;
	if (r & 1)
		CHECK(pool_return(pool, p) == HEAP_OK, "%p", p);
	else
		give(c, p);
}

static void *work(void *arg)
{
	static __thread unsigned char memory[CACHE_BYTES] __attribute__((aligned(64)));
	struct cache *c = (struct cache *)memory;
	uint64_t r = 88172645463325252UL * (1 + (uintptr_t)arg);
	void *live[LIVE] = {0};

	cache_attach(c, pool, lock_tid());
	for (long i = 0; i < operations; i++) {
		size_t n;
		int k;

		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		n = r % 16 ? 1 + (r >> 8) % 600 : 1 + (r >> 8) % 20000;
		k = (int)(r >> 32) % LIVE;
		k = k < 0 ? -k : k;
		if (r >> 60 == 0) {
			/* acq_rel: what is in the block goes with it */
			void *p = __atomic_exchange_n(
				&mail[r % MAIL], take(c, n), __ATOMIC_ACQ_REL);

			receive(c, p, r >> 20);
		} else if (live[k]) {
			give(c, live[k]);
			live[k] = NULL;
		} else {
			live[k] = take(c, n);
		}
	}
	for (int k = 0; k < LIVE; k++) {
		if (live[k])
			give(c, live[k]);
	}
	cache_detach(c);
	return NULL;
}

int main(int argc, char **argv)
{
	struct pool_attr attr = {.name = "test", .size = TOTAL};
	pthread_t t[THREADS];
	int error = 0;
	void *p;

	if (argc > 1)
		operations = atol(argv[1]);
	pool = pools_create(&attr, &error);
	CHECK(pool, "error %d", error);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < MAIL; i++) {
		if (mail[i])
			CHECK(pool_free(pool, mail[i]) == HEAP_OK, "%p", mail[i]);
	}
	CHECK(pool_check(pool), "broken");
	p = pool_alloc(pool, TOTAL, 0);
	CHECK(p, "capacity was lost");
	CHECK(pool_free(pool, p) == HEAP_OK, "%p", p);
	CHECK(pools_find(p) == pool, "%p", p);
	pools_delete(pool);
	CHECK(!pools_find(p), "%p", p);
	return 0;
}
