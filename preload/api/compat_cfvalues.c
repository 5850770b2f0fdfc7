/* SPDX-License-Identifier: MIT */
/*
 * compat_cfvalues.c - numbers and dictionaries, and whether two objects say the same
 *
 * Never on the realtime path but to read. Bound: CF_PAIRS keys are compared.
 */
#include <string.h>

#include "compat_cf.h"

#define CF_PAIRS 64

struct cf_pair {
	const void *key, *value;
	bool keeps_key, keeps_value; /* objects, retained */
};

struct rtm_cf_dictionary {
	struct cf_object object;
	bool is_mutable;
	long n;
	struct cf_pair pair[CF_PAIRS];
};

_Static_assert(sizeof(struct rtm_cf_dictionary) <= CF_MAX_SIZE, "it has a slot");

/* ---- numbers ---- */

/* False: there is no such type. */
static bool cf_read_number(struct rtm_cf_number *n, int type, const void *value)
{
	n->whole = true;
	switch (type) {
	case RTM_CF_INT8:
	case RTM_CF_CHAR:
		n->integer = *(const int8_t *)value;
		break;
	case RTM_CF_INT16:
	case RTM_CF_SHORT:
		n->integer = *(const int16_t *)value;
		break;
	case RTM_CF_INT32:
	case RTM_CF_INT:
		n->integer = *(const int32_t *)value;
		break;
	case RTM_CF_INT64:
	case RTM_CF_LONG:
	case RTM_CF_LONG_LONG:
	case RTM_CF_INDEX:
		n->integer = *(const int64_t *)value;
		break;
	case RTM_CF_FLOAT32:
	case RTM_CF_FLOAT:
		n->value = (double)*(const float *)value;
		n->whole = false;
		return true;
	case RTM_CF_FLOAT64:
	case RTM_CF_DOUBLE:
		n->value = *(const double *)value;
		n->whole = false;
		return true;
	default:
		return false;
	}
	n->value = (double)n->integer;
	return true;
}

rtm_cf_number_ref rtm_cf_number(
	rtm_cf_allocator_ref allocator, int type, const void *value)
{
	struct rtm_cf_number read, *n;

	(void)allocator;
	if (!value || !cf_read_number(&read, type, value))
		return NULL;
	n = cf_make(CF_NUMBER, sizeof(*n), cf_free);
	if (!n)
		return NULL;
	n->whole = read.whole;
	n->integer = read.whole ? read.integer : 0;
	n->value = read.value;
	return n;
}

/* What of it is whole, or as near as can be. */
static int64_t cf_integer(const struct rtm_cf_number *n)
{
	if (n->whole)
		return n->integer;
	if (!(n->value >= -0x1p63))
		return n->value != n->value ? 0 : INT64_MIN;
	return n->value < 0x1p63 ? (int64_t)n->value : INT64_MAX;
}

unsigned char rtm_cf_number_value(rtm_cf_number_ref number, int type, void *value)
{
	const struct rtm_cf_number *n = number;
	int64_t i;
	bool exact;

	if (!cf_is(number, CF_NUMBER) || !value)
		return 0;
	i = cf_integer(n);
	exact = n->whole || (double)i == n->value;
	switch (type) {
	case RTM_CF_INT8:
	case RTM_CF_CHAR:
		*(int8_t *)value = (int8_t)i;
		return exact && (int8_t)i == i;
	case RTM_CF_INT16:
	case RTM_CF_SHORT:
		*(int16_t *)value = (int16_t)i;
		return exact && (int16_t)i == i;
	case RTM_CF_INT32:
	case RTM_CF_INT:
		*(int32_t *)value = (int32_t)i;
		return exact && (int32_t)i == i;
	case RTM_CF_INT64:
	case RTM_CF_LONG:
	case RTM_CF_LONG_LONG:
	case RTM_CF_INDEX:
		*(int64_t *)value = i;
		return exact;
	case RTM_CF_FLOAT32:
	case RTM_CF_FLOAT:
		*(float *)value = (float)n->value;
		return 1;
	case RTM_CF_FLOAT64:
	case RTM_CF_DOUBLE:
		*(double *)value = n->value;
		return 1;
	}
	return 0;
}

/* ---- the same ---- */

static bool cf_number_equal(const void *one, const void *other)
{
	const struct rtm_cf_number *a = one, *b = other;

	return a->whole && b->whole ? a->integer == b->integer : a->value == b->value;
}

unsigned char rtm_cf_equal(rtm_cf_type one, rtm_cf_type other)
{
	const char *a, *b;

	if (one == other)
		return one != NULL;
	if (cf_is(one, CF_NUMBER) && cf_is(other, CF_NUMBER))
		return cf_number_equal(one, other);
	if (cf_is(one, CF_DATA) && cf_is(other, CF_DATA))
		return cf_data_equal(one, other);
	a = cf_text(one, false);
	b = a ? cf_text(other, false) : NULL;
	return b && !strcmp(a, b);
}

