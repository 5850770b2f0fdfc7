/* SPDX-License-Identifier: MIT */
/*
 * policy.c - libFuzzer target: any bytes as a policy file
 *
 * Beside memory errors and leaks it checks promises: a policy without fatal errors has
 * its references resolved and its values inside their limits; what `rtmem show` would
 * print of each value is taken again and means the same; the matcher ends.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/model/match.h"
#include "policy/model/model.h"
#include "policy/model/value.h"

#define PROMISE(cond)                                                 \
	do {                                                          \
		if (!(cond)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #cond); \
			abort();                                      \
		}                                                     \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy *load(const uint8_t *data, size_t size)
{
	int fd = memfd_create("policy", 0);
	struct find_list files;
	struct policy *p;
	char name[64];

	PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	find_named(&files, name);
	p = policy_load(&files);
	PROMISE(p != NULL);
	find_free(&files);
	close(fd);
	return p;
}

static void references(const struct policy *p)
{
	for (int i = 0; i < p->npool; i++)
		PROMISE(p->pool[i].size > 0 && p->pool[i].max >= p->pool[i].size &&
			p->pool[i].max <= UINT64_C(4194240) * 1024);
	for (int i = 0; i < p->nrule; i++) {
		const struct policy_rule *r = &p->rule[i];

		PROMISE(r->pool == POLICY_POOL_JEMALLOC ||
			(r->pool >= 0 && r->pool < p->npool));
		PROMISE(r->depth >= 1 && r->depth <= 64);
		for (int k = 0; k < r->size.n; k++)
			PROMISE(r->size.v[k].lo <= r->size.v[k].hi);
	}
	for (int i = 0; i < p->nerror; i++)
		PROMISE(!p->error[i].fatal);
}

static void printed_again(struct policy *p, enum keys_section s, void *section)
{
	const struct keys_kind *kind = &keys_kind[s];

	for (int i = kind->first; i < kind->first + kind->n; i++) {
		struct text first = {0}, second = {0};
		int errors = p->nerror;

		value_print(&keys_table[i], section, &first);
		if (first.len > 0) {
			PROMISE(value_set(p, &(struct policy_origin){0}, &keys_table[i],
				section, first.s));
			value_print(&keys_table[i], section, &second);
			PROMISE(p->nerror == errors && strcmp(first.s, second.s) == 0);
		}
		text_free(&first);
		text_free(&second);
	}
}

static void matched(const struct policy *p)
{
	const struct match_frame frame[] = {{"/lib/liba.so", "f"}, {"b", NULL}};
	const struct match_call call = {.exe = "/usr/bin/mpv",
		.thread = {"audio", SCHED_FIFO, 9},
		.frame = frame,
		.nframe = 2,
		.has_size = true,
		.size = 64};
	struct match_candidates candidates;
	struct match_process m;
	struct match_trace t;

	match_process(p, call.exe, &m);
	match_thread(&m, &call.thread, &candidates);
	PROMISE(match_allocation(&m, &candidates, 64, 0) < m.nrule);
	for (int i = 0; i < p->nrule; i++)
		match_trace_rule(p, &p->rule[i], &call, &t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *p = load(data, size);
	char buf[100];

	for (int i = 0; i < p->nerror; i++)
		policy_error_text(p, i, buf, sizeof(buf));
	if (p->nfatal == 0) {
		references(p);
		matched(p);
		for (int s = 0; s < KEYS_SECTIONS; s++)
			for (int i = 0; i < model_count(p, (enum keys_section)s); i++)
				printed_again(p, (enum keys_section)s,
					model_section(p, (enum keys_section)s, i));
	}
	policy_free(p);
	return 0;
}
