// SPDX-License-Identifier: MIT
/*
 * site.c - instructions of one question "which call-site rules hold", for callgrind
 *
 *	site MODE COUNT
 *	  empty   the loop and the calls alone, from DEPTH frames down
 *	  hit     immediate caller, seen before (site_fast)
 *	  first   immediate caller, forgotten before each question
 *	  walked  a rule that looks at 8 frames, remembered
 *	  walk    the same, walked each time
 *
 * bench/site.sh runs each MODE twice and prints the difference per question.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/os/base.h"
#include "preload/sites/site.h"
#include "preload/sites/site_private.h"
#include "preload/sites/site_thread.h"
#include "../tests/unit/site_here.h"

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER()	 __asm__ volatile("" ::: "memory")

enum { DEPTH = 8 };

static uint64_t want, answer;
static uintptr_t asked;

/* What an entry point does: fast, or the frame and the rest. */
NOINLINE static void question(void)
{
	struct site_frame f = {
		.ret = (uintptr_t)__builtin_return_address(0),
		.cfa = (uintptr_t)__builtin_frame_address(0) + 16,
		.rbp = *(const uintptr_t *)__builtin_frame_address(0),
	};

	asked = f.ret;
	if (!site_fast(f.ret, want, &answer))
		answer = site_match(&f, want);
	AFTER();
}

NOINLINE static void no_question(void)
{
	asked = (uintptr_t)__builtin_return_address(0);
	AFTER();
}

NOINLINE static void down(int n, void (*fn)(void))
{
	if (n > 0)
		down(n - 1, fn);
	else
		fn();
	AFTER();
}

static void ask(const char *mode, unsigned long count, void (*fn)(void))
{
	bool first = !strcmp(mode, "first");

	for (unsigned long i = 0; i < count; i++) {
		/* as a dlclose would, without its look at the whole table */
		if (first && asked)
			site_table_put(site_compiled, asked, 0, site_generation);
		down(DEPTH, fn);
	}
}

int main(int argc, char **argv)
{
	struct policy_site near = {"site", "down", false}, far = {"site", "main", false};
	struct policy_rule shallow = {.callsite = {&near, 1}, .depth = 1};
	struct policy_rule deep = {.callsite = {&far, 1}, .depth = 8};
	struct match_process process = {.nrule = 2, .rule = {&shallow, &deep}};
	const char *mode = argc > 2 ? argv[1] : "hit";

	base_init();
	want = site_init(&process);
	want &= strncmp(mode, "walk", 4) ? 1 : 3;
	site_here();
	if (!strcmp(mode, "walk"))
		site_self.busy = 1; /* nothing is remembered */
	ask(mode, argc > 2 ? strtoul(argv[2], NULL, 10) : 1,
		strcmp(mode, "empty") ? question : no_question);
	return !strcmp(mode, "empty") ? 0 : answer != 1;
}
