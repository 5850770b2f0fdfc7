/* SPDX-License-Identifier: MIT */
/* Tags of rules: every block of malloc in a pool is booked on the tag of the rule that
 * gave it, whoever frees it. Threads "one" and "two" have a rule each and share a pool;
 * "far" has a pool of its own; what "one" allocates of 5,000 to 8,999 bytes is the rule
 * "middle"'s, what "sites" allocates in site() the rule "site"'s. */
/* cflags: -rdynamic */
/* libs: -Lbuild -lrtpreload */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <rtmem.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_check.h"

#define N 1200

struct sum {
	const char *name;
	uint64_t blocks, bytes;
};

static void add(const struct rtm_tag_stats *s, void *arg)
{
	struct sum *sum = arg;

	if (strcmp(s->name, sum->name))
		return;
	sum->blocks += s->blocks;
	sum->bytes += s->bytes;
}

/* Is exactly this booked on the rule? Asked both ways. */
static int booked(const char *rule, uint64_t blocks, uint64_t bytes)
{
	struct sum sum = {rule, 0, 0};

	rtm_each_tag(add, &sum);
	if (sum.blocks == blocks && sum.bytes == bytes)
		return 1;
	fprintf(stderr, "%s: %lu blocks, %lu bytes\n", rule, (unsigned long)sum.blocks,
		(unsigned long)sum.bytes);
	return 0;
}

static int tagged(const void *p, const char *rule)
{
	const char *name = rtm_tag_name(rtm_tag_of(p));

	return name && strcmp(name, rule) == 0;
}

static uint64_t taken(void *p)
{
	return malloc_usable_size(p) + 8;
}

/* ---- work for another thread ---- */

static void *block[N];
static pthread_barrier_t go, done;

struct worker {
	const char *name;
	void (*work)(void);
	pthread_t thread;
};

static void *worker(void *arg)
{
	struct worker *w = arg;

	pthread_setname_np(pthread_self(), w->name);
	w->work();
	return NULL;
}

static void as(const char *name, void (*work)(void))
{
	struct worker w = {name, work, 0};

	pthread_create(&w.thread, NULL, worker, &w);
	pthread_join(w.thread, NULL);
}

static void fill(void)
{
	for (int i = 0; i < N; i++)
		block[i] = malloc((size_t)(i * 37 % 4900));
}

static void empty(void)
{
	for (int i = 0; i < N; i++) {
		free(block[i]);
		block[i] = NULL;
	}
}

static uint64_t bytes(int from, int step)
{
	uint64_t sum = 0;

	for (int i = from; i < N; i += step)
		sum += taken(block[i]);
	return sum;
}

/* ---- */

static void free_odd_ones(void)
{
	for (int i = 1; i < N; i += 2)
		free(block[i]);
}

static void refill_odd_ones(void)
{
	for (int i = 1; i < N; i += 2)
		block[i] = malloc((size_t)(i * 37 % 4900));
	CHECK(tagged(block[1], "two") && tagged(block[N - 1], "two"));
}

/* A thread is gone, its blocks are not. */
static void others_free(void)
{
	as("one", fill);
	CHECK(tagged(block[0], "one") && tagged(block[N - 1], "one"));
	CHECK(booked("one", N, bytes(0, 1)) && booked("two", 0, 0));
	as("two", free_odd_ones);
	CHECK(booked("one", N / 2, bytes(0, 2)) && booked("two", 0, 0));
	as("two", refill_odd_ones);
	CHECK(booked("one", N / 2, bytes(0, 2)) && booked("two", N / 2, bytes(1, 2)));
	as("one", free_odd_ones);
	CHECK(booked("one", N / 2, bytes(0, 2)) && booked("two", 0, 0));
	for (int i = 1; i < N; i += 2)
		block[i] = NULL;
	empty(); /* by a thread of no rule */
	CHECK(booked("one", 0, 0) && booked("two", 0, 0));
	as("far", fill);
	CHECK(booked("far", N, bytes(0, 1)));
	as("one", empty);
	CHECK(booked("far", 0, 0) && booked("one", 0, 0));
}

/* The thread is alive, and its bins are full. */
static void look_at_one(void)
{
	rtm_tag *tag;
	struct rtm_tag_stats s;

	fill();
	tag = rtm_tag_of(block[0]);
	CHECK(booked("one", N, bytes(0, 1)));
	CHECK(rtm_get_tag_stats(tag, &s, sizeof(s)) == B_OK && s.blocks == N &&
		s.bytes == bytes(0, 1) && s.peak >= s.bytes);
	free_odd_ones();
	CHECK(booked("one", N / 2, bytes(0, 2)));
	for (int i = 1; i < N; i += 2)
		block[i] = NULL;
	empty();
	CHECK(booked("one", 0, 0));
	/* it is the policy's */
	CHECK(rtm_tag_delete(tag) == B_BAD_VALUE);
	errno = 0;
	CHECK(!rtm_tag_alloc(tag, NULL, 8) && errno == EINVAL);
}

