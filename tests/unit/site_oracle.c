// SPDX-License-Identifier: MIT
/*
 * site_oracle.c - our walk and our verdicts against libunwind, over thousands of stacks
 *
 *	site_oracle OBJECT… [COUNT]
 *
 * Every stack is taken by site_stack() and by unw_step(); the return addresses have to be
 * the same, from the caller up to the end. Every stack is then asked of a set of rules,
 * twice (walked, then remembered), and the answers are compared with what the rules say
 * about the functions libunwind names.
 */
/* libs: -lunwind */
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/base.h"
#include "policy/model/cxx_name.h"
#include "sites/site.h"
#include "site_here.h"
#include "sites/site_private.h"

#define FRAMES 64
#define NAMES  65536

static int failures;
static unsigned long stacks, frames, holds, ended_early;
static uint64_t want;
static struct match_process process;

struct name {
	uintptr_t pc;
	char object[256], symbol[128];
	bool transparent;
};
static struct name names[NAMES];

/* What libunwind and the loader call an address; remembered, they are slow. */
static const struct name *name_of(unw_cursor_t *c, uintptr_t pc)
{
	struct name *n = &names[pc * 0x9e3779b97f4a7c15ull >> 48];
	unw_word_t off;
	Dl_info info;

	while (n->pc && n->pc != pc)
		n = n + 1 < names + NAMES ? n + 1 : names;
	if (n->pc)
		return n;
	n->pc = pc;
	if (unw_get_proc_name(c, n->symbol, sizeof n->symbol, &off) != 0)
		n->symbol[0] = '\0';
	if (dladdr((void *)(pc - 1), &info) && info.dli_fname)
		snprintf(n->object, sizeof n->object, "%s", info.dli_fname);
	n->transparent = strstr(n->object, "libc.so") != NULL;
	return n;
}

/* The rules' meaning, written down the long way. */
static uint64_t expected(const struct name *const *name, unsigned n)
{
	uint64_t mask = 0;

	for (int i = 0; i < process.nrule; i++) {
		const struct policy_rule *r = process.rule[i];
		int counted = 0, plus = 0, minus = 0, positive = 0;

		for (int k = 0; k < r->callsite.n; k++)
			positive |= !r->callsite.v[k].negated;
		for (unsigned k = 0; k < n && counted < r->depth; k++) {
			const char *symbol = name[k]->symbol[0] ? name[k]->symbol : NULL;
			char written[CXX_NAME_MAX];
			int v = match_site(r, name[k]->object, symbol), w = 0;

			/* a C++ function answers to both its names */
			if (symbol && cxx_name_demangle(symbol, written))
				w = match_site(r, name[k]->object, written);
			plus |= v > 0 || w > 0;
			minus |= v < 0 || w < 0;
			counted += !name[k]->transparent;
		}
		if (!minus && (plus || !positive))
			mask |= 1ull << i;
	}
	return mask;
}

static __attribute__((noinline)) unsigned unwind(
	uintptr_t *pc, const struct name **name, unsigned max)
{
	unw_context_t context;
	unw_cursor_t c;
	unw_word_t ip;
	unsigned n = 0;

	unw_getcontext(&context);
	unw_init_local(&c, &context);
	while (n < max && unw_step(&c) > 0) {
		unw_get_reg(&c, UNW_REG_IP, &ip);
		if (!ip)
			break;
		pc[n] = ip;
		name[n++] = name_of(&c, ip);
	}
	return n;
}

static void show(const char *what, const uintptr_t *pc, unsigned n)
{
	Dl_info at;

	printf("  %s:\n", what);
	for (unsigned i = 0; i < n; i++)
		printf("    %lx %s\n", (unsigned long)pc[i],
			dladdr((void *)(pc[i] - 1), &at) ? at.dli_fname : "?");
}

static void probe(void)
{
	uintptr_t ours[FRAMES], theirs[FRAMES];
	const struct name *name[FRAMES];
	SITE_FRAME(caller);
	struct site_frame f;
	unsigned n, m, start;
	uint64_t first, second, right;

	m = unwind(theirs, name, FRAMES);
	__asm__ volatile(
		"lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2\n\tmov %%rbx, %3"
		: "=&r"(f.ret), "=&r"(f.cfa), "=&r"(f.rbp), "=&r"(f.rbx));
	n = site_stack(&f, ours, FRAMES);
	/* ours begins in this function, theirs in unwind(), whose caller this is */
	start = 1;
	stacks++;
	if (n == FRAMES)
		m = n - start + 1;
	frames += n;
	ended_early += n - start < m - 1;
	if (n - start != m - 1 ||
		memcmp(ours + start, theirs + 1, (n - start) * sizeof *ours)) {
		if (failures++ < 5) {
			printf("stack %lu differs\n", stacks);
			show("ours", ours + start, n - start);
			show("libunwind", theirs + 1, m - 1);
		}
		return;
	}
	first = site_match(&caller, want);
	second = site_match(&caller, want);
	right = expected(name + 1, m - 1);
	holds += (unsigned)__builtin_popcountll(right);
	if (n < FRAMES && (first != right || second != right) && failures++ < 5) {
		printf("stack %lu: rules %lx, then %lx, expected %lx\n", stacks,
			(unsigned long)first, (unsigned long)second,
			(unsigned long)right);
		show("stack", ours + start, n - start);
	}
}

static struct policy_site values[] = {
	{"site_stack_*", "plain", false},
	{"site_stack_*", "big_frame", false},
	{"site_stack_*", "realigned_*", false},
	{"site_stack_*", "variable_frame", false},
	{"libc.so*", "qsort*", false},
	{"site_stack_*", "compare", true},
	{"site_oracle", NULL, false},
	{"site_stack_*", "recursive", true},
	{"site_stack_*", "many_registers", false},
};

/* One rule per depth and pair of values, among them one with negated values only. */
static void make_rules(void)
{
	static struct policy_rule rule[40];
	int nvalue = sizeof values / sizeof values[0];

	for (int i = 0; i < 40; i++) {
		rule[i].callsite.v = &values[i % nvalue];
		rule[i].callsite.n = i % 3 == 0 && i % nvalue + 1 < nvalue ? 2 : 1;
		rule[i].depth = 1 + i / 3;
		process.rule[i] = &rule[i];
	}
	process.nrule = 40;
}

int main(int argc, char **argv)
{
	unsigned long count = 600;

	base_init();
	make_rules();
	if (argc > 2 && atol(argv[argc - 1]) > 0)
		count = (unsigned long)atol(argv[--argc]);
	want = site_init(&process);
	site_here();
	for (int i = 1; i < argc; i++) {
		void (*run)(uint64_t, int, void (*)(void));
		void *object = dlopen(argv[i], RTLD_NOW);

		if (!object || !(run = dlsym(object, "site_run"))) {
			printf("%s\n", dlerror());
			return 1;
		}
		site_modules_changed();
		for (unsigned long seed = 0; seed < count; seed++)
			run(seed * 77 + (unsigned)i, (int)(seed % 14), probe);
	}
	printf("%lu stacks, %lu frames, %lu ended early, %lu rules held, %d wrong\n",
		stacks, frames, ended_early, holds, failures);
	return failures != 0 || holds == 0;
}
