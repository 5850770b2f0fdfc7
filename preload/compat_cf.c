/* SPDX-License-Identifier: MIT */
/*
 * compat_cf.c - reference counts, numbers and dictionaries of options
 *
 * Nothing here is on a realtime path; objects come from jemalloc.
 */
#include "compat_cf.h"

#include <string.h>

#include "base.h"
#include "log.h"

#define CF_SEAL	 0x43466f62u
#define CF_PAIRS 8

struct rtm_cf_number {
	struct cf_object object;
	double value;
};

struct rtm_cf_dictionary {
	struct cf_object object;
	long n;
	const char *key[CF_PAIRS];
	const void *value[CF_PAIRS];
};

void *cf_make(enum cf_type type, size_t size, void (*destroy)(struct cf_object *))
{
	struct cf_object *o = je_calloc(1, size);

	if (o)
		*o = (struct cf_object){CF_SEAL, type, 1, destroy};
	return o;
}

static struct cf_object *cf_object(const void *object)
{
	struct cf_object *o = (struct cf_object *)(uintptr_t)object;

	return o && (uintptr_t)o % 8 == 0 && o->seal == CF_SEAL ? o : NULL;
}

bool cf_is(const void *object, enum cf_type type)
{
	const struct cf_object *o = cf_object(object);

	return o && o->type == type;
}

rtm_cf_type rtm_cf_retain(rtm_cf_type object)
{
	struct cf_object *o = cf_object(object);

	if (o)
		/* relaxed: who retains has a reference already */
		__atomic_fetch_add(&o->refs, 1, __ATOMIC_RELAXED);
	return object;
}

void rtm_cf_release(rtm_cf_type object)
{
	struct cf_object *o = cf_object(object);

	if (!o) {
		if (object)
			log_misuse("CFRelease: %p is not an object", object);
		return;
	}
	/* acq_rel: what others did with it before they let go, before it is destroyed */
	if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) == 0)
		o->destroy(o);
}

long rtm_cf_count(rtm_cf_type object)
{
	struct cf_object *o = cf_object(object);

	return o ? __atomic_load_n(&o->refs, __ATOMIC_RELAXED) : 0;
}

unsigned long rtm_cf_type_id(rtm_cf_type object)
{
	const struct cf_object *o = cf_object(object);

	return o ? (unsigned long)o->type : 0;
}

static void cf_destroy_plain(struct cf_object *o)
{
	o->seal = 0;
	je_free(o);
}

rtm_cf_number_ref rtm_cf_number(
	rtm_cf_allocator_ref allocator, int type, const void *value)
{
	struct rtm_cf_number *n;
	double v;

	(void)allocator;
	if (!value)
		return NULL;
	switch (type) {
	case RTM_CF_INT32:
		v = *(const int32_t *)value;
		break;
	case RTM_CF_INT64:
		v = (double)*(const int64_t *)value;
		break;
	case RTM_CF_FLOAT:
		v = (double)*(const float *)value;
		break;
	case RTM_CF_DOUBLE:
		v = *(const double *)value;
		break;
	default:
		return NULL;
	}
	n = cf_make(CF_NUMBER, sizeof(*n), cf_destroy_plain);
	if (n)
		n->value = v;
	return n;
}

static void cf_destroy_dictionary(struct cf_object *o)
{
	struct rtm_cf_dictionary *d = (struct rtm_cf_dictionary *)(void *)o;

	for (long i = 0; i < d->n; i++)
		rtm_cf_release(d->value[i]);
	cf_destroy_plain(o);
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
	d->n = n;
	for (long i = 0; i < n; i++) {
		d->key[i] = keys[i];
		d->value[i] = rtm_cf_retain(values[i]);
	}
	return d;
}

bool cf_option(rtm_cf_dictionary_ref options, const char *key, double *out, bool *number)
{
	for (long i = 0; i < options->n; i++) {
		if (!options->key[i] || strcmp(options->key[i], key))
			continue;
		*number = cf_is(options->value[i], CF_NUMBER);
		if (*number)
			*out = ((const struct rtm_cf_number *)options->value[i])->value;
		return true;
	}
	return false;
}
