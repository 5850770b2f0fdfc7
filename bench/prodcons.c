/* SPDX-License-Identifier: MIT */
/*
 * prodcons.c - one thread allocates, another frees
 *
 *   prodcons [SECONDS]
 *
 * Blocks of 16..1040 bytes through a ring of 4096. Prints millions of blocks a second.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

#define RING 4096

static void *ring[RING];
static _Alignas(64) uint32_t head; /* release by the producer, acquire by the consumer */
static _Alignas(64) uint32_t tail; /* release by the consumer, acquire by the producer */
static bool done;

static void *consumer(void *arg)
{
	uint32_t at = 0;

	for (;;) {
		uint32_t to = __atomic_load_n(&head, __ATOMIC_ACQUIRE);

		if (at == to && __atomic_load_n(&done, __ATOMIC_ACQUIRE) &&
			at == __atomic_load_n(&head, __ATOMIC_ACQUIRE))
			return NULL;
		if (at == to)
			sched_yield();
		while (at != to)
			free(ring[at++ % RING]);
		__atomic_store_n(&tail, at, __ATOMIC_RELEASE);
	}
}

int main(int argc, char **argv)
{
	uint64_t start = now_ns(),
		 end = start + (uint64_t)((argc > 1 ? atof(argv[1]) : 3) * 1e9);
	struct rng r = {88172645463325252u};
	pthread_t t;

	pthread_create(&t, NULL, consumer, NULL);
	while (now_ns() < end) {
		for (int i = 0; i < 1000; i++) {
			while (head - __atomic_load_n(&tail, __ATOMIC_ACQUIRE) == RING)
				sched_yield();
			ring[head % RING] = malloc(16 + rng_next(&r) % 1025);
			*(char *)ring[head % RING] = 1;
			__atomic_store_n(&head, head + 1, __ATOMIC_RELEASE);
		}
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	printf(" %.2f\n", (double)head * 1e3 / (double)(now_ns() - start));
	return 0;
}
