// SPDX-License-Identifier: MIT
/*
 * site_shim.c - preloaded into real programs: our walks against libunwind's, at malloc
 *
 * One malloc in SAMPLE is looked at: the return addresses of site_stack() have to be
 * libunwind's, and the remembered answer of site_match() the one a fresh walk gives.
 * At exit one line goes to the file named by SITE_SHIM_OUT:
 *	N stacks, N frames, N wrong, N short, N answers differ
 * wrong: an address differs; short: ours is right but ends before libunwind's.
 */
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/base.h"
#include "sites/site.h"
#include "sites/site_private.h"
#include "sites/site_thread.h"
#include "../unit/site_here.h"

enum { SAMPLE = 7, FRAMES = 64, SHOWN = 3 };

static unsigned long stacks, frames, wrong, shorter, differ;
static uint64_t want;
static unsigned shown;
static bool ready;
static __thread unsigned turn;
static __thread bool inside, announced;

static struct policy_site value[] = {
	{"*", "*alloc*", false},
	{"*", "*[Nn]ew*", false},
	{"*", "*pars*", false},
	{"lib*.so*", NULL, false},
	{"*", "*_init*", true},
	{"*", "Perl_*", false},
	{"*", "_PyEval*", false},
	{"*", "main", false},
	{"*", "av*", false},
	{"libc.so*", NULL, true},
	{"*", "*[Oo]pen*", false},
	{"*", "*_a*", false},
};
enum { VALUES = sizeof value / sizeof value[0], RULES = 2 * VALUES };

static void start(void)
{
	static struct policy_rule rule[RULES];
	static struct match_process process;

	for (int i = 0; i < RULES; i++) {
		rule[i].callsite.v = &value[i / 2];
		rule[i].callsite.n = 1;
		rule[i].depth = i % 2 ? 2 + i : 1;
		process.rule[i] = &rule[i];
	}
	process.nrule = RULES;
	base_init();
	want = site_init(&process);
	ready = true;
}

static __attribute__((noinline)) unsigned unwind(uintptr_t *pc, unsigned max)
{
	unw_context_t context;
	unw_cursor_t c;
	unw_word_t ip;
	unsigned n = 0;

	unw_getcontext(&context);
	unw_init_local(&c, &context);
	while (n < max && unw_step(&c) > 0 && !unw_get_reg(&c, UNW_REG_IP, &ip) && ip)
		pc[n++] = ip;
	return n;
}

static void show(const uintptr_t *pc, unsigned n)
{
	Dl_info at;

	for (unsigned i = 0; i < n; i++) {
		bool known = dladdr((void *)(pc[i] - 1), &at);

		fprintf(stderr, "    %s %lx\n", known ? at.dli_fname : "?",
			pc[i] - (known ? (uintptr_t)at.dli_fbase : 0));
	}
}

static __attribute__((noinline)) void compare(const struct site_frame *caller)
{
	uintptr_t ours[FRAMES], theirs[FRAMES];
	unsigned n, m, same = 1;
	struct site_frame f;
	uint64_t remembered, walked;

	m = unwind(theirs, FRAMES);
	__asm__ volatile(
		"lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2\n\tmov %%rbx, %3"
		: "=&r"(f.ret), "=&r"(f.cfa), "=&r"(f.rbp), "=&r"(f.rbx));
	n = site_stack(&f, ours, FRAMES);
	while (same < n && same < m && ours[same] == theirs[same])
		same++;
	if (same < n && same < m) {
		wrong++;
	} else if (n < m) {
		shorter++;
	}
	if (same < m && shown < SHOWN) {
		shown++;
		fprintf(stderr, "ours, %u frames of %u:\n", n, m);
		show(ours + 1, n - 1);
		fprintf(stderr, "  libunwind's, from where they part:\n");
		show(theirs + same, m - same);
	}
	stacks++;
	frames += n;
	remembered = site_match(caller, want);
	site_self.busy = 1; /* the cache is left alone: a fresh walk */
	walked = site_match(caller, want);
	site_self.busy = 0;
	differ += remembered != walked;
}

static __attribute__((noinline)) void look(const struct site_frame *caller)
{
	int saved = errno;

	if (inside || !ready)
		return;
	inside = true;
	if (!announced) {
		announced = true;
		site_here();
	}
	site_poll();
	compare(caller);
	inside = false;
	errno = saved;
}

void *__libc_malloc(size_t size);
__attribute__((visibility("default"))) void *malloc(size_t size)
{
	SITE_FRAME(caller);

	if (++turn % SAMPLE == 0)
		look(&caller);
	return __libc_malloc(size);
}

void *__libc_realloc(void *p, size_t size);
__attribute__((visibility("default"))) void *realloc(void *p, size_t size)
{
	SITE_FRAME(caller);

	if (++turn % SAMPLE == 0)
		look(&caller);
	return __libc_realloc(p, size);
}

void *__libc_memalign(size_t align, size_t size);
__attribute__((visibility("default"))) int posix_memalign(
	void **out, size_t align, size_t size)
{
	SITE_FRAME(caller);
	void *p;

	if (++turn % SAMPLE == 0)
		look(&caller);
	p = __libc_memalign(align, size);
	*out = p ? p : *out;
	return p ? 0 : ENOMEM;
}

static __attribute__((constructor)) void begin(void)
{
	inside = true;
	start();
	inside = false;
}

static __attribute__((destructor)) void report(void)
{
	const char *path = getenv("SITE_SHIM_OUT");
	FILE *f;

	inside = true;
	f = path ? fopen(path, "a") : NULL;
	if (!f)
		return;
	fprintf(f, "%lu stacks, %lu frames, %lu wrong, %lu short, %lu answers differ\n",
		stacks, frames, wrong, shorter, differ);
	fclose(f);
}
