// SPDX-License-Identifier: MIT
/*
 * site.c - which rules hold: immediate caller, wrappers, depth, limits of a walk
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "os/base.h"
#include "sites/site.h"
#include "sites/site_private.h"
#include "sites/site_thread.h"

#include "site_ask.h"

/* --- functions that rules name ------------------------------------------- */

static void *volatile sink;

NOINLINE static void by_malloc(void)
{
	sink = malloc(10);
	AFTER();
}
NOINLINE static void by_strdup(void)
{
	sink = strdup("text");
	AFTER();
}
static void *(*operator_new)(size_t size); /* libstdc++'s */
NOINLINE static void by_new(void)
{
	sink = operator_new(10);
	AFTER();
}
NOINLINE static void *xmalloc(size_t size)
{
	void *p = malloc(size);

	AFTER();
	return p;
}
NOINLINE static void by_xmalloc(void)
{
	sink = xmalloc(10);
	AFTER();
}
NOINLINE static void upper(void (*fn)(void))
{
	fn();
	AFTER();
}
NOINLINE static void uppermost(void (*fn)(void))
{
	upper(fn);
	AFTER();
}
static int compare(const void *a, const void *b)
{
	by_malloc();
	AFTER();
	return *(const char *)a - *(const char *)b;
}
NOINLINE static void by_qsort(void)
{
	char v[] = "ba";

	qsort(v, 2, 1, compare);
	AFTER();
}

/* --- rules --------------------------------------------------------------- */

enum {
	R_MALLOC,
	R_STRDUP,
	R_NEW,
	R_XCALLER,
	R_XMALLOC,
	R_UPPER2,
	R_UPPER3,
	R_LIBC,
	R_NOT_MALLOC,
	R_QSORT9,
	R_COMPARE2,
	R_NOT_UPPER,
	R_PAIR,
	R_N
};
static struct policy_site value[] = {
	[R_MALLOC] = {"site", "by_malloc", false},
	[R_STRDUP] = {"site", "by_strdup", false},
	[R_NEW] = {"site", "by_new", false},
	[R_XCALLER] = {"site", "by_xmalloc", false},
	[R_XMALLOC] = {"*", "xmalloc", false},
	[R_UPPER2] = {"site", "upper", false},
	[R_UPPER3] = {"site", "uppermost", false},
	[R_LIBC] = {"libc.so*", "*strdup*", false},
	[R_NOT_MALLOC] = {"site", "by_malloc", true},
	[R_QSORT9] = {"*/libc.so*", "*qsort*", false},
	[R_COMPARE2] = {"site", "compare", false},
	[R_NOT_UPPER] = {"site", "upper", true},
	[R_PAIR] = {"site", NULL, false},
	[R_N] = {"site", "by_str*", true},
};
static const int depth[R_N] = {[R_MALLOC] = 1,
	[R_STRDUP] = 1,
	[R_NEW] = 1,
	[R_XCALLER] = 1,
	[R_XMALLOC] = 1,
	[R_UPPER2] = 2,
	[R_UPPER3] = 3,
	[R_LIBC] = 1,
	[R_NOT_MALLOC] = 1,
	[R_QSORT9] = 9,
	[R_COMPARE2] = 2,
	[R_NOT_UPPER] = 4,
	[R_PAIR] = 1};
static struct policy_rule rule[R_N];
static struct match_process process;

static void make_rules(void)
{
	static struct policy_site pair[2];

	memset(&process, 0, sizeof process);
	for (int i = 0; i < R_N; i++) {
		rule[i].callsite.v = &value[i];
		rule[i].callsite.n = 1;
		rule[i].depth = depth[i];
		process.rule[i] = &rule[i];
	}
	pair[0] = value[R_PAIR];
	pair[1] = value[R_N];
	rule[R_PAIR].callsite.v = pair;
	rule[R_PAIR].callsite.n = 2;
	process.nrule = R_N;
	want = site_init(&process);
}