/* Every way to get a block and every size, resized in place and moved. */
static void kinds(void)
{
	static const size_t align[] = {8, 32, 256, 4096};
	uint64_t before[2];
	void *p;

	for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
		const char *rule = size >= 5000 && size < 9000 ? "middle" : "one";

		for (unsigned k = 0; k < 4; k++) {
			p = aligned_alloc(align[k], size);
			CHECK(tagged(p, rule) && booked(rule, 1, taken(p)));
			free(p);
			p = calloc(1, size);
			CHECK(tagged(p, rule) && booked(rule, 1, taken(p)));
			p = realloc(p, size / 2 + 1);
			CHECK(booked("one", tagged(p, "one"),
				tagged(p, "one") ? taken(p) : 0));
			p = realloc(p, size * 2);
			before[0] = tagged(p, "one") ? taken(p) : 0;
			before[1] = tagged(p, "middle") ? taken(p) : 0;
			CHECK(before[0] + before[1] > 0);
			CHECK(booked("one", before[0] > 0, before[0]) &&
				booked("middle", before[1] > 0, before[1]));
			CHECK(rtm_realloc(&p, size) == B_OK && booked("two", 0, 0));
			free(p);
			CHECK(booked("one", 0, 0) && booked("middle", 0, 0));
		}
	}
}

__attribute__((noinline)) void *site(size_t size)
{
	void *p = malloc(size);

	__asm__ volatile("" : "+r"(p));
	return p;
}

/* The call site decides, for sizes of the bins and above them. */
static void sites(void)
{
	void *p, *q;

	for (int i = 0; i < 3000; i++) {
		p = site((size_t)(i * 41));
		q = malloc((size_t)(i * 41));
		CHECK(tagged(p, "site") && tagged(q, "sites") &&
			booked("site", 1, taken(p)) && booked("sites", 1, taken(q)));
		free(p);
		free(q);
		CHECK(booked("site", 0, 0) && booked("sites", 0, 0));
	}
}

static void entered(void)
{
	rtm_pool *pool;
	void *p;

	CHECK(rtm_create_pool(&pool, 100000, "mine") == B_OK);
	CHECK(rtm_enter(pool) == B_OK);
	p = malloc(100);
	CHECK(rtm_leave() == B_OK);
	CHECK(tagged(p, "(untagged)") && booked("(untagged)", 1, taken(p)));
	free(p);
	CHECK(booked("(untagged)", 0, 0));
	p = rtm_alloc(pool, 10);
	CHECK(p && booked("(untagged)", 1, taken(p)) && rtm_realloc(&p, 5000) == B_OK &&
		booked("(untagged)", 1, taken(p)));
	CHECK(rtm_delete_pool(pool) == B_OK && booked("(untagged)", 0, 0));
}

/* The parent's blocks are not the child's. */
static void children(void)
{
	int status = 1;
	void *p = malloc(100), *q;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(booked("one", 0, 0));
		free(p);
		q = malloc(100);
		CHECK(tagged(q, "one") && booked("one", 1, taken(q)));
		free(q);
		CHECK(booked("one", 0, 0));
		_exit(api_failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(booked("one", 1, taken(p)));
	free(p);
}

static unsigned next = 512;

/* Threads of all rules free each other's blocks at the same time. */
static void hammer(void)
{
	uint64_t seed = (uintptr_t)&seed | 1;

	pthread_barrier_wait(&go);
	for (int i = 0; i < 60000; i++) {
		void *p;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		p = seed % 11 ? malloc(seed >> 40 & (seed % 13 ? 0x3ff : 0x3fff))
			      : aligned_alloc(64, seed >> 40 & 0xfff);
		if (p && seed % 7 == 0)
			p = realloc(p, 1 + (seed >> 20 & 0x7ff));
		free(__atomic_exchange_n(&block[seed >> 32 & 511], p, __ATOMIC_ACQ_REL));
	}
	/* whoever is last has left nothing of the others' above */
	for (int i = 0; i < 20; i++)
		block[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)] = malloc(i * 500);
	pthread_barrier_wait(&done);
}

static void together(void)
{
	struct worker w[] = {{"one", hammer, 0}, {"two", hammer, 0}, {"far", hammer, 0},
		{"sites", hammer, 0}, {"nobody", hammer, 0}};
	unsigned n = sizeof(w) / sizeof(*w);
	struct sum found[5] = {{"one", 0, 0}, {"two", 0, 0}, {"far", 0, 0},
		{"sites", 0, 0}, {"middle", 0, 0}};

	pthread_barrier_init(&go, NULL, n);
	pthread_barrier_init(&done, NULL, n + 1);
	for (unsigned i = 0; i < n; i++)
		pthread_create(&w[i].thread, NULL, worker, &w[i]);
	pthread_barrier_wait(&done);
	for (unsigned i = 0; i < N; i++) {
		for (unsigned k = 0; block[i] && k < 5; k++) {
			if (!tagged(block[i], found[k].name))
				continue;
			found[k].blocks++;
			found[k].bytes += taken(block[i]);
		}
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(w[i].thread, NULL);
	for (unsigned k = 0; k < 5; k++)
		CHECK(booked(found[k].name, found[k].blocks, found[k].bytes) &&
			found[k].blocks > 0);
	empty();
	for (unsigned k = 0; k < 5; k++)
		CHECK(booked(found[k].name, 0, 0));
}

int main(void)
{
	others_free();
	as("one", look_at_one);
	as("one", kinds);
	as("sites", sites);
	entered();
	as("one", children);
	together();
	return api_failed;
}
