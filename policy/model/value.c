/* SPDX-License-Identifier: MIT */
/*
 * value.c - values that are one thing (words, numbers, names), and the way to each type
 *
 * Lists are in value_list.c. All errors of a value are reported, not only the first.
 */
#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "near.h"
#include "quote.h"
#include "units.h"
#include "value_list.h"

_Static_assert(POLICY_LOCK_NO == 2 && POLICY_HUGE_TRY == 1 && POLICY_FULL_FAIL == 1 &&
		       POLICY_COMMIT_START == 1 && POLICY_FORK_COW == 1 &&
		       POLICY_KIND_VIDEO == 2,
	"the words of keys.def stand in the order of their enums");

static bool set_word(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	int i = units_word(k->values, text, strlen(text)), n = 0;
	struct near near;
	const char *word;
	size_t len;

	if (i >= 0) {
		if (k->type == KEYS_BOOL)
			*(bool *)field = i == 0;
		else
			memcpy(field, &i, sizeof(i));
		return true;
	}
	near_begin(&near, text);
	for (; (word = units_word_at(k->values, n, &len)) != NULL; n++)
		near_offer(&near, word, len);
	if (near.best != NULL) {
		char best[NEAR_WORD_MAX + 1] = {0};

		memcpy(best, near.best, near.best_len);
		model_error(p, at, true, "%w: '%w' is not one of: %w; did you mean '%w'?",
			k->name, text, k->values, best);
	} else {
		model_error(p, at, true, "%w: '%w' is not one of: %w", k->name, text,
			k->values);
	}
	return false;
}

bool value_in_limits(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, units_parser *one, uint64_t v, const char *text)
{
	uint64_t lo = 0, hi = UINT64_MAX;

	if (k->values[0] == '\0' ||
		units_range(k->values, strlen(k->values), one, &lo, &hi) != NULL ||
		(v >= lo && v <= hi))
		return true;
	model_error(p, at, true, "%w: '%w' is outside %w", k->name, text, k->values);
	return false;
}

static bool set_number(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	units_parser *one = k->type == KEYS_SIZE   ? units_size
			    : k->type == KEYS_TIME ? units_time
						   : units_count;
	uint64_t v;
	const char *wrong = one(text, strlen(text), &v);

	if (wrong != NULL) {
		model_error(p, at, true, "%w: '%w' %w", k->name, text, wrong);
		return false;
	}
	if (!value_in_limits(p, at, k, one, v, text))
		return false;
	if (k->type == KEYS_COUNT)
		*(int *)field = (int)v;
	else
		*(uint64_t *)field = v;
	return true;
}

static bool set_pool_name(struct policy *p, char **field, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		model_no_memory(p);
		return false;
	}
	free(*field);
	*field = copy;
	return true;
}

/* One word: it may stand in quotes. */
static bool set_one(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text)
{
	char *copy = strdup(text), *word = copy;
	bool set = false;

	if (copy == NULL)
		model_no_memory(p);
	else if (!quote_strip(&word))
		model_error(p, at, true, "%w: %w has a quote that is not closed", k->name,
			text);
	else if (k->type == KEYS_POOL_NAME)
		set = set_pool_name(p, field, word);
	else if (k->type == KEYS_BOOL || k->type == KEYS_WORD)
		set = set_word(p, at, k, field, word);
	else
		set = set_number(p, at, k, field, word);
	free(copy);
	return set;
}

bool value_set(struct policy *p, const struct policy_origin *at, const struct keys_key *k,
	void *section, const char *text)
{
	void *field = (char *)section + k->offset;

	if (text[0] == '\0') {
		model_error(p, at, true, "%w: no value", k->name);
		return false;
	}
	switch (k->type) {
	case KEYS_BOOL:
	case KEYS_WORD:
	case KEYS_SIZE:
	case KEYS_TIME:
	case KEYS_COUNT:
	case KEYS_POOL_NAME:
		return set_one(p, at, k, field, text);
	case KEYS_SCHED:
		return value_set_sched(p, at, k, field, text);
	case KEYS_SIZES:
	case KEYS_COUNTS:
		return value_set_ranges(p, at, k, field, text);
	case KEYS_GLOBS:
		return value_set_globs(p, at, k, field, text);
	case KEYS_SITES:
		return value_set_sites(p, at, k, field, text);
	}
	return false;
}

static void print_word(const struct keys_key *k, const void *field, struct text *out)
{
	char word[NEAR_WORD_MAX + 1] = {0};
	const char *at;
	size_t len = 0;
	int i = 0;

	if (k->type == KEYS_BOOL)
		i = !*(const bool *)field;
	else
		memcpy(&i, field, sizeof(i));
	at = units_word_at(k->values, i, &len);
	if (at != NULL && len < sizeof(word))
		memcpy(word, at, len);
	text_add(out, "%s", word);
}

void value_print(const struct keys_key *k, const void *section, struct text *out)
{
	const void *field = (const char *)section + k->offset;
	char buf[UNITS_PRINT_MAX];

	switch (k->type) {
	case KEYS_BOOL:
	case KEYS_WORD:
		print_word(k, field, out);
		break;
	case KEYS_SIZE:
		text_add(out, "%s", units_print_size(*(const uint64_t *)field, buf));
		break;
	case KEYS_TIME:
		text_add(out, "%s", units_print_time(*(const uint64_t *)field, buf));
		break;
	case KEYS_COUNT:
		text_add(out, "%d", *(const int *)field);
		break;
	case KEYS_SCHED:
		value_print_sched(*(const unsigned *)field, out);
		break;
	case KEYS_SIZES:
	case KEYS_COUNTS:
		value_print_ranges(k, field, out);
		break;
	case KEYS_GLOBS:
		value_print_globs(field, out);
		break;
	case KEYS_SITES:
		value_print_sites(field, out);
		break;
	case KEYS_POOL_NAME:
		if (*(char *const *)field != NULL)
			quote_print(*(char *const *)field, false, out);
		break;
	}
}

void value_free(const struct keys_key *k, void *section)
{
	void *field = (char *)section + k->offset;

	switch (k->type) {
	case KEYS_SIZES:
	case KEYS_COUNTS:
		value_free_ranges(field);
		break;
	case KEYS_GLOBS:
		value_free_globs(field);
		break;
	case KEYS_SITES:
		value_free_sites(field);
		break;
	case KEYS_POOL_NAME:
		free(*(char **)field);
		*(char **)field = NULL;
		break;
	default:
		break;
	}
}