/* Keys that are no objects have to be text. */
static bool cf_key_equal(const void *one, const void *other)
{
	const char *a = cf_text(one, true), *b = a ? cf_text(other, true) : NULL;

	return a ? b && !strcmp(a, b) : rtm_cf_equal(one, other);
}

/* ---- dictionaries ---- */

static void cf_pair_keep(struct cf_pair *p, const void *key, const void *value)
{
	*p = (struct cf_pair){.key = key,
		.value = value,
		.keeps_key = cf_is_object(key),
		.keeps_value = cf_is_object(value)};
	rtm_cf_retain(key);
	rtm_cf_retain(value);
}

static void cf_pair_leave(struct cf_pair *p)
{
	if (p->keeps_key)
		rtm_cf_release(p->key);
	if (p->keeps_value)
		rtm_cf_release(p->value);
}

static void cf_destroy_dictionary(struct cf_object *o)
{
	struct rtm_cf_dictionary *d = (struct rtm_cf_dictionary *)(void *)o;

	for (long i = 0; i < d->n; i++)
		cf_pair_leave(&d->pair[i]);
	cf_free(o);
}

rtm_cf_dictionary_ref rtm_cf_dictionary(rtm_cf_allocator_ref allocator, const void **keys,
	const void **values, long n, const void *key_calls, const void *value_calls)
{
	struct rtm_cf_dictionary *d;

	(void)allocator, (void)key_calls, (void)value_calls;
	if (n < 0 || n > CF_PAIRS || (n && (!keys || !values)))
		return NULL;
	d = cf_make(CF_DICTIONARY, sizeof(*d), cf_destroy_dictionary);
	if (!d)
		return NULL;
	for (d->n = 0; d->n < n; d->n++)
		cf_pair_keep(&d->pair[d->n], keys[d->n], values[d->n]);
	return d;
}

rtm_cf_mutable_dictionary_ref rtm_cf_dictionary_mutable(rtm_cf_allocator_ref allocator,
	long capacity, const void *key_calls, const void *value_calls)
{
	struct rtm_cf_dictionary *d =
		cf_make(CF_DICTIONARY, sizeof(*d), cf_destroy_dictionary);

	(void)allocator, (void)capacity, (void)key_calls, (void)value_calls;
	if (d)
		d->is_mutable = true;
	return d;
}

/* NULL: it is not there. */
static const struct cf_pair *cf_find(rtm_cf_dictionary_ref d, const void *key)
{
	if (!cf_is(d, CF_DICTIONARY) || !key)
		return NULL;
	for (long i = 0; i < d->n; i++)
		if (d->pair[i].key && cf_key_equal(d->pair[i].key, key))
			return &d->pair[i];
	return NULL;
}

long rtm_cf_dictionary_count(rtm_cf_dictionary_ref dictionary)
{
	return cf_is(dictionary, CF_DICTIONARY) ? dictionary->n : 0;
}

const void *rtm_cf_dictionary_value(rtm_cf_dictionary_ref dictionary, const void *key)
{
	const struct cf_pair *p = cf_find(dictionary, key);

	return p ? p->value : NULL;
}

unsigned char rtm_cf_dictionary_contains(
	rtm_cf_dictionary_ref dictionary, const void *key)
{
	return cf_find(dictionary, key) != NULL;
}

void rtm_cf_dictionary_set(
	rtm_cf_mutable_dictionary_ref dictionary, const void *key, const void *value)
{
	struct rtm_cf_dictionary *d = dictionary;
	struct cf_pair *p, had;

	if (!cf_is(d, CF_DICTIONARY) || !d->is_mutable || !key || !value)
		return;
	p = (struct cf_pair *)(uintptr_t)cf_find(d, key);
	if (!p && d->n < CF_PAIRS) {
		cf_pair_keep(&d->pair[d->n++], key, value);
	} else if (p) {
		had = *p;
		cf_pair_keep(p, key, value);
		cf_pair_leave(&had); /* after: it may be the last of the same object */
	}
}

void rtm_cf_dictionary_remove(rtm_cf_mutable_dictionary_ref dictionary, const void *key)
{
	struct rtm_cf_dictionary *d = dictionary;
	struct cf_pair *p, had;

	if (!cf_is(d, CF_DICTIONARY) || !d->is_mutable)
		return;
	p = (struct cf_pair *)(uintptr_t)cf_find(d, key);
	if (!p)
		return;
	had = *p;
	*p = d->pair[--d->n];
	cf_pair_leave(&had);
}

bool cf_option(rtm_cf_dictionary_ref options, const char *key, double *out, bool *number)
{
	const struct cf_pair *p = cf_find(options, key);

	if (!p)
		return false;
	*number = cf_is(p->value, CF_NUMBER);
	if (*number)
		*out = ((const struct rtm_cf_number *)p->value)->value;
	return true;
}
