/* SPDX-License-Identifier: MIT */
/*
 * value_print.c - lists back to the text a person would write
 */
#include "quote.h"
#include "text.h"
#include "units.h"
#include "value.h"
#include "value_list.h"

void value_print_range(const struct policy_range *r, bool bytes, struct text *out)
{
	const char *(*print)(uint64_t, char *) =
		bytes ? units_print_size : units_print_count;
	char buf[UNITS_PRINT_MAX];

	text_add(out, "%s%s", r->negated ? "!" : "", print(r->lo, buf));
	if (r->lo == r->hi)
		return;
	text_add(out, "..");
	if (r->hi != UINT64_MAX)
		text_add(out, "%s", print(r->hi, buf));
}

void value_print_ranges(
	const struct keys_key *k, const struct policy_ranges *r, struct text *out)
{
	for (int i = 0; i < r->n; i++) {
		text_add(out, "%s", i > 0 ? ", " : "");
		value_print_range(&r->v[i], k->type == KEYS_SIZES, out);
	}
}

void value_print_globs(const struct policy_globs *g, struct text *out)
{
	for (int i = 0; i < g->n; i++) {
		text_add(out, "%s%s", i > 0 ? ", " : "", g->v[i].negated ? "!" : "");
		quote_print(g->v[i].pattern, true, out);
	}
}

void value_print_site(const struct policy_site *s, struct text *out)
{
	struct text t = {0};

	text_add(&t, "%s%s%s", s->object, s->symbol != NULL ? "!" : "",
		s->symbol != NULL ? s->symbol : "");
	text_add(out, "%s", s->negated ? "!" : "");
	quote_print(t.s != NULL ? t.s : "", true, out);
	out->lost |= t.lost;
	text_free(&t);
}

void value_print_sites(const struct policy_sites *s, struct text *out)
{
	for (int i = 0; i < s->n; i++) {
		text_add(out, "%s", i > 0 ? ", " : "");
		value_print_site(&s->v[i], out);
	}
}

void value_print_sched(unsigned mask, struct text *out)
{
	static const struct {
		unsigned bit;
		const char *name;
	} class[] = {
		{POLICY_SCHED_RT, "rt"},
		{POLICY_SCHED_FIFO, "fifo"},
		{POLICY_SCHED_RR, "rr"},
		{POLICY_SCHED_DEADLINE, "deadline"},
		{POLICY_SCHED_OTHER, "other"},
		{POLICY_SCHED_BATCH, "batch"},
		{POLICY_SCHED_IDLE, "idle"},
	};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(class) / sizeof(class[0]); i++) {
		if ((mask & class[i].bit) != class[i].bit)
			continue;
		text_add(out, "%s%s", comma, class[i].name);
		comma = ", ";
		mask &= ~class[i].bit;
	}
}
