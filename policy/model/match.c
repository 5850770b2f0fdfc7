/* SPDX-License-Identifier: MIT */
/*
 * match.c - from facts to the rule that wins
 *
 * Never allocates, never calls the system, keeps nothing. Bound: linear in the number of
 * rules and of their values.
 */
#include "match.h"

#include "cxx_name.h"
#include "glob.h"
#include "keys.h"

/*
 * How the values of one condition combine: some positive value holds (or there is none),
 * and no negated value does.
 */
struct values {
	bool positive, hit;
};

static bool verdict(struct values v)
{
	return v.hit || !v.positive;
}

static bool match_globs(const struct policy_globs *g, const char *text, bool path)
{
	struct values v = {0};

	for (int i = 0; i < g->n; i++) {
		const char *pattern = g->v[i].pattern;
		bool hit =
			path ? glob_match_path(pattern, text) : glob_match(pattern, text);

		if (g->v[i].negated && hit)
			return false;
		v.positive |= !g->v[i].negated;
		v.hit |= hit;
	}
	return verdict(v);
}

static bool match_ranges(const struct policy_ranges *r, uint64_t value)
{
	struct values v = {0};

	for (int i = 0; i < r->n; i++) {
		bool hit = r->v[i].lo <= value && value <= r->v[i].hi;

		if (r->v[i].negated && hit)
			return false;
		v.positive |= !r->v[i].negated;
		v.hit |= hit;
	}
	return verdict(v);
}

bool match_rule_app(const struct policy_rule *r, const char *exe)
{
	return match_globs(&r->app, exe, true);
}

bool match_rule_kind(const struct policy *p, const struct policy_rule *r)
{
	switch (r->kind) {
	case POLICY_KIND_AUDIO:
		return p->realtime.audio;
	case POLICY_KIND_VIDEO:
		return p->realtime.video;
	default:
		return p->realtime.allocator;
	}
}

bool match_rule_thread(const struct policy_rule *r, const char *name)
{
	return match_globs(&r->thread, name, false);
}

bool match_rule_sched(const struct policy_rule *r, int sched)
{
	if (r->sched == 0)
		return true;
	return sched >= 0 && sched < 32 && (r->sched >> sched & 1u) != 0;
}

bool match_rule_priority(const struct policy_rule *r, int priority)
{
	return r->priority.n == 0 ||
	       (priority >= 0 && match_ranges(&r->priority, (uint64_t)priority));
}

bool match_rule_size(const struct policy_rule *r, size_t size)
{
	return match_ranges(&r->size, size);
}

int match_site(const struct policy_rule *r, const char *object, const char *symbol)
{
	int answer = 0;

	for (int i = 0; i < r->callsite.n; i++) {
		const struct policy_site *s = &r->callsite.v[i];

		if (!glob_match_path(s->object, object))
			continue;
		if (s->symbol != NULL &&
			(symbol == NULL || !cxx_name_match(s->symbol, symbol)))
			continue;
		if (s->negated)
			return -1;
		answer = 1;
	}
	return answer;
}

bool match_rule_callsite(
	const struct policy_rule *r, const struct match_frame *frame, int nframe)
{
	struct values v = {0};

	for (int i = 0; i < r->callsite.n; i++)
		v.positive |= !r->callsite.v[i].negated;
	for (int i = 0; i < nframe && i < r->depth && r->callsite.n > 0; i++) {
		const struct match_frame *f = &frame[i];
		int answer = match_site(r, f->object, f->symbol);
		int other = f->written != NULL ? match_site(r, f->object, f->written) : 0;

		if (answer < 0 || other < 0)
			return false;
		v.hit |= answer > 0 || other > 0;
	}
	return verdict(v);
}

const struct policy_app *match_app(const struct policy *p, const char *exe, int key)
{
	const struct policy_app *last = NULL;

	for (int i = 0; i < p->napp; i++) {
		const struct policy_app *a = &p->app[i];

		if (a->key_origin[key - keys_kind[KEYS_APP].first].file != NULL &&
			glob_match_path(a->name, exe))
			last = a;
	}
	return last;
}

void match_process(const struct policy *p, const char *exe, struct match_process *out)
{
	const struct policy_app *enabled = match_app(p, exe, KEYS_AT_app_enabled);
	const struct policy_app *inherit = match_app(p, exe, KEYS_AT_app_inherit);
	int first = p->nrule;

	out->enabled = enabled == NULL || enabled->enabled;
	out->inherit = inherit == NULL || inherit->inherit;
	out->first = 0;
	out->nrule = 0;
	/* The parser refuses more than 64; if it did not, the last would win anyway. */
	while (first > 0 && out->nrule < POLICY_RULES_MAX) {
		const struct policy_rule *r = &p->rule[--first];

		out->nrule += match_rule_kind(p, r) && match_rule_app(r, exe);
	}
	for (int i = first, n = 0; i < p->nrule; i++) {
		const struct policy_rule *r = &p->rule[i];

		if (match_rule_kind(p, r) && match_rule_app(r, exe))
			out->rule[n++] = r;
	}
}

void match_thread(const struct match_process *m, const struct match_thread *t,
	struct match_candidates *out)
{
	int useful = 0;

	out->n = 0;
	for (int i = m->nrule - 1; i >= m->first; i--) {
		const struct policy_rule *r = m->rule[i];
		bool ask_size = r->size.n > 0, ask_site = r->callsite.n > 0;

		if (!match_rule_thread(r, t->name) || !match_rule_sched(r, t->sched) ||
			!match_rule_priority(r, t->priority))
			continue;
		out->cand[out->n].rule = (uint8_t)i;
		out->cand[out->n].ask_size = ask_size;
		out->cand[out->n].ask_site = ask_site;
		out->n++;
		if (r->pool != POLICY_POOL_JEMALLOC)
			useful = out->n;
		if (!ask_size && !ask_site)
			break;
	}
	/* exempting rules with nothing after them say what is so anyway: jemalloc */
	out->n = useful;
}

int match_allocation(const struct match_process *m, const struct match_candidates *s,
	size_t size, uint64_t sites)
{
	for (int i = 0; i < s->n; i++) {
		int rule = s->cand[i].rule;

		if (s->cand[i].ask_size && !match_rule_size(m->rule[rule], size))
			continue;
		if (s->cand[i].ask_site && (sites >> rule & 1u) == 0)
			continue;
		return m->rule[rule]->pool == POLICY_POOL_JEMALLOC ? -1 : rule;
	}
	return -1;
}

bool match_trace_rule(const struct policy *p, const struct policy_rule *r,
	const struct match_call *c, struct match_trace *out)
{
	out->rule = r;
	out->app = match_rule_app(r, c->exe);
	out->kind = match_rule_kind(p, r);
	out->thread = match_rule_thread(r, c->thread.name);
	out->sched = match_rule_sched(r, c->thread.sched);
	out->priority = match_rule_priority(r, c->thread.priority);
	out->callsite = r->callsite.n == 0 ||
			(c->nframe > 0 && match_rule_callsite(r, c->frame, c->nframe));
	out->size = r->size.n == 0 || (c->has_size && match_rule_size(r, c->size));
	out->wins = out->app && out->kind && out->thread && out->sched && out->priority &&
		    out->callsite && out->size;
	return out->wins;
}
