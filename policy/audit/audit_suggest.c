/* SPDX-License-Identifier: MIT */
/*
 * audit_suggest.c - a policy that would have served what was seen
 *
 * The margin is stated in the file: twice the sum of the threads' peaks, and room for
 * what each thread's cache holds back. What is printed, rtmem check accepts.
 */
#include <ctype.h>
#include <string.h>

#include "policy/model/units.h"
#include "audit_report.h"

#define SUGGEST_CACHE (128ull << 10) /* a thread */
#define SUGGEST_STEP  (64ull << 10)
#define SUGGEST_LEAST (256ull << 10)
#define SUGGEST_MOST  (4194240ull << 10) /* what keys.def allows */

static uint64_t clamp(uint64_t n)
{
	n = (n + SUGGEST_STEP - 1) / SUGGEST_STEP * SUGGEST_STEP;
	return n < SUGGEST_LEAST ? SUGGEST_LEAST : n > SUGGEST_MOST ? SUGGEST_MOST : n;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A section's name: what is no letter or digit becomes '-'. */
static void section_name(char *buf, size_t size, const char *program)
{
	size_t i = 0;

	for (; program[i] && i < size - 1; i++)
		buf[i] = isalnum((unsigned char)program[i]) ? program[i] : '-';
	buf[i] = '\0';
}

/* The basename as a glob: what means something there stands for any one character. */
static void print_glob(const char *name, FILE *to)
{
	for (; *name; name++)
		fputc(strchr("*?[]\\!,;#/ \t\"'", *name) || !isprint((unsigned char)*name)
				? '?'
				: *name,
			to);
}

static bool same_program(const struct audit_process *a, const struct audit_process *b)
{
	return !strcmp(base_name(a->file->program), base_name(b->file->program));
}

struct need {
	uint64_t peak;
	uint32_t threads;
	bool ordinary; /* some thread is of no realtime class */
};

/* Of one process. */
static struct need need_of(const struct audit_process *p)
{
	struct need n = {0};

	for (uint32_t i = 0; i < p->file->nthread && i < AUDIT_THREADS; i++) {
		const struct audit_thread *t = &p->file->thread[i];

		n.peak += t->all.live_peak;
		n.ordinary |= t->sched != 1 && t->sched != 2 && t->sched != 6;
		n.threads++;
	}
	return n;
}

/* Of the process of this program that needed most; false: an earlier one speaks for it.
 */
static bool need_of_program(const struct audit_report *r, int i, struct need *most)
{
	*most = need_of(r->process[i]);
	if (!most->threads)
		return false;
	for (int k = 0; k < r->nprocess; k++) {
		struct need n = need_of(r->process[k]);

		if (k == i || !n.threads || !same_program(r->process[k], r->process[i]))
			continue;
		if (k < i)
			return false;
		if (n.peak > most->peak)
			most->peak = n.peak;
		if (n.threads > most->threads)
			most->threads = n.threads;
		most->ordinary |= n.ordinary;
	}
	return true;
}

static void suggest_one(const struct audit_process *p, const struct need *n, FILE *to)
{
	const char *program = base_name(p->file->program);
	uint64_t size = clamp(2 * n->peak + n->threads * SUGGEST_CACHE);
	char name[48], a[UNITS_PRINT_MAX];

	section_name(name, sizeof(name), program);
	fprintf(to,
		"\n; %s: %u thread%s, %.1f s, at most %lu bytes alive at once\n"
		"[pool %s]\n"
		"size = %s ; twice that, and 128K a thread\n",
		name, n->threads, n->threads == 1 ? "" : "s", p->seconds,
		(unsigned long)n->peak, name, units_print_size(size, a));
	fprintf(to,
		"max = %s ; in case a longer run needs more\n"
		"\n[rule %s]\napp = ",
		units_print_size(clamp(4 * size), a), name);
	print_glob(program, to);
	if (!n->ordinary)
		fputs("\nsched = rt", to);
	fprintf(to, "\npool = %s\n", name);
}

void audit_suggest(const struct audit_report *r, FILE *to)
{
	struct need n;

	fputs("; Suggested by rtmem audit from what one run did: a run that covers more, "
	      "covers "
	      "more.\n",
		to);
	for (int i = 0; i < r->nprocess; i++)
		if (need_of_program(r, i, &n))
			suggest_one(r->process[i], &n, to);
}
