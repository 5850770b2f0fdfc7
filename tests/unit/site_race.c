// SPDX-License-Identifier: MIT
/*
 * site_race.c - threads ask while objects come and go and the policy is compiled again
 *
 *	site_race ONE TWO ROUNDS   objects of tests/prog/site_plug.c
 *
 * Askers never run code of those objects, so their answers may not change; the thread
 * that opens and closes them has to get the verdict of the object that is there.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "os/base.h"
#include "site_ask.h"

enum { ASKERS = 3, R_PLUG_ONE = 0, R_PLUG_TWO, R_NEAR, R_FAR, R_N };

static struct policy_site value[R_N] = {
	{"site_plug_*", "plug_one", false},
	{"site_plug_*", "plug_two", false},
	{"site_race", "near", false},
	{"site_race", "far", false},
};
static struct policy_rule rule[R_N];
static struct match_process process[2];
static bool stop;
static __thread uint64_t mine;
static void *volatile sink;

NOINLINE static void probe(void)
{
	SITE_FRAME(caller);

	mine = site_match(&caller, want);
	AFTER();
}

NOINLINE static void near(void)
{
	probe();
	AFTER();
}

NOINLINE static void far(int n)
{
	if (n > 0)
		far(n - 1);
	else
		near();
	AFTER();
}

static void *asker(void *arg)
{
	unsigned long right = 0, n = 0;

	site_here();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) || n < 1000) {
		far((int)(n++ % 5));
		/* overtaken by a reload or a renewal, a call may find nothing; never more
		 */
		if (mine & ~(1u << R_NEAR | 1u << R_FAR))
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
		right += mine == (1u << R_NEAR | 1u << R_FAR);
	}
	if (right < n / 2)
		__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	site_thread_gone();
	return NULL;
}

static void once(const char *path, uint64_t expected)
{
	void (*run)(void (*)(void));
	void *h = dlopen(path, RTLD_NOW);

	CHECK(h != NULL);
	site_modules_changed();
	run = (void (*)(void (*)(void)))dlsym(h, "plug_run");
	for (int i = 0; i < 3; i++) {
		run(probe);
		answer = mine;
		CHECK(mine == expected);
	}
	site_module_closing(h);
	dlclose(h);
	site_module_closed();
}

int main(int argc, char **argv)
{
	pthread_t t[ASKERS];
	long rounds = argc > 3 ? atol(argv[3]) : 0;

	base_init();
	for (int i = 0; i < R_N; i++) {
		rule[i].callsite.v = &value[i];
		rule[i].callsite.n = 1;
		rule[i].depth = 3;
		process[0].rule[i] = process[1].rule[i] = &rule[i];
	}
	process[0].nrule = process[1].nrule = R_N;
	want = site_init(&process[0]);
	site_here();
	for (int i = 0; i < ASKERS; i++)
		CHECK(pthread_create(&t[i], NULL, asker, NULL) == 0);
	for (long i = 0; i < rounds; i++) {
		once(argv[1 + i % 2], i % 2 ? 1u << R_PLUG_TWO : 1u << R_PLUG_ONE);
		if (i % 16 == 0)
			site_poll();
		if (i % 64 == 5)
			site_init(&process[i / 64 % 2]);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(t[i], NULL);
	printf("%ld rounds, %d wrong\n", rounds, failures);
	return failures != 0 || rounds == 0;
}
