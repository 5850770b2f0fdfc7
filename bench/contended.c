/* SPDX-License-Identifier: MIT */
/*
 * contended.c - realtime threads among others: who waits, takes faults, runs short
 *
 *   contended [-fS] fifo [OPERATIONS]	(default 1,440,000: 1.2 million calls)
 *	A SCHED_FIFO thread does 300 operations of 16 B .. 64 KiB every 0.3 ms, 20 MiB
 *	alive. A third of what it drops is freed by 4 ordinary threads; 4 more burn the
 *	processors.
 *	Prints: calls timed, of these over 100 us, ppm, worst us, faults, waits, fallbacks
 *   contended [-fS] full [OPERATIONS]	(default 3,000,000)
 *	It does them without pause; one ordinary thread frees half. 37 MiB are alive, with
 *	what that one has not freed yet.
 *	Prints: seconds, calls over 100 us, worst us, faults, waits, fallbacks, times the
 *	pool grew, MiB of the pool, MiB resident
 *   contended [-fSo] threads N [ROUNDS]	(default 21)
 *	N realtime threads (-o: ordinary ones) at once: each 50,000 times malloc and free
 *	of 1 .. 3000 bytes, 500 blocks alive.
 *	Prints wall ms: least, median, most of all rounds; fallbacks, times the pool grew,
 *	MiB of the pool
 *   contended [-fS] untouched
 *	A realtime thread frees 4,000 blocks of 64 KiB that an ordinary thread made and
 *	nobody wrote to.
 *	Prints: ms, worst us, faults, waits
 * The last word is the scheduling class.
 *
 * -f: the bare loop (bare.h) in the place of an allocator
 * -S: the process first installs a system call filter, which allows everything
 *
 * Faults and waits (voluntary switches) are the realtime thread's while it works, those
 * of touching its blocks included. Fallbacks: requests that the pool "contended" did not
 * serve; "-" where there is no such pool.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#define RTM_WEAK
#include <rtmem.h>

#include "contended.h"

#define THREADS	      64 /* at most */
#define THREAD_PAIRS  50000
#define THREAD_BLOCKS 500 /* alive */
#define UNTOUCHED     4000
#define ROUNDS	      1000

void *(*take)(size_t) = malloc;
void (*give)(void *) = free;
struct hist calls;
long faults, waits;
double seconds;
static bool fifo, ordinary;

/* ---- what every row needs ---- */

void prepare(unsigned threads)
{
	if (take == bare_take)
		bare_init(threads, BARE_BYTES / threads);
}

void become_realtime(void)
{
	bool may = promote(50, -1);

	pthread_setname_np(pthread_self(), "rt-contended");
	__atomic_store_n(&fifo, may, __ATOMIC_RELAXED);
}

void count(int sign)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	faults += sign * (u.ru_minflt + u.ru_majflt);
	waits += sign * u.ru_nvcsw;
}

void *timed_take(size_t size)
{
	uint64_t start = __rdtsc();
	unsigned aux;
	void *p = take(size);

	hist_add(&calls, __rdtscp(&aux) - start);
	if (!p)
		abort();
	return p;
}

void timed_give(void *p)
{
	uint64_t start = __rdtsc();
	unsigned aux;

	give(p);
	hist_add(&calls, __rdtscp(&aux) - start);
}

double worst_us(void)
{
	return (double)calls.max * ns_per_tick() / 1000;
}

static bool pool_figures(struct rtm_stats *st)
{
	return rtm_loaded() &&
	       rtm_get_stats(rtm_pool_named("contended"), st, sizeof(*st)) == B_OK;
}

void print_fallbacks(void)
{
	struct rtm_stats st;

	if (pool_figures(&st))
		printf(" %lu", st.full_events);
	else
		printf(" -");
}

void print_pool(void)
{
	struct rtm_stats st;

	if (pool_figures(&st))
		printf(" %lu %.1f", st.growths, (double)st.committed / (1 << 20));
	else
		printf(" - -");
}

