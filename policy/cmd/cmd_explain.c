/* SPDX-License-Identifier: MIT */
/*
 * cmd_explain.c - rtmem explain: which rule wins for one allocation, and why
 *
 * Decides nothing itself: match.c does, with the functions the library uses.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model/cxx_name.h"
#include "policy/model/glob.h"
#include "policy/model/match.h"
#include "policy/model/text.h"
#include "policy/model/units.h"
#include "policy/model/value.h"
#include "cmd.h"

#define FRAMES_MAX	64
#define NAME_MAX_THREAD 15 /* the kernel cuts longer thread names */

/* The question, as given on the command line. */
struct question {
	const char *conf;
	struct match_call call;
	struct match_frame frame[FRAMES_MAX];
	char thread[NAME_MAX_THREAD + 1];
	bool has_thread, has_sched, has_priority;
	const char *class; /* word for call.thread.sched */
};

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "rtmem explain: %s: '%s' (see rtmem explain --help)\n", what,
		value);
	return CMD_USAGE;
}

static int take_priority(struct question *q, const char *text)
{
	uint64_t v;

	if (units_count(text, strlen(text), &v) != NULL || v > 99)
		return wrong("a priority is 0..99", text);
	q->call.thread.priority = (int)v;
	q->has_priority = true;
	return CMD_OK;
}

/* CLASS[:PRIORITY] */
static int take_sched(struct question *q, char *text)
{
	size_t len = strcspn(text, ":");
	unsigned mask = value_sched_mask(text, len);

	if (mask == 0 || (mask & (mask - 1)) != 0)
		return wrong("a class is other, batch, idle, fifo, rr or deadline", text);
	q->call.thread.sched = __builtin_ctz(mask);
	q->has_sched = true;
	if (text[len] == ':') {
		text[len] = '\0';
		q->class = text;
		return take_priority(q, text + len + 1);
	}
	q->class = text;
	return CMD_OK;
}

/* The function's other name, as the library asks for it: demangled, or without what a
 * compiler has put behind it ("f.cold", "f@@V1"). */
static const char *other_name(const char *symbol)
{
	char written[CXX_NAME_MAX];
	size_t len = symbol[0] != '\0' ? 1 + strcspn(symbol + 1, ".@") : 0;

	if (cxx_name_demangle(symbol, written))
		return strdup(written);
	return symbol[len] != '\0' && strpbrk(symbol, ":(") == NULL ? strndup(symbol, len)
								    : NULL;
}

static int take_frame(struct question *q, char *text)
{
	char *bang = strchr(text, '!');

	if (q->call.nframe == FRAMES_MAX)
		return wrong("at most 64 frames are looked at", text);
	if (bang != NULL)
		*bang++ = '\0';
	q->frame[q->call.nframe++] = (struct match_frame){.object = text,
		.symbol = bang,
		.written = bang != NULL ? other_name(bang) : NULL};
	return CMD_OK;
}

static int take_size(struct question *q, const char *text)
{
	uint64_t v;
	const char *why = units_size(text, strlen(text), &v);

	if (why != NULL) {
		fprintf(stderr, "rtmem explain: '%s' %s\n", text, why);
		return CMD_USAGE;
	}
	q->call.size = v;
	q->call.has_size = true;
	return CMD_OK;
}

static void take_thread(struct question *q, const char *name)
{
	q->has_thread = true;
	if (strlen(name) > NAME_MAX_THREAD)
		fprintf(stderr,
			"rtmem explain: the kernel keeps 15 bytes of a thread's name\n");
	snprintf(q->thread, sizeof(q->thread), "%s", name);
}

static int take(struct question *q, int option, char *value)
{
	switch (option) {
	case EXPLAIN_APP:
		q->call.exe = value;
		return CMD_OK;
	case EXPLAIN_THREAD:
		take_thread(q, value);
		return CMD_OK;
	case EXPLAIN_SCHED:
		return take_sched(q, value);
	case EXPLAIN_PRIORITY:
		return take_priority(q, value);
	case EXPLAIN_CALLSITE:
		return take_frame(q, value);
	case EXPLAIN_SIZE:
		return take_size(q, value);
	default:
		q->conf = value;
		return CMD_OK;
	}
}

/* What was not said, and what cannot be. */
static int complete(struct question *q)
{
	struct match_thread *t = &q->call.thread;
	const char *base;

	if (q->call.exe == NULL)
		return wrong("an option is missing", "--app PROGRAM");
	if (!q->has_sched) {
		t->sched = t->priority > 0 ? SCHED_FIFO : SCHED_OTHER;
		q->class = t->priority > 0 ? "fifo" : "other";
	}
	if (!q->has_priority && (t->sched == SCHED_FIFO || t->sched == SCHED_RR))
		t->priority = 1;
	if ((t->priority > 0) != (t->sched == SCHED_FIFO || t->sched == SCHED_RR))
		return wrong("fifo and rr have priorities 1..99, the others 0", q->class);
	base = strrchr(q->call.exe, '/');
	base = base != NULL ? base + 1 : q->call.exe;
	if (!q->has_thread)
		snprintf(q->thread, sizeof(q->thread), "%.15s", base);
	t->name = q->thread;
	q->call.frame = q->frame;
	return CMD_OK;
}

