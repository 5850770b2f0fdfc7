// SPDX-License-Identifier: MIT
/*
 * site_compiled.c - the tables of one policy: made, touched and locked before anybody
 * reads
 *
 * A compiled set is never unmapped: a realtime thread may be between two of its reads.
 * There is one per policy and one each time half of the table's keys have died (dlclose),
 * at most SETS_MAX in all; after that the table just stays full.
 *
 * The memory of a replaced policy is used again for the third policy after it. A thread
 * that still reads it then, two changes later, finds old words or zeros. Its answer may
 * be wrong, but it reads no wrong address.
 *
 * Never on the realtime path.
 */
#include "os/log.h"
#include "memory/area.h"
#include "site_private.h"

enum { SETS_MAX = 64, GIVEN_MAX = 2 };

static struct area areas[SETS_MAX]; /* area.c keeps pointers to them, for fork */
static unsigned sets;
static struct site_compiled *given[GIVEN_MAX + 1]; /* the oldest first */
static unsigned ngiven;

void site_compiled_give(struct site_compiled *w)
{
	if (ngiven <= GIVEN_MAX)
		given[ngiven++] = w;
}

/* The oldest, zeroed, when enough others were given after it. */
static struct site_compiled *world_again(void)
{
	struct site_compiled *w = given[0];

	if (ngiven < GIVEN_MAX)
		return NULL;
	ngiven--;
	for (unsigned i = 0; i < ngiven; i++)
		given[i] = given[i + 1];
	__builtin_memset(w, 0, sizeof *w);
	return w;
}

static struct site_compiled *world_map(void)
{
	struct area *a = &areas[sets];
	struct site_compiled *w = world_again();

	if (w)
		return w;
	if (sets == SETS_MAX || area_reserve(a, NULL, sizeof(struct site_compiled),
					AREA_LOCK | AREA_PIN) != 0)
		return NULL;
	if (area_commit(a, sizeof(struct site_compiled)) != 0) {
		area_release(a);
		return NULL;
	}
	sets++;
	return (struct site_compiled *)a->base;
}

/* What kinds of values a rule has. */
static void rule_masks(struct site_compiled *w, const struct policy_rule *r, unsigned bit)
{
	uint64_t mask = 1ull << bit;
	bool positive = false, negated = false;

	if (r->callsite.n == 0)
		return;
	for (int i = 0; i < r->callsite.n; i++) {
		positive |= !r->callsite.v[i].negated;
		negated |= r->callsite.v[i].negated;
	}
	w->rules |= mask;
	if (!positive)
		w->only_negated |= mask;
	if (!negated)
		w->sure |= mask;
	for (int n = 0; n <= 64; n++)
		w->deeper[n] |= r->depth > n ? mask : 0;
}

struct site_compiled *site_compiled_new(const struct match_process *m)
{
	struct site_compiled *w = world_map();

	if (!w)
		return NULL;
	for (int i = 0; i < m->nrule; i++)
		rule_masks(w, m->rule[i], (unsigned)i);
	w->nclass = 1; /* class 0 decides nothing */
	site_class_of(w, 0, 0, false);
	return w;
}

struct site_compiled *site_compiled_renew(const struct site_compiled *old)
{
	struct site_compiled *w = world_map();

	if (!w)
		return NULL;
	__builtin_memcpy(w->class, old->class, sizeof w->class);
	__builtin_memcpy(w->deeper, old->deeper, sizeof w->deeper);
	w->rules = old->rules;
	w->only_negated = old->only_negated;
	w->sure = old->sure;
	w->nclass = old->nclass;
	w->modules = old->modules;
	return w;
}

uint16_t site_class_of(
	struct site_compiled *w, uint64_t plus, uint64_t minus, bool transparent)
{
	uint64_t shallow = w->rules & ~w->deeper[1];
	struct site_class c = {.plus = plus, .minus = minus};

	c.decided = minus | (plus & w->sure) | (transparent ? 0 : shallow);
	c.holds = (plus | w->only_negated) & ~minus & c.decided;
	for (uint32_t i = 1; i < w->nclass; i++) {
		if (!__builtin_memcmp(&w->class[i], &c, sizeof c))
			return (uint16_t)i;
	}
	if (w->nclass == SITE_CLASSES) {
		log_once("more than %d kinds of call sites, the rest match no rule",
			(int)SITE_CLASSES);
		return SITE_CLASS_UNKNOWN;
	}
	w->class[w->nclass] = c;
	return (uint16_t)w->nclass++;
}