static bool holds(int r)
{
	return answer >> r & 1;
}

/* --- tests --------------------------------------------------------------- */

static void immediate_callers(void)
{
	for (int again = 0; again < 3; again++) {
		ask(by_malloc);
		CHECK(holds(R_MALLOC) && holds(R_PAIR) && !holds(R_NOT_MALLOC));
		CHECK(!holds(R_STRDUP) && !holds(R_NEW) && !holds(R_LIBC));
		ask(by_strdup);
		CHECK(holds(R_STRDUP) && !holds(R_MALLOC) && holds(R_LIBC));
		CHECK(holds(R_NOT_MALLOC) && !holds(R_PAIR));
		ask(by_new);
		CHECK(holds(R_NEW) && !holds(R_LIBC) && holds(R_PAIR));
		ask(by_xmalloc);
		CHECK(holds(R_XCALLER) && holds(R_XMALLOC) && !holds(R_MALLOC));
	}
}

static void by_upper(void)
{
	upper(by_malloc);
}
static void by_uppermost(void)
{
	uppermost(by_malloc);
}
static void by_upper_strdup(void)
{
	uppermost(by_strdup);
}

static void deeper_callers(void)
{
	for (int again = 0; again < 3; again++) {
		ask(by_upper);
		CHECK(holds(R_UPPER2) && !holds(R_UPPER3) && !holds(R_NOT_UPPER));
		ask(by_uppermost);
		CHECK(holds(R_UPPER2) && holds(R_UPPER3) && holds(R_MALLOC));
		ask(by_upper_strdup); /* libc's frame does not count */
		CHECK(holds(R_UPPER2) && holds(R_UPPER3) && holds(R_STRDUP));
		ask(by_malloc);
		CHECK(!holds(R_UPPER2) && !holds(R_UPPER3) && holds(R_NOT_UPPER));
		ask(by_qsort);
		CHECK(holds(R_COMPARE2) && holds(R_QSORT9) && holds(R_MALLOC));
	}
}

/* One return address and one stack pointer, two callers above: only the words of the
 * stack tell them apart. */
NOINLINE static void left(void (*fn)(void))
{
	upper(fn);
	AFTER();
}
static void same_key_other_stack(void)
{
	void (*const way[2])(void (*)(void)) = {left, uppermost};

	for (int i = 0; i < 200; i++) {
		answer = ~0ull;
		asking = true;
		way[i & 1](by_malloc);
		CHECK(holds(R_UPPER3) == (i & 1));
		CHECK(holds(R_UPPER2));
	}
}

static void *unannounced(void *arg)
{
	ask(by_upper);
	CHECK(holds(R_MALLOC) && !holds(R_UPPER2));
	site_here();
	ask(by_upper);
	CHECK(holds(R_MALLOC) && holds(R_UPPER2));
	ask(by_upper_strdup);
	CHECK(holds(R_UPPER3));
	CHECK(site_self.walks != NULL);
	site_thread_gone();
	CHECK(site_self.walks == NULL && site_self.hi == 0);
	return NULL;
}

static ucontext_t back, there;
static void on_other_stack(void)
{
	upper(by_malloc);
	swapcontext(&there, &back);
}

static void other_stacks(void)
{
	pthread_t t;
	size_t size = 65536;
	char *stack = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pthread_create(&t, NULL, unannounced, NULL) == 0);
	pthread_join(t, NULL);
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = size;
	there.uc_link = NULL;
	makecontext(&there, on_other_stack, 0);
	answer = ~0ull;
	asking = true;
	swapcontext(&back, &there);
	/* nothing is known about that stack: no walk, so our own frames end it */
	CHECK(!holds(R_UPPER2));
	munmap(stack, size);
}

