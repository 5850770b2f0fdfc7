/* SPDX-License-Identifier: MIT */
/*
 * bounds.c - the most instructions one malloc and one free of a matched thread ever took
 *
 * Run under the library with bench/bounds.conf (make bench-bounds), or under any other
 * allocator. The processor's trap flag stops the thread after every instruction between
 * two marks: exact, whatever the path, PLT and entry point included. Each ADVERSARY
 * drives the pool into the states it thinks are bad; what it costs is kept per adversary.
 * Blocks are 16 bytes to 64 KiB. The pool never fills: the figures are not those of an
 * allocation that fails, which first gives back all that the cache holds.
 *
 * To be run on one processor, where it goes before the helper if it may: a lock that
 * somebody else holds would be counted as the instructions of looking at it.
 *
 * Output: one line per adversary: name, worst malloc, worst free. With a table as
 * argument: compares with its line "stated MALLOC FREE", which is what the manual
 * promises; exit 1 when a figure rose above it.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_MAX 4096
#define LEAST	 16UL
#define MOST	 65536UL

/* ---- counting ---- */

static volatile unsigned long steps;
static unsigned long steps_empty;

static void step_trap(int sig)
{
	steps++;
}

static inline __attribute__((always_inline)) void step_start(void)
{
	steps = 0;
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
}

static inline __attribute__((always_inline)) unsigned long step_stop(void)
{
	__asm__ volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
	return steps;
}

static __attribute__((noinline)) void *step_malloc(size_t size, unsigned long *n)
{
	void *p;

	step_start();
	p = malloc(size);
	*n = step_stop() - steps_empty;
	return p;
}

static __attribute__((noinline)) void step_free(void *p, unsigned long *n)
{
	step_start();
	free(p);
	*n = step_stop() - steps_empty;
}

static void step_init(void)
{
	struct sigaction sa = {.sa_handler = step_trap};

	sigaction(SIGTRAP, &sa, NULL);
	step_start();
	steps_empty = step_stop();
}

/* ---- the adversaries' tools ---- */

struct worst {
	unsigned long malloc, free;
	size_t malloc_size;
};

static void *live[LIVE_MAX];
static unsigned nlive;
static struct worst worst;
static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL >> 11;
}

/* As likely small as large. */
static size_t pick(size_t least, size_t most)
{
	size_t top = least + rnd() % (most - least + 1);
	unsigned bits = 64u - (unsigned)__builtin_clzl(top / least);

	top >>= rnd() % bits;
	return top < least ? least : top;
}

static void *counted_malloc(size_t size)
{
	unsigned long n;
	void *p = step_malloc(size, &n);

	if (n > worst.malloc) {
		worst.malloc = n;
		worst.malloc_size = size;
	}
	return p;
}

static void counted_free(void *p)
{
	unsigned long n;

	step_free(p, &n);
	if (n > worst.free)
		worst.free = n;
}

static void take(size_t size)
{
	if (nlive < LIVE_MAX)
		live[nlive++] = counted_malloc(size);
}

static void drop(unsigned i)
{
	counted_free(live[i]);
	live[i] = live[--nlive];
}

static void drop_all(void)
{
	while (nlive)
		drop(nlive - 1);
}

/* Another thread, which no rule matches, frees what it is given. */
static void *freer(void *arg)
{
	unsigned n = *(unsigned *)arg;

	for (unsigned i = 0; i < n; i++)
		free(live[nlive + i]);
	return NULL;
}

/* The last n live blocks are freed by somebody else. */
static void drop_remote(unsigned n)
{
	pthread_t t;

	if (n > nlive)
		n = nlive;
	nlive -= n;
	if (pthread_create(&t, NULL, freer, &n))
		exit(2);
	pthread_join(t, NULL);
}

/* A thread of another rule of the same pool allocates n blocks. */
static void *maker(void *arg)
{
	unsigned n = *(unsigned *)arg;

	pthread_setname_np(pthread_self(), "other");
	free(malloc(100));
	for (unsigned i = 0; i < n; i++)
		live[nlive++] = malloc(pick(LEAST, MOST / 4));
	return NULL;
}

static void take_remote(unsigned n)
{
	pthread_t t;

	if (pthread_create(&t, NULL, maker, &n))
		exit(2);
	pthread_join(t, NULL);
}

/* ---- the adversaries ---- */

static void random_mix(void)
{
	for (int i = 0; i < 6000; i++) {
		if (nlive < 40 || (nlive < 400 && rnd() % 2))
			take(pick(LEAST, MOST));
		else
			drop((unsigned)(rnd() % nlive));
	}
	drop_all();
}

/* Every other block goes first, so that each later free joins two neighbours. */
static void comb(void)
{
	for (int round = 0; round < 4; round++) {
		size_t size = pick(LEAST, MOST / 8);

		for (int i = 0; i < 600; i++)
			take(size + (size_t)(i % 7) * 16);
		for (unsigned i = 0; i < nlive; i += 2) {
			counted_free(live[i]);
			live[i] = NULL;
		}
		for (int i = 0; i < 200; i++)
			counted_free(counted_malloc(pick(LEAST, size * 2)));
		for (unsigned i = 1; i < nlive; i += 2)
			counted_free(live[i]);
		nlive = 0;
	}
}

