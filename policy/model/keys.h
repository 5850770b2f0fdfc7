/* SPDX-License-Identifier: MIT */
/*
 * keys.h - the table of keys.def, expanded: which sections and keys there are
 *
 * Pure, constant data. Threads: any.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum keys_section { KEYS_REALTIME, KEYS_APP, KEYS_POOL, KEYS_RULE, KEYS_SECTIONS };

enum keys_type {
	KEYS_BOOL,	/* bool */
	KEYS_WORD,	/* enum */
	KEYS_SIZE,	/* uint64_t bytes */
	KEYS_TIME,	/* uint64_t nanoseconds */
	KEYS_COUNT,	/* int */
	KEYS_SCHED,	/* unsigned mask of POLICY_SCHED_* */
	KEYS_SIZES,	/* struct policy_ranges, bytes */
	KEYS_COUNTS,	/* struct policy_ranges, plain numbers */
	KEYS_GLOBS,	/* struct policy_globs */
	KEYS_SITES,	/* struct policy_sites */
	KEYS_POOL_NAME, /* char *, resolved when all is read */
};

/* Index of a key in keys_table: KEYS_AT_rule_pool … */
enum keys_at {
#define KEY(section, key, field, type, fallback, values, help) KEYS_AT_##section##_##key,
#include "keys.def"
	KEYS_COUNT_ALL
};

struct keys_key {
	enum keys_section section;
	const char *name;
	enum keys_type type;
	const char *fallback; /* the default, as written; "": not given */
	const char *values;   /* words, or limits as a range; "": anything */
	const char *help;
	size_t offset; /* of the field in the section's struct */
};

/* A kind of section, and where a policy keeps it. */
struct keys_kind {
	const char *name;
	bool named;	   /* [pool NAME]; [realtime] has no name */
	int first, n;	   /* its keys in keys_table */
	size_t size;	   /* of its struct */
	size_t array;	   /* offset of the array pointer in struct policy (named only) */
	size_t count;	   /* offset of the array's length */
	size_t key_origin; /* offset of key_origin in its struct (or in struct policy) */
	size_t origin;	   /* offset of origin in its struct (named only) */
};

extern const struct keys_key keys_table[KEYS_COUNT_ALL];
extern const struct keys_kind keys_kind[KEYS_SECTIONS];

/* -1 when there is no such section, or no such key in it. */
int keys_find_section(const char *name);
int keys_find(enum keys_section section, const char *name);
/* Which section kinds have a key of that name? A mask of 1 << section. */
unsigned keys_sections_of(const char *name);
/* What a value of that type looks like, for messages and help. */
const char *keys_type_name(enum keys_type type);

#endif
