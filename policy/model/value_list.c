/* SPDX-License-Identifier: MIT */
/*
 * value_list.c - lists of globs, ranges, call sites and scheduling classes
 *
 * Never keeps half a list: a list with one wrong item is reported and thrown away.
 */
#include "value_list.h"

#include <stdlib.h>
#include <string.h>

#include "glob.h"
#include "model.h"
#include "near.h"
#include "quote.h"
#include "value.h"

#define THREAD_NAME_MAX 15 /* the kernel's TASK_COMM_LEN less the NUL */

/* The words of `sched` in keys.def, in that order. */
static const unsigned sched_bit[] = {POLICY_SCHED_OTHER, POLICY_SCHED_FIFO,
	POLICY_SCHED_RR, POLICY_SCHED_BATCH, POLICY_SCHED_IDLE, POLICY_SCHED_DEADLINE,
	POLICY_SCHED_RT};
#define SCHED_ALL \
	(POLICY_SCHED_OTHER | POLICY_SCHED_BATCH | POLICY_SCHED_IDLE | POLICY_SCHED_RT)

/* What every setter is handed, and the item it is at. */
struct list {
	struct policy *p;
	const struct policy_origin *at;
	const struct keys_key *key;
	char *copy, *rest; /* text being cut into items */
	char *item;	   /* without its ! and the blanks around it */
	bool negated;
	bool wrong; /* some item was */
};

static bool list_begin(struct list *l, struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, const char *text)
{
	*l = (struct list){.p = p, .at = at, .key = k, .copy = strdup(text)};
	l->rest = l->copy;
	if (l->copy == NULL)
		model_no_memory(p);
	return l->copy != NULL;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	return s;
}

static void list_error(struct list *l, const char *what)
{
	model_error(l->p, l->at, true, "%w: '%w' %w", l->key->name, l->item, what);
	l->wrong = true;
}

/* How far to go on: over quotes, and in call sites over what stands in parentheses. */
static size_t list_step(const struct list *l, size_t i, size_t len)
{
	const char *end;

	if (l->rest[i] == '(' && l->key->type == KEYS_SITES &&
		(end = memchr(l->rest + i, ')', len - i)) != NULL)
		return (size_t)(end - (l->rest + i));
	return quote_skip(l->rest, i, len);
}

/* The text up to the next comma of the list. */
static char *list_cut(struct list *l)
{
	char *item = l->rest;
	size_t len = strlen(item), i = 0;

	while (i < len && item[i] != ',')
		i += list_step(l, i, len);
	l->rest = i < len ? item + i + 1 : NULL;
	item[i] = '\0';
	return trim(item);
}

/* The next item that is not empty; empty ones are errors. */
static bool list_next(struct list *l)
{
	bool quoted;

	while (l->rest != NULL) {
		l->item = list_cut(l);
		l->negated = l->item[0] == '!';
		if (l->negated)
			l->item = trim(l->item + 1);
		quoted = l->item[0] != '\0';
		if (!quote_strip(&l->item) && l->key->type != KEYS_SITES)
			list_error(l, "has a quote that is not closed");
		else if (quoted)
			return true;
		if (!quoted)
			model_error(l->p, l->at, true, "%w: %w", l->key->name,
				l->negated ? "nothing after the '!'"
					   : "an empty item in the list");
		l->wrong = true;
	}
	return false;
}

static void *list_grow(struct list *l, void *array, int n, size_t size)
{
	void *grown = realloc(array, (size_t)(n + 1) * size);

	if (grown == NULL) {
		model_no_memory(l->p);
		l->wrong = true;
	}
	return grown;
}

static char *list_copy(struct list *l, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		model_no_memory(l->p);
		l->wrong = true;
	}
	return copy;
}

static void sched_error(struct list *l)
{
	struct near near;
	const char *word;
	size_t len;

	near_begin(&near, l->item);
	for (int i = 0; (word = units_word_at(l->key->values, i, &len)) != NULL; i++)
		near_offer(&near, word, len);
	if (near.best != NULL) {
		char best[NEAR_WORD_MAX + 1] = {0};

		memcpy(best, near.best, near.best_len);
		model_error(l->p, l->at, true,
			"%w: '%w' is not one of: %w; did you mean '%w'?", l->key->name,
			l->item, l->key->values, best);
	} else {
		model_error(l->p, l->at, true, "%w: '%w' is not one of: %w", l->key->name,
			l->item, l->key->values);
	}
	l->wrong = true;
}

unsigned value_sched_mask(const char *word, size_t len)
{
	int i = units_word(keys_table[KEYS_AT_rule_sched].values, word, len);

	return i >= 0 ? sched_bit[i] : 0;
}

bool value_set_sched(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	unsigned with = 0, without = 0;
	struct list l;

	if (!list_begin(&l, p, at, k, text))
		return false;
	while (list_next(&l)) {
		unsigned mask = value_sched_mask(l.item, strlen(l.item));

		if (mask == 0)
			sched_error(&l);
		else if (l.negated)
			without |= mask;
		else
			with |= mask;
	}
	with = (with != 0 ? with : SCHED_ALL) & ~without;
	if (!l.wrong && with == 0) {
		model_error(p, at, true, "%w: no class is left: the rule can never match",
			k->name);
		l.wrong = true;
	}
	if (!l.wrong)
		*(unsigned *)field = with;
	free(l.copy);
	return !l.wrong;
}

