/* SPDX-License-Identifier: MIT */
/*
 * compat_cf.h - Core Foundation's objects, as far as memory pools and block buffers need
 * them
 */
#ifndef COMPAT_CF_H
#define COMPAT_CF_H

#include <CoreFoundation/CoreFoundation.h>
#include <stdbool.h>

/* The numbers of Core Foundation's own types. */
enum cf_type {
	CF_ALLOCATOR = 2,
	CF_STRING = 7,
	CF_DICTIONARY = 18,
	CF_DATA = 20,
	CF_NUMBER = 22,
	CF_POOL = 1001,
	CF_BLOCK_BUFFER = 1002
};

/* Every object begins with this. */
struct cf_object {
	uint32_t seal; /* CF_SEAL while it lives, 0 else; atomic: see compat_cf.c */
	enum cf_type type;
	int64_t refs; /* atomic: acq_rel at the release of the last */
	void (*destroy)(struct cf_object *o);
};

struct rtm_cf_number {
	struct cf_object object;
	bool whole; /* the first of these two is the number, else the second */
	int64_t integer;
	double value; /* always set */
};

#define CF_MAX_SIZE 2048 /* bytes of an object */
/* Zeroed, one reference. NULL: no memory, or 4096 objects. */
void *cf_make(enum cf_type type, size_t size, void (*destroy)(struct cf_object *));
/* The last thing an object's destroy() does. */
void cf_free(struct cf_object *o);
/* Is it a live object of this type? NULL is none. */
bool cf_is(const void *object, enum cf_type type);
/* Is it a live object? */
bool cf_is_object(const void *object);
/* What is no object, and yet may be retained and released: constants. */
bool cf_is_constant(const void *object);
/* May it be given where an allocator is wanted? NULL may. */
bool cf_is_allocator(rtm_cf_allocator_ref a);
/* The text of a string; any: also of what has to be one, being no object. Else NULL. */
const char *cf_text(const void *string, bool any);
/* Do two data say the same? */
bool cf_data_equal(const void *one, const void *other);
/* The number of that key: false when it is absent. */
bool cf_option(rtm_cf_dictionary_ref options, const char *key, double *out, bool *number);

#endif
