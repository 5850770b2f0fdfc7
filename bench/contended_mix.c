/* SPDX-License-Identifier: MIT */
/*
 * contended_mix.c - one realtime thread, and ordinary ones that free what it made
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contended.h"

#define FREERS 4
#define LIVE   16384 /* blocks that the realtime thread holds, at most */
#define RING   512   /* blocks on their way to one thread that frees */

struct block {
	char *p;
	size_t size;
};

/* From the realtime thread to one that frees. */
struct ring {
	_Alignas(64)
		uint32_t head; /* release by the realtime thread, acquire by the other */
	_Alignas(64)
		uint32_t tail; /* release by the other, acquire by the realtime thread */
	uint64_t freed;	       /* bytes; as tail */
	struct block b[RING];
};

/* What the realtime thread does. */
struct work {
	unsigned freers, burners;
	unsigned handed;     /* one of so many drops is another thread's to free */
	size_t alive;	     /* bytes */
	bool all;	     /* ... those count that were handed over and not freed yet */
	unsigned operations; /* between pauses; 0: no pause */
	uint64_t period;     /* ns */
	uint64_t total, warm;
};

static struct work todo;
static struct ring ring[FREERS];
static struct block live[LIVE];
static unsigned nlive, next_ring;
static uint64_t made;	/* bytes, less what the thread itself freed */
static uint64_t handed; /* bytes */
static struct rng rng = {88172645463325252u};
static bool done; /* release, acquire */

static double resident_mib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		exit(2);
	fclose(f);
	return (double)pages / 256;
}

static void *freer(void *arg)
{
	struct ring *r = arg;
	uint32_t tail = 0;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		uint32_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

		for (; tail != head; tail++) {
			give(r->b[tail % RING].p);
			__atomic_store_n(&r->freed, r->freed + r->b[tail % RING].size,
				__ATOMIC_RELEASE);
			__atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE);
		}
		sched_yield();
	}
	return NULL;
}

static void *burner(void *arg)
{
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		;
	return NULL;
}

static bool hand_over(struct block b)
{
	struct ring *r = &ring[next_ring++ % todo.freers];

	if (r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == RING)
		return false;
	r->b[r->head % RING] = b;
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
	handed += b.size;
	return true;
}

static uint64_t alive(void)
{
	uint64_t n = made - (todo.all ? 0 : handed);

	for (unsigned i = 0; todo.all && i < todo.freers; i++)
		n -= __atomic_load_n(&ring[i].freed, __ATOMIC_ACQUIRE);
	return n;
}

static void make(void)
{
	struct block b = {.size = rng_size(&rng)};

	b.p = timed_take(b.size);
	touch(b.p, b.size);
	made += b.size;
	live[nlive++] = b;
}

static void drop(uint64_t random)
{
	struct block *at = &live[random % nlive], b = *at;

	*at = live[--nlive];
	if ((random >> 32) % todo.handed == 0 && hand_over(b))
		return;
	made -= b.size;
	timed_give(b.p);
}

/* From the last sixteenth on, as many drops as makes. */
static void operate(void)
{
	uint64_t now = alive(), random = rng_next(&rng);
	bool less = now >= todo.alive ||
		    (now > todo.alive - todo.alive / 16 && random >> 63) || nlive == LIVE;

	if (!less)
		make();
	else if (nlive > 0)
		drop(random);
}

static void *mixed(void *arg)
{
	uint64_t batch = todo.operations ? todo.operations : todo.total, next, start;

	bare_mine();
	memset(live, 0, sizeof(live));
	become_realtime();
	start = next = now_ns();
	for (uint64_t n = 0; n < todo.warm + todo.total; n += batch) {
		if (n == todo.warm) {
			hist_begin(&calls, LIMIT_NS);
			faults = waits = 0;
			start = now_ns();
		}
		count(-1);
		for (uint64_t i = 0; i < batch; i++)
			operate();
		count(1);
		if (now_ns() > next + 50 * todo.period)
			next = now_ns(); /* a slow allocator need not catch up */
		if (todo.operations)
			sleep_until_next(&next, todo.period);
	}
	seconds = (double)(now_ns() - start) / 1e9;
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void mix(void)
{
	pthread_t rt, t[8];
	unsigned n = 0;

	prepare(1);
	memset(ring, 0, sizeof(ring));
	for (unsigned i = 0; i < todo.freers; i++)
		pthread_create(&t[n++], NULL, freer, &ring[i]);
	for (unsigned i = 0; i < todo.burners; i++)
		pthread_create(&t[n++], NULL, burner, NULL);
	pthread_create(&rt, NULL, mixed, NULL);
	pthread_join(rt, NULL);
	while (n > 0)
		pthread_join(t[--n], NULL);
}

void row_fifo(unsigned operations)
{
	todo = (struct work){.freers = 4,
		.burners = 4,
		.handed = 3,
		.alive = 20ul << 20,
		.operations = 300,
		.period = 300000,
		.warm = 150000};
	todo.total = operations ? operations : 1440000;
	mix();
	printf(" %lu %lu %.1f %.1f %ld %ld", calls.count, calls.over,
		hist_over_ppm(&calls), worst_us(), faults, waits);
	print_fallbacks();
}

void row_full(unsigned operations)
{
	todo = (struct work){.freers = 1, .handed = 2, .alive = 37ul << 20, .all = true};
	todo.total = operations ? operations : 3000000;
	mix();
	printf(" %.2f %lu %.1f %ld %ld", seconds, calls.over, worst_us(), faults, waits);
	print_fallbacks();
	print_pool();
	printf(" %.1f", resident_mib());
}