/* "50-80" is what people write who do not know of "50..80". */
static void range_error(struct list *l, const char *wrong)
{
	size_t lo = strspn(l->item, "0123456789KMGkmg"), hi;

	hi = l->item[lo] == '-' ? strspn(l->item + lo + 1, "0123456789KMGkmg") : 0;
	if (lo == 0 || hi == 0 || l->item[lo + 1 + hi] != '\0') {
		list_error(l, wrong);
		return;
	}
	l->item[lo] = '\0';
	model_error(l->p, l->at, true, "%w: '%s-%s' is no range; did you mean '%s..%s'?",
		l->key->name, l->item, l->item + lo + 1, l->item, l->item + lo + 1);
	l->wrong = true;
}

bool value_set_ranges(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	units_parser *one = k->type == KEYS_SIZES ? units_size : units_count;
	struct policy_ranges new = {0}, *old = field;
	struct list l;

	if (!list_begin(&l, p, at, k, text))
		return false;
	while (list_next(&l)) {
		struct policy_range r = {.negated = l.negated}, *grown;
		const char *wrong =
			units_range(l.item, strlen(l.item), one, &r.lo, &r.hi);

		if (wrong != NULL) {
			range_error(&l, wrong);
			continue;
		}
		if (!value_in_limits(p, at, k, one, r.lo, l.item) ||
			(r.hi != UINT64_MAX &&
				!value_in_limits(p, at, k, one, r.hi, l.item))) {
			l.wrong = true;
			continue;
		}
		grown = list_grow(&l, new.v, new.n, sizeof(*new.v));
		if (grown == NULL)
			break;
		new.v = grown;
		new.v[new.n++] = r;
	}
	if (!l.wrong) {
		value_free_ranges(old);
		*old = new;
	} else {
		value_free_ranges(&new);
	}
	free(l.copy);
	return !l.wrong;
}

/* A glob that is closed, and for thread names one that a name can match. */
static void check_glob(struct list *l, const char *glob)
{
	if (!glob_valid(glob))
		list_error(l, "has a '[' that is never closed");
	else if (l->key == &keys_table[KEYS_AT_rule_thread] &&
		 glob_shortest(glob) > THREAD_NAME_MAX)
		list_error(l, "can never match: a thread name has at most 15 bytes");
}

bool value_set_globs(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	struct policy_globs new = {0}, *old = field;
	struct policy_glob *grown;
	struct list l;

	if (!list_begin(&l, p, at, k, text))
		return false;
	while (list_next(&l)) {
		check_glob(&l, l.item);
		grown = list_grow(&l, new.v, new.n, sizeof(*new.v));
		if (grown == NULL)
			break;
		new.v = grown;
		new.v[new.n++] = (struct policy_glob){
			.pattern = list_copy(&l, l.item), .negated = l.negated};
	}
	if (!l.wrong) {
		value_free_globs(old);
		*old = new;
	} else {
		value_free_globs(&new);
	}
	free(l.copy);
	return !l.wrong;
}

/* object[!symbol] */
static struct policy_site read_site(struct list *l)
{
	struct policy_site s = {.negated = l->negated};
	char *bang = strchr(l->item, '!');

	check_glob(l, l->item);
	if (bang != NULL) {
		char *symbol = trim(bang + 1);

		if (symbol[0] == '\0')
			list_error(l, "has no symbol after the '!'");
		else if (!quote_strip(&symbol))
			list_error(l, "has a quote that is not closed");
		s.symbol = list_copy(l, symbol);
		*bang = '\0';
	}
	l->item = trim(l->item);
	if (!quote_strip(&l->item))
		list_error(l, "has a quote that is not closed");
	s.object = list_copy(l, l->item);
	return s;
}

bool value_set_sites(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	struct policy_sites new = {0}, *old = field;
	struct policy_site *grown;
	struct list l;

	if (!list_begin(&l, p, at, k, text))
		return false;
	while (list_next(&l)) {
		grown = list_grow(&l, new.v, new.n, sizeof(*new.v));
		if (grown == NULL)
			break;
		new.v = grown;
		new.v[new.n++] = read_site(&l);
	}
	if (!l.wrong) {
		value_free_sites(old);
		*old = new;
	} else {
		value_free_sites(&new);
	}
	free(l.copy);
	return !l.wrong;
}

void value_free_ranges(struct policy_ranges *r)
{
	free(r->v);
	*r = (struct policy_ranges){0};
}

void value_free_globs(struct policy_globs *g)
{
	for (int i = 0; i < g->n; i++)
		free(g->v[i].pattern);
	free(g->v);
	*g = (struct policy_globs){0};
}

void value_free_sites(struct policy_sites *s)
{
	for (int i = 0; i < s->n; i++) {
		free(s->v[i].object);
		free(s->v[i].symbol);
	}
	free(s->v);
	*s = (struct policy_sites){0};
}