/* One condition the rule has, whether it holds, and the fact it was asked about. */
static void print_condition(
	const char *key, const struct policy_rule *r, bool holds, const char *fact)
{
	const struct keys_key *k = &keys_table[keys_find(KEYS_RULE, key)];
	struct text t = {0};

	value_print(k, r, &t);
	if (t.len > 0)
		printf("  %-3s  %s = %s   (%s)\n", holds ? "yes" : "no", key, t.s, fact);
	text_free(&t);
}

static void print_trace(const struct match_trace *t, const struct question *q)
{
	const struct policy_rule *r = t->rule;
	const struct match_call *c = &q->call;
	char number[UNITS_PRINT_MAX];

	printf("rule %s (%s:%d): %s\n", r->name, r->origin.file, r->origin.line,
		t->wins ? "matches" : "no");
	print_condition("app", r, t->app, c->exe);
	print_condition("thread", r, t->thread, c->thread.name);
	print_condition("sched", r, t->sched, q->class);
	print_condition("priority", r, t->priority,
		units_print_count((uint64_t)c->thread.priority, number));
	print_condition("callsite", r, t->callsite,
		c->nframe == 0	 ? "no --callsite was given"
		: c->nframe == 1 ? c->frame[0].object
				 : "the callers above");
	if (r->callsite.n > 0)
		printf("       among the nearest %d caller%s\n", r->depth,
			r->depth == 1 ? "" : "s");
	print_condition("size", r, t->size,
		c->has_size ? units_print_count(c->size, number) : "no --size was given");
	print_condition("kind", r, t->kind,
		t->kind ? "switched on in [realtime]" : "switched off in [realtime]");
}

static void print_facts(const struct question *q)
{
	const struct match_call *c = &q->call;
	char size[UNITS_PRINT_MAX];

	printf("program %s, thread '%s', class %s", c->exe, c->thread.name, q->class);
	if (c->thread.priority > 0)
		printf(", priority %d", c->thread.priority);
	if (c->has_size)
		printf(", %s bytes", units_print_count(c->size, size));
	for (int i = 0; i < c->nframe; i++)
		printf("%s%s%s%s", i == 0 ? ", called from " : " from ",
			c->frame[i].object, c->frame[i].symbol != NULL ? "!" : "",
			c->frame[i].symbol != NULL ? c->frame[i].symbol : "");
	puts("\n");
}

static void print_winner(const struct policy *p, const struct policy_rule *r)
{
	const struct keys_kind *kind = &keys_kind[KEYS_POOL];

	printf("\nwinner: rule %s (%s:%d)\n", r->name, r->origin.file, r->origin.line);
	if (r->pool == POLICY_POOL_JEMALLOC) {
		puts("served by: jemalloc (exempt)");
		return;
	}
	printf("served by: pool %s", p->pool[r->pool].name);
	for (int i = kind->first; i < kind->first + kind->n; i++) {
		struct text t = {0};

		value_print(&keys_table[i], &p->pool[r->pool], &t);
		printf(", %s = %s", keys_table[i].name, t.len > 0 ? t.s : "");
		text_free(&t);
	}
	putchar('\n');
}

/* The [app] section that disables the program, or NULL. */
static const struct policy_app *disabled(const struct policy *p, const char *exe)
{
	const struct policy_app *a = match_app(p, exe, KEYS_AT_app_enabled);

	return a != NULL && !a->enabled ? a : NULL;
}

static int explain(const struct policy *p, const struct question *q)
{
	const struct policy_app *off = disabled(p, q->call.exe);
	struct match_trace t;

	print_facts(q);
	if (off != NULL) {
		printf("[app %s] (%s:%d): enabled = no\n\nno rule is tried: jemalloc\n",
			off->name, off->origin.file, off->origin.line);
		return CMD_NO;
	}
	for (int i = p->nrule - 1; i >= 0; i--) {
		bool wins = match_trace_rule(p, &p->rule[i], &q->call, &t);

		print_trace(&t, q);
		if (wins) {
			print_winner(p, &p->rule[i]);
			return CMD_OK;
		}
	}
	puts("\nno rule matches: jemalloc");
	return CMD_NO;
}

int cmd_explain(int argc, char **argv)
{
	struct question q = {0};
	struct cmd_line l;
	struct policy *p;
	int option, code;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) >= 0)
		if (take(&q, option, (char *)l.value) != CMD_OK)
			return CMD_USAGE;
	if (option == CMD_BAD)
		return CMD_USAGE;
	if (l.at != argc)
		return wrong("no operand is taken", argv[l.at]);
	if (complete(&q) != CMD_OK)
		return CMD_USAGE;
	p = cmd_load(q.conf);
	code = p->nfatal == 0 ? explain(p, &q) : CMD_NO;
	policy_free(p);
	return code;
}
