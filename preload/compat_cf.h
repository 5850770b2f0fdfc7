/* SPDX-License-Identifier: MIT */
/*
 * compat_cf.h - Core Foundation's objects, as far as a memory pool needs them
 */
#ifndef COMPAT_CF_H
#define COMPAT_CF_H

#include <CoreMedia/CMMemoryPool.h>
#include <stdbool.h>

enum cf_type { CF_NUMBER = 22, CF_DICTIONARY = 18, CF_ALLOCATOR = 2, CF_POOL = 1001 };

/* Every object begins with this. */
struct cf_object {
	uint32_t seal; /* CF_SEAL while it lives, 0 else; atomic: see compat_cf.c */
	enum cf_type type;
	int64_t refs; /* atomic: acq_rel at the release of the last */
	void (*destroy)(struct cf_object *o);
};

#define CF_MAX_SIZE 2048 /* bytes of an object */
/* Zeroed, one reference. NULL: no memory, or 4096 objects. */
void *cf_make(enum cf_type type, size_t size, void (*destroy)(struct cf_object *));
/* The last thing an object's destroy() does. */
void cf_free(struct cf_object *o);
/* After fork, in the child. */
void cf_child(void);
/* Is it a live object of this type? NULL is none. */
bool cf_is(const void *object, enum cf_type type);
/* The number of that key: false when it is absent. */
bool cf_option(rtm_cf_dictionary_ref options, const char *key, double *out, bool *number);

#endif
