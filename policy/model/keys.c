/* SPDX-License-Identifier: MIT */
/*
 * keys.c - keys.def expanded into tables
 *
 * Knows what keys exist and where their values are kept; never what they mean.
 * Bound: look-ups are linear in the number of keys.
 */
#include "keys.h"

#include <string.h>

#include "policy.h"

#define SECTION_realtime KEYS_REALTIME
#define SECTION_app	 KEYS_APP
#define SECTION_pool	 KEYS_POOL
#define SECTION_rule	 KEYS_RULE

#define TYPE_BOOL   KEYS_BOOL
#define TYPE_WORD   KEYS_WORD
#define TYPE_SIZE   KEYS_SIZE
#define TYPE_TIME   KEYS_TIME
#define TYPE_COUNT  KEYS_COUNT
#define TYPE_SCHED  KEYS_SCHED
#define TYPE_SIZES  KEYS_SIZES
#define TYPE_COUNTS KEYS_COUNTS
#define TYPE_GLOBS  KEYS_GLOBS
#define TYPE_SITES  KEYS_SITES
#define TYPE_POOL   KEYS_POOL_NAME

const struct keys_key keys_table[KEYS_COUNT_ALL] = {
#define KEY(section, key, field, type, fallback, values, help)         \
	{SECTION_##section, #key, TYPE_##type, fallback, values, help, \
		offsetof(struct policy_##section, field)},
#include "keys.def"
};

const struct keys_kind keys_kind[KEYS_SECTIONS] = {
	[KEYS_REALTIME] = {.name = "realtime",
		.first = KEYS_AT_realtime_allocator,
		.n = KEYS_AT_app_enabled - KEYS_AT_realtime_allocator,
		.size = sizeof(struct policy_realtime),
		.key_origin = offsetof(struct policy, realtime_origin)},
	[KEYS_APP] = {.name = "app",
		.named = true,
		.first = KEYS_AT_app_enabled,
		.n = KEYS_AT_pool_size - KEYS_AT_app_enabled,
		.size = sizeof(struct policy_app),
		.array = offsetof(struct policy, app),
		.count = offsetof(struct policy, napp),
		.key_origin = offsetof(struct policy_app, key_origin),
		.origin = offsetof(struct policy_app, origin)},
	[KEYS_POOL] = {.name = "pool",
		.named = true,
		.first = KEYS_AT_pool_size,
		.n = KEYS_AT_rule_app - KEYS_AT_pool_size,
		.size = sizeof(struct policy_pool),
		.array = offsetof(struct policy, pool),
		.count = offsetof(struct policy, npool),
		.key_origin = offsetof(struct policy_pool, key_origin),
		.origin = offsetof(struct policy_pool, origin)},
	[KEYS_RULE] = {.name = "rule",
		.named = true,
		.first = KEYS_AT_rule_app,
		.n = KEYS_COUNT_ALL - KEYS_AT_rule_app,
		.size = sizeof(struct policy_rule),
		.array = offsetof(struct policy, rule),
		.count = offsetof(struct policy, nrule),
		.key_origin = offsetof(struct policy_rule, key_origin),
		.origin = offsetof(struct policy_rule, origin)},
};

int keys_find_section(const char *name)
{
	for (int s = 0; s < KEYS_SECTIONS; s++)
		if (strcmp(keys_kind[s].name, name) == 0)
			return s;
	return -1;
}

int keys_find(enum keys_section section, const char *name)
{
	const struct keys_kind *k = &keys_kind[section];

	for (int i = k->first; i < k->first + k->n; i++)
		if (strcmp(keys_table[i].name, name) == 0)
			return i;
	return -1;
}

unsigned keys_sections_of(const char *name)
{
	unsigned mask = 0;

	for (int i = 0; i < KEYS_COUNT_ALL; i++)
		if (strcmp(keys_table[i].name, name) == 0)
			mask |= 1u << keys_table[i].section;
	return mask;
}

const char *keys_type_name(enum keys_type type)
{
	switch (type) {
	case KEYS_BOOL:
	case KEYS_WORD:
		return "word";
	case KEYS_SIZE:
		return "size (bytes, K M G)";
	case KEYS_TIME:
		return "time (ms s)";
	case KEYS_COUNT:
		return "number";
	case KEYS_SCHED:
		return "classes";
	case KEYS_SIZES:
		return "sizes or ranges (bytes, K M G)";
	case KEYS_COUNTS:
		return "numbers or ranges";
	case KEYS_GLOBS:
		return "globs";
	case KEYS_SITES:
		return "object[!symbol] globs";
	case KEYS_POOL_NAME:
		return "pool name";
	}
	return "";
}