/* ---- threads ---- */

static pthread_barrier_t barrier;
static uint64_t started[THREADS], ended[THREADS];

static void *churn(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	struct rng r = {0x9e3779b97f4a7c15u * (me + 1)};
	void *p[THREAD_BLOCKS] = {NULL};

	bare_mine();
	if (!ordinary)
		become_realtime();
	pthread_barrier_wait(&barrier);
	started[me] = now_ns();
	for (int i = 0; i < THREAD_PAIRS; i++) {
		uint64_t v = rng_next(&r);
		void **slot = &p[v % THREAD_BLOCKS];
		size_t size = 1 + (v >> 32) % 3000;

		give(*slot);
		*slot = take(size);
		touch(*slot, size);
	}
	for (int i = 0; i < THREAD_BLOCKS; i++)
		give(p[i]);
	ended[me] = now_ns();
	return NULL;
}

static double round_ms(unsigned n)
{
	uint64_t first = UINT64_MAX, last = 0;
	pthread_t t[THREADS];

	pthread_barrier_init(&barrier, NULL, n);
	for (unsigned i = 0; i < n; i++)
		pthread_create(&t[i], NULL, churn, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(t[i], NULL);
		first = started[i] < first ? started[i] : first;
		last = ended[i] > last ? ended[i] : last;
	}
	pthread_barrier_destroy(&barrier);
	return (double)(last - first) / 1e6;
}

static int less(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void row_threads(unsigned n, unsigned rounds)
{
	double ms[ROUNDS];

	prepare(n);
	for (unsigned i = 0; i < rounds; i++)
		ms[i] = round_ms(n);
	qsort(ms, rounds, sizeof(*ms), less);
	printf(" %.2f %.2f %.2f", ms[0], ms[rounds / 2], ms[rounds - 1]);
	print_fallbacks();
	print_pool();
}

/* ---- untouched ---- */

static void *free_untouched(void *arg)
{
	void **p = arg;
	uint64_t start;

	bare_mine();
	become_realtime();
	give(take(64)); /* its own first call is not what is looked at */
	hist_begin(&calls, LIMIT_NS);
	start = now_ns();
	count(-1);
	for (int i = 0; i < UNTOUCHED; i++)
		timed_give(p[i]);
	count(1);
	seconds = (double)(now_ns() - start) / 1e9;
	return NULL;
}

static void row_untouched(void)
{
	static void *p[UNTOUCHED];
	pthread_t t;

	prepare(2);
	bare_mine();
	for (int i = 0; i < UNTOUCHED; i++)
		p[i] = take(65536);
	pthread_create(&t, NULL, free_untouched, p);
	pthread_join(t, NULL);
	printf(" %.2f %.1f %ld %ld", seconds * 1e3, worst_us(), faults, waits);
}

/* ---- main ---- */

static void filter_all(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {1, &allow};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		exit(2);
}

static bool row(const char *name, unsigned first, unsigned second)
{
	if (!strcmp(name, "fifo"))
		row_fifo(first);
	else if (!strcmp(name, "full"))
		row_full(first);
	else if (!strcmp(name, "threads") && first > 0 && first <= THREADS)
		row_threads(first, second);
	else if (!strcmp(name, "untouched"))
		row_untouched();
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	unsigned number[2] = {0, 21};
	int o;

	while ((o = getopt(argc, argv, "fSo")) != -1) {
		if (o == 'f')
			take = bare_take, give = bare_give;
		else if (o == 'S')
			filter_all();
		else if (o == 'o')
			ordinary = true;
		else
			return 2;
	}
	for (int i = 0; i < 2 && optind + 1 + i < argc; i++)
		number[i] = (unsigned)strtoul(argv[optind + 1 + i], NULL, 0);
	ns_per_tick();
	if (optind == argc || number[1] - 1 >= ROUNDS ||
		!row(argv[optind], number[0], number[1]))
		return 2;
	printf(" %s\n", fifo ? "FIFO" : "OTHER");
	return 0;
}
