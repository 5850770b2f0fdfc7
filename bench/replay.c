/* SPDX-License-Identifier: MIT */
/*
 * replay.c - what a player's realtime thread allocated and freed, again and again
 *
 *   replay [-f TAKE,GIVE] [-s SECONDS] [-x TIMES] [-r RTMEM] TRACE
 *
 * TRACE is one of bench/traces (see its README.md), read as a circle. Each line begins
 * when it did in the player, TIMES as fast (default 1; 0: without pause). What another
 * thread freed an ordinary thread frees, and what that one had allocated it allocates.
 * The first quarter of SECONDS (default 10) counts for nothing.
 *
 * -f is the floor: as in bench/trace.c, a loop that touches memory for TAKE and GIVE ns,
 * an allocator's p50, is timed in the place of malloc and free.
 *
 * Prints ns: malloc p50 p99 p99.9 p99.99 max, and how many of a million took more than 5
 * microseconds; the same of free; the thread's page faults, how many were timed; with -r,
 * for which the process runs under the library: of 100 allocations so many were served by
 * the thread's cache, and how many the pool had no room for; else "- -". The thread's
 * class.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bare.h"
#include "common.h"
#include "floor.h"
#include "replay.h"

#define LIMIT_NS 5000
#define ADJUST	 500 /* calls between corrections of the loop */
#define RING	 1024

/* From one thread to the other. head: release by who puts, acquire by who takes; tail:
 * the other way round. */
struct ring {
	uint32_t head, tail;
	void *p[RING];
};

static bool bare;				  /* -f */
static double take_ns, give_ns;			  /* its arguments */
static unsigned take_turns = 10, give_turns = 10; /* as turns of bare_loop() */
static struct hist taking, giving;
static struct ring given, supply; /* to and from the ordinary thread */
static struct trace trace;
static double seconds = 10, times = 1;
static const char *tool; /* -r */
static bool done, fifo;
static long faults;
static uint64_t allocations, unserved; /* allocations: of these, past the cache */
static double full;
static sem_t ask, told; /* the main thread asks the tool: a realtime one starts nothing */
static uint64_t slow;	/* what it said; pairs by the two semaphores */

static bool ring_put(struct ring *r, void *p)
{
	if (r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == RING)
		return false;
	r->p[r->head % RING] = p;
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
	return true;
}

static void *ring_get(struct ring *r)
{
	void *p;

	if (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == r->tail)
		return NULL;
	p = r->p[r->tail % RING];
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
	return p;
}

/* ---- one call ---- */

static void *take(size_t size, size_t align)
{
	return align ? aligned_alloc(align, size) : malloc(size);
}

static void *timed_take(size_t size, size_t align)
{
	void *p = bare ? floor_alloc(size) : NULL;
	uint64_t start = __rdtsc();
	unsigned aux;

	if (bare)
		bare_loop(take_turns);
	else
		p = take(size, align);
	hist_add(&taking, __rdtscp(&aux) - start);
	if (!p)
		abort();
	allocations++;
	touch(p, size ? size : 1);
	return p;
}

/* ours: the floor's own; else the ordinary thread made it with malloc */
static void timed_give(void *p, bool ours)
{
	uint64_t start = __rdtsc();
	unsigned aux;

	if (bare)
		bare_loop(give_turns);
	else
		free(p);
	hist_add(&giving, __rdtscp(&aux) - start);
	if (!bare)
		return;
	if (ours)
		floor_free(p);
	else
		free(p);
}

static void give(void *p)
{
	if (bare)
		floor_free(p);
	else
		free(p);
}

/* ---- the ordinary thread ---- */

static void *ordinary(void *arg)
{
	unsigned next = 0;
	void *p = NULL, *q;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		while ((q = ring_get(&given)))
			give(q);
		while (trace.foreigners) {
			if (!p)
				p = malloc(trace.foreign[next++ % trace.foreigners]);
			if (!ring_put(&supply, p))
				break;
			p = NULL;
		}
		usleep(200);
	}
	return NULL;
}

/* ---- the realtime thread ---- */

/* What bench/record.awk calls a circle: at the first time there is nothing to free yet.
 */
static void *leave(const struct op *o)
{
	void *p = trace.block[o->block];

	trace.block[o->block] = NULL;
	return p;
}

static void step(const struct op *o)
{
	void *p;

	switch (o->kind) {
	case OP_ALLOC:
		trace.block[o->block] = timed_take(o->size, o->align);
		break;
	case OP_FREE:
		if ((p = leave(o)))
			timed_give(p, true);
		break;
	case OP_GIVEN:
		if ((p = leave(o)) && !ring_put(&given, p))
			timed_give(p, true);
		break;
	case OP_FOREIGN:
		if ((p = ring_get(&supply)))
			timed_give(p, false);
		break;
	case OP_END:
		give(leave(o));
		break;
	}
}

