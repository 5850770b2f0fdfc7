/* SPDX-License-Identifier: MIT */
/*
 * hostile.c CASE - bad moments for a pool of 4 MiB that threads "rt-*" are matched to
 *
 * Exit 0: the program came through, and in the end the whole pool is one block again.
 */
/* cflags: -Wno-unused-parameter */
#include <sched.h>
#include <sys/mman.h>

#include "victim.h"

#define THREADS 1000
#define BLOCKS	20

static pthread_barrier_t all_there;
static void *left[THREADS];

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	if (pthread_create(&t, &attr, fn, arg)) {
		dprintf(2, "no thread\n");
		_exit(3);
	}
	return t;
}

static void *run_rt(void *fn)
{
	pthread_setname_np(pthread_self(), "rt-1");
	((void (*)(void))fn)();
	return NULL;
}

static void on_rt(void (*fn)(void))
{
	pthread_join(start(run_rt, (void *)fn), NULL);
}

static void one_block(size_t size)
{
	void *p = malloc(size);

	CHECK(in_pool(p));
	free(p);
}

/* All caches are empty: what is left of 4 MiB for one block. */
static void whole(void)
{
	one_block((4UL << 20) - 64);
}

/* ---- 1,000 threads at once ---- */

static void *one_of_many(void *number)
{
	unsigned char *p[BLOCKS];

	pthread_setname_np(pthread_self(), "rt-n");
	pthread_barrier_wait(&all_there);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < BLOCKS; i++) {
			CHECK((p[i] = malloc((size_t)(i + 1) * 8)));
			fill(p[i], (size_t)(i + 1) * 8, (unsigned char)(uintptr_t)number);
		}
		pthread_barrier_wait(&all_there);
		for (int i = 0; i < BLOCKS; i++) {
			CHECK(filled(p[i], (size_t)(i + 1) * 8,
				(unsigned char)(uintptr_t)number));
			free(p[i]);
		}
	}
	return NULL;
}

static void many(void)
{
	pthread_t t[THREADS];

	pthread_barrier_init(&all_there, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		t[i] = start(one_of_many, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	on_rt(whole);
}

/* ---- threads that leave blocks behind ---- */

static void *leaver(void *at)
{
	pthread_setname_np(pthread_self(), "rt-n");
	*(void **)at = malloc(1000);
	CHECK(in_pool(*(void **)at));
	fill(*(void **)at, 1000, 3);
	return NULL;
}

static void leave(void)
{
	for (int i = 0; i < 300; i++)
		pthread_join(start(leaver, &left[i]), NULL);
	for (int i = 0; i < 300; i++) {
		CHECK(filled(left[i], 1000, 3));
		free(left[i]);
	}
	on_rt(whole);
}

/* ---- the pool is exhausted in the middle of a realloc ---- */

static void realloc_full(void)
{
	char *p = malloc(1UL << 20), *q = malloc(2UL << 20), *r;
	bool fail = getenv("WHEN_FULL") && !strcmp(getenv("WHEN_FULL"), "fail");

	CHECK(in_pool(p) && in_pool(q));
	fill(p, 1UL << 20, 9);
	errno = 0;
	r = realloc(p, 3UL << 20);
	if (fail) {
		CHECK(!r && errno == ENOMEM);
		CHECK(in_pool(p) && filled(p, 1UL << 20, 9));
		free(p);
	} else {
		CHECK(r && !in_pool(r) && filled(r, 1UL << 20, 9));
		free(r);
	}
	free(q);
	whole();
}

static void exhausted(void)
{
	on_rt(realloc_full);
}

/* ---- the helper gets no processor ---- */

static bool stop;

static void set_fifo(int priority)
{
	struct sched_param sp = {priority};

	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &sp), 0);
}

static void *spinner(void *arg)
{
	set_fifo(10);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

/* More than the pool has, in all: freed blocks serve again with nobody's help. */
static void beside_spinner(void)
{
	pthread_t t;

	set_fifo(20);
	t = start(spinner, NULL);
	for (int i = 0; i < 20000; i++) {
		char *p = malloc(100000), *q = malloc(300);

		CHECK(in_pool(p) && in_pool(q));
		free(p);
		free(q);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	one_block((4UL << 20) - 65536); /* libc keeps something for the next thread */
}

static void starved(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	on_rt(beside_spinner);
}

/* ---- the program locks, unlocks, collapses ---- */

static void locked_first(void)
{
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	on_rt(whole);
	CHECK_EQ(munlockall(), 0);
	on_rt(whole);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static void collapse_here(void)
{
	char *p = malloc(3UL << 20);
	char *huge = (char *)(((uintptr_t)p + (2UL << 20) - 1) & -(2UL << 20));

	CHECK(in_pool(p));
	fill(p, 3UL << 20, 5);
	/* pools without huge pages refuse to be moved */
	CHECK(huge + (2UL << 20) > p + (3UL << 20) ||
		madvise(huge, 2UL << 20, MADV_COLLAPSE) != 0);
	CHECK(filled(p, 3UL << 20, 5));
	free(p);
}

static void collapse(void)
{
	on_rt(collapse_here);
	on_rt(whole);
}

/* ---- a plain run, for a tracer to break calls of ---- */

static void work_rt(void)
{
	char *p[100];

	for (int i = 0; i < 100; i++) {
		CHECK((p[i] = malloc((size_t)i * 300 + 1)));
		fill(p[i], (size_t)i * 300 + 1, (unsigned char)i);
	}
	for (int i = 0; i < 100; i++) {
		CHECK((p[i] = realloc(p[i], (size_t)i * 500 + 1)));
		CHECK(filled(p[i], (size_t)i * 300 + 1, (unsigned char)i));
	}
	for (int i = 0; i < 100; i++)
		i % 3 ? free(p[i]) : (void)(left[i] = p[i]);
}

static void work(void)
{
	for (int turn = 0; turn < 2; turn++) {
		on_rt(work_rt);
		for (int i = 0; i < 100; i += 3)
			free(left[i]);
	}
	usleep(20000);
	CHECK(write(1, "worked\n", 7) == 7);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} cases[] = {{"many", many}, {"leave", leave}, {"exhausted", exhausted},
		{"starved", starved}, {"locked_first", locked_first},
		{"collapse", collapse}, {"work", work}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc > 1 && !strcmp(argv[1], cases[i].name)) {
			cases[i].fn();
			return FAILED;
		}
	}
	return 2;
}