/* Others give back more than fits any bin, then sizes that no bin holds are asked for. */
static void flood(void)
{
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 500; i++)
			take(pick(LEAST, MOST / 4));
		drop_remote(500);
		for (int i = 0; i < 600; i++)
			take(pick(LEAST, MOST / 4));
		drop_remote(300);
		drop_all();
	}
}

/* One size given back by others in bulk, neighbours free already; then every class. */
static void flood_comb(void)
{
	for (int round = 0; round < 4; round++) {
		size_t size = pick(LEAST, 4096);
		unsigned n = 600;

		for (unsigned i = 0; i < n; i++)
			take(size);
		for (unsigned i = 0; i < n / 2; i++) {
			void *p = live[i];

			live[i] = live[2 * i];
			live[2 * i] = p;
		}
		drop_remote(n / 2);
		for (size_t s = LEAST; s <= MOST; s += 16 + s / 8)
			counted_free(counted_malloc(s));
		drop_all();
	}
}

/* Sizes at the edges of classes: the rounded search finds nothing, the exact one must. */
static void edges(void)
{
	for (int round = 0; round < 4; round++) {
		for (unsigned bit = 5; bit < 16; bit++)
			for (size_t s = 0; s < 16; s++)
				take((1UL << bit) + (s << bit) / 16 - 8 +
					(rnd() % 3) * 8);
		take(MOST - 8);
		take(MOST);
		while (nlive > 20)
			drop((unsigned)(rnd() % nlive));
	}
	drop_all();
}

/* Nothing but the span's end is left: the largest block is cut each time. */
static void ladder(void)
{
	for (size_t s = LEAST; s <= MOST; s += s / 4)
		for (int i = 0; i < 20; i++)
			take(s);
	for (unsigned i = 0; i < nlive; i += 3)
		counted_free(live[i]);
	for (unsigned i = 1; i < nlive; i += 3)
		counted_free(live[i]);
	for (unsigned i = 2; i < nlive; i += 3)
		counted_free(live[i]);
	nlive = 0;
}

/* Blocks that do not look like this thread's own: another rule's, aligned, resized. */
static void odd(void)
{
	for (int round = 0; round < 4; round++) {
		take_remote(600);
		for (int i = 0; i < 300; i++) {
			size_t size = pick(LEAST, MOST / 4);

			live[nlive++] = i % 3 ? aligned_alloc(64, size)
					      : realloc(counted_malloc(size), size * 2);
		}
		for (unsigned i = 0; i < nlive; i++) {
			unsigned k = (unsigned)(rnd() % nlive);
			void *p = live[i];

			live[i] = live[k];
			live[k] = p;
		}
		for (int i = 0; i < 300; i++)
			take(pick(LEAST, MOST / 4));
		drop_all();
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} adversaries[] = {
	{"random", random_mix},
	{"comb", comb},
	{"flood", flood},
	{"flood-comb", flood_comb},
	{"edges", edges},
	{"ladder", ladder},
	{"odd", odd},
};

/* ---- the table ---- */

/* 1 when it took more than the table states for all states of the pool. */
static int compare(const char *table, const char *name)
{
	char line[128];
	unsigned long m = 0, f = 0;
	FILE *in = table ? fopen(table, "r") : NULL;
	int rose = 0;

	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "stated %lu %lu", &m, &f) != 2)
			continue;
		rose = worst.malloc > m || worst.free > f;
	}
	if (rose)
		printf("# rose: %s, stated are %lu %lu\n", name, m, f);
	if (in)
		fclose(in);
	return rose;
}

static void alone(void)
{
	struct sched_param first = {.sched_priority = 1};

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
}

/* arguments: the table to compare with, the one adversary to ask */
static void *matched(void *arg)
{
	char **argv = arg;
	const char *table = argv[1], *only = table ? argv[2] : NULL;
	long rose = 0;

	pthread_setname_np(pthread_self(), "bounds");
	alone();
	step_init();
	free(malloc(100));
	printf("# worst instructions of one call, 16 B..64 KiB\n# adversary malloc "
	       "free\n");
	for (size_t i = 0; i < sizeof(adversaries) / sizeof(adversaries[0]); i++) {
		if (only && strcmp(only, adversaries[i].name))
			continue;
		worst = (struct worst){0};
		seed = 0x9e3779b97f4a7c15UL;
		adversaries[i].run();
		printf("%-12s %4lu %4lu\n", adversaries[i].name, worst.malloc,
			worst.free);
		rose |= compare(table, adversaries[i].name);
	}
	fflush(stdout);
	return (void *)rose;
}

int main(int argc, char **argv)
{
	pthread_t t;
	void *rose;

	if (pthread_create(&t, NULL, matched, argv))
		return 2;
	pthread_join(t, &rose);
	return rose != NULL;
}
