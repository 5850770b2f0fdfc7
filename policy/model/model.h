/* SPDX-License-Identifier: MIT */
/*
 * model.h - how a struct policy is put together: sections come and go, errors gather
 *
 * Only the parser's side (parse, value, lint) includes this; everybody else reads a
 * finished policy. Without memory a function returns NULL or does nothing, and the policy
 * is marked fatal: model_no_memory().
 */
#ifndef MODEL_H
#define MODEL_H

#include "keys.h"
#include "policy.h"

struct policy *model_new(void);

/* The policy's own copy of a file name, for origins. NULL: no memory. */
const char *model_add_file(struct policy *p, const char *name);
/* The last of them is not read after all: it is another user's. */
void model_refuse_file(struct policy *p);

/*
 * A fresh section with the defaults of keys.def, at the end of its array. Pointers into
 * that array move. NULL: no memory. For [realtime]: the only one, as it is.
 */
void *model_add(struct policy *p, enum keys_section kind, const char *name,
	const struct policy_origin *at);
/* Index of the section of that name, or -1. */
int model_find(const struct policy *p, enum keys_section kind, const char *name);
void model_remove(struct policy *p, enum keys_section kind, int i);

int model_count(const struct policy *p, enum keys_section kind);
/* Section i of a kind; i is 0 for [realtime]. */
void *model_section(const struct policy *p, enum keys_section kind, int i);
/* Where each key of the section was written, in keys.def order. */
struct policy_origin *model_key_origin(
	const struct policy *p, enum keys_section kind, const void *section);
const struct policy_origin *model_origin(enum keys_section kind, const void *section);
const char *model_name(enum keys_section kind, const void *section);

/* fmt as in text.h. */
void model_error(struct policy *p, const struct policy_origin *at, bool fatal,
	const char *fmt, ...);
void model_no_memory(struct policy *p);
/* Errors in order of files and lines. */
void model_sort_errors(struct policy *p);

#endif
