/* SPDX-License-Identifier: MIT */
/*
 * value_list.h - values that are lists: a, b, !c
 *
 * Items are separated by commas; a leading ! negates an item; an empty item is an error.
 * The set functions follow value_set(): all problems are reported, and on any the field
 * stays as it was.
 */
#ifndef VALUE_LIST_H
#define VALUE_LIST_H

#include "keys.h"
#include "policy.h"
#include "text.h"
#include "units.h"

typedef bool value_setter(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, void *field, const char *text);

value_setter value_set_sched;  /* unsigned */
value_setter value_set_ranges; /* struct policy_ranges */
value_setter value_set_globs;  /* struct policy_globs */
value_setter value_set_sites;  /* struct policy_sites */

void value_print_ranges(
	const struct keys_key *k, const struct policy_ranges *r, struct text *out);
void value_print_globs(const struct policy_globs *g, struct text *out);
void value_print_sites(const struct policy_sites *s, struct text *out);

void value_free_ranges(struct policy_ranges *r);
void value_free_globs(struct policy_globs *g);
void value_free_sites(struct policy_sites *s);

/* In value.c: is v inside the limits of keys.def? If not, an error. */
bool value_in_limits(struct policy *p, const struct policy_origin *at,
	const struct keys_key *k, units_parser *one, uint64_t v, const char *text);

#endif