/* The loop's turns by what they took: of the p50, not of the least, and where caches are
 * as cold as they are for an allocator. */
static void adjust(unsigned *turns, struct hist *h, double want_ns)
{
	double turned;

	if (h->count < ADJUST)
		return;
	turned = *turns * want_ns / ((double)hist_at(h, 0.5) * ns_per_tick());
	*turns = turned < 1 ? 1 : (unsigned)(turned + 0.5);
	hist_begin(h, LIMIT_NS);
}

static long thread_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt + u.ru_majflt;
}

/* The number behind a name in what the tool says, from `text` on. */
static double figure(const char *text, const char *name)
{
	const char *p = text ? strstr(text, name) : NULL;

	if (!p)
		exit(2);
	return atof(p + strlen(name));
}

/* Figures of the library: this thread's allocations that its cache did not serve. */
static uint64_t ask_tool(void)
{
	static char text[65536];
	char command[512];
	FILE *f;

	if (!tool)
		return 0;
	snprintf(command, sizeof(command), "LD_PRELOAD= %s stat --json %d", tool,
		getpid());
	f = popen(command, "r");
	if (!f)
		exit(2);
	setvbuf(f, NULL, _IONBF, 0);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	pclose(f);
	full = figure(text, "\"full\":");
	return (uint64_t)figure(
		strstr(text, "\"name\":\"" BENCH_RT_NAME "\""), "\"slow_paths\":");
}

static uint64_t asked(void)
{
	sem_post(&ask);
	sem_wait(&told);
	return slow;
}

static void begin_to_count(void)
{
	unserved = asked();
	allocations = 0;
	hist_begin(&taking, LIMIT_NS);
	hist_begin(&giving, LIMIT_NS);
	faults = thread_faults();
}

static void play(void)
{
	uint64_t next = now_ns(), warm = next + (uint64_t)(seconds * 0.25e9);
	uint64_t end = next + (uint64_t)(seconds * 1e9), now;
	bool counts = false;

	for (unsigned i = 0; (now = now_ns()) < end;
		i = i + 1 < trace.lines ? i + 1 : 0) {
		const struct line *l = &trace.line[i];

		if (!counts && now >= warm) {
			begin_to_count();
			counts = true;
			next = now_ns();
		} else if (!counts && bare) {
			adjust(&take_turns, &taking, take_ns);
			adjust(&give_turns, &giving, give_ns);
		}
		if (times > 0)
			sleep_until_next(&next, (uint64_t)(l->us * 1e3 / times));
		for (unsigned j = 0; j < l->n; j++)
			step(&l->op[j]);
	}
}

static void *realtime(void *arg)
{
	floor_mine();
	memset(&given, 0, sizeof(given));
	fifo = promote(80, 1);
	for (unsigned i = 0; i < trace.keeps; i++)
		for (unsigned j = 0; j < trace.keep[i].count; j++)
			timed_take(trace.keep[i].size, 0);
	play();
	faults = thread_faults() - faults;
	unserved = asked() - unserved;
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void print(const struct hist *h)
{
	static const double at[] = {0.5, 0.99, 0.999, 0.9999};

	for (int i = 0; i < 4; i++)
		printf(" %.0f", (double)hist_at(h, at[i]) * ns_per_tick());
	printf(" %.0f %.0f", (double)h->max * ns_per_tick(), hist_over_ppm(h));
}

static void options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "f:r:s:x:")) != -1) {
		if (o == 'r')
			tool = optarg;
		else if (o == 's')
			seconds = atof(optarg);
		else if (o == 'x')
			times = atof(optarg);
		else if (o == 'f')
			bare = sscanf(optarg, "%lf,%lf", &take_ns, &give_ns) == 2;
		else
			exit(2);
		if (o == 'f' && (!bare || floor_init(128 << 20) < 0))
			exit(2);
	}
	if (optind + 1 != argc)
		exit(2);
	trace_read(&trace, argv[optind]);
}

int main(int argc, char **argv)
{
	pthread_t rt, other;

	options(argc, argv);
	ns_per_tick();
	pthread_create(&other, NULL, ordinary, NULL);
	sem_init(&ask, 0, 0);
	sem_init(&told, 0, 0);
	pthread_create(&rt, NULL, realtime, NULL);
	for (int i = 0; i < 2; i++) { /* when counting begins, and at the end */
		sem_wait(&ask);
		slow = ask_tool();
		sem_post(&told);
	}
	pthread_join(rt, NULL);
	pthread_join(other, NULL);
	print(&taking);
	print(&giving);
	printf(" %ld %lu", faults, taking.count);
	if (tool)
		printf(" %.1f %.0f", 100.0 * (1 - (double)unserved / (double)allocations),
			full);
	else
		printf(" - -");
	printf(" %s\n", fifo ? "FIFO" : "OTHER");
	return 0;
}