/* A frame whose CFA comes from rbp, and an rbp that cannot be: nothing is read there. */
static uintptr_t inside;
NOINLINE static void note_caller(void)
{
	inside = (uintptr_t)__builtin_return_address(0);
	AFTER();
}
NOINLINE static void by_variable_frame(void)
{
	static volatile size_t n = 100;
	char b[n];

	__asm__ volatile("" ::"r"(b) : "memory");
	note_caller();
	__asm__ volatile("" ::"r"(b) : "memory");
}

static void bad_registers(void)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0) & ~15ul, ret[8];
	const uintptr_t bad[] = {0, 8, sp - 4096, sp + 1, site_self.hi, site_self.hi - 8,
		UINTPTR_MAX - 7, UINTPTR_MAX & ~7ul, 1ul << 63, site_self.lo};

	by_variable_frame();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct site_frame f = {inside, sp, bad[i], bad[i]};

		CHECK(site_stack(&f, ret, 8) == 1 && ret[0] == inside);
	}
}

/* More threads than there are caches: all get the right answer, with or without. */
static pthread_barrier_t barrier;
static void *crowd(void *arg)
{
	struct site_frame f = {.ret = 0};

	site_here();
	if (!site_self.walks) /* each thread has its own */
		__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 100; i++) {
		uintptr_t ret[8];

		__asm__ volatile(
			"lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2\n\t"
			"mov %%rbx, %3"
			: "=&r"(f.ret), "=&r"(f.cfa), "=&r"(f.rbp), "=&r"(f.rbx));
		if (site_stack(&f, ret, 8) < 2 || (site_match(&f, want) & 1u << R_UPPER2))
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	}
	pthread_barrier_wait(&barrier);
	site_thread_gone();
	return NULL;
}

static void many_threads(void)
{
	enum { N = 40 };
	pthread_t t[N];

	pthread_barrier_init(&barrier, NULL, N);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++)
			CHECK(pthread_create(&t[i], NULL, crowd, NULL) == 0);
		for (int i = 0; i < N; i++)
			pthread_join(t[i], NULL);
	}
}

/* --- the table ----------------------------------------------------------- */

static void table(void)
{
	struct site_compiled *w = site_compiled;
	uint64_t known = SITE_KNOWN | SITE_CLASS_NOTHING;
	uint32_t kept = 0;

	for (uintptr_t a = 0x1000; a < 0x1000 + 2 * SITE_ENTRIES; a++)
		site_table_put(w, a, known, site_generation);
	for (uintptr_t a = 0x1000; a < 0x1000 + 2 * SITE_ENTRIES; a++)
		kept += site_table_get(w, a) == known;
	CHECK(kept > SITE_ENTRIES / 2 && kept <= SITE_ENTRIES);
	immediate_callers(); /* what finds no room is answered all the same */
	deeper_callers();
	site_table_put(w, 0x1000, known, site_generation - 1);
	CHECK(site_table_get(w, 0x1000) == 0); /* resolved in an older generation */
	site_table_forget(w, 0xfff, 0x1000 + 2 * SITE_ENTRIES);
	for (uintptr_t a = 0x1000; a < 0x1000 + 2 * SITE_ENTRIES; a++)
		CHECK(site_table_get(w, a) == 0);
	site_poll(); /* a table of dead keys is left behind */
	CHECK(site_compiled != w && site_compiled->nkey == 0);
	immediate_callers();
	CHECK(site_compiled->nkey > 0);
}

int main(void)
{
	base_init();
	operator_new =
		(void *(*)(size_t))dlsym(dlopen("libstdc++.so.6", RTLD_NOW), "_Znwm");
	make_rules();
	CHECK(want == (1u << R_N) - 1);
	site_here();
	immediate_callers();
	deeper_callers();
	same_key_other_stack();
	other_stacks();
	bad_registers();
	many_threads();
	table();
	/* a reload: the same rules, compiled again */
	make_rules();
	immediate_callers();
	deeper_callers();
	printf("%s\n", failures ? "failed" : "ok");
	return failures != 0;
}
