/* SPDX-License-Identifier: MIT */
/*
 * value.h - one value of one key: from text into its field, back to text, and freed
 */
#ifndef VALUE_H
#define VALUE_H

#include "keys.h"
#include "policy.h"
#include "text.h"

/*
 * Sets the key's field of `section` from text; what was there is freed. False: every
 * problem was added to p's errors at `at`, the field keeps what it had.
 */
bool value_set(struct policy *p, const struct policy_origin *at, const struct keys_key *k,
	void *section, const char *text);

/* Appends text that value_set() takes for the same value; nothing when not given. */
void value_print(const struct keys_key *k, const void *section, struct text *out);

/* One item of a list, as value_print() writes it. */
void value_print_range(const struct policy_range *r, bool bytes, struct text *out);
void value_print_site(const struct policy_site *s, struct text *out);
/* POLICY_SCHED_* of a word such as fifo or rt; 0: no such word. */
unsigned value_sched_mask(const char *word, size_t len);
void value_print_sched(unsigned mask, struct text *out);

void value_free(const struct keys_key *k, void *section);

#endif
