/* SPDX-License-Identifier: MIT */
/*
 * model.c - building, changing and freeing a struct policy
 *
 * The four kinds of section are handled alike: keys_kind[] says where each is kept.
 */
#include "model.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "value.h"

/* Every named section's struct starts with its name. */
_Static_assert(offsetof(struct policy_app, name) == 0, "name first");
_Static_assert(offsetof(struct policy_pool, name) == 0, "name first");
_Static_assert(offsetof(struct policy_rule, name) == 0, "name first");

static char *array_of(const struct policy *p, const struct keys_kind *k)
{
	char *array;

	memcpy(&array, (const char *)p + k->array, sizeof(array));
	return array;
}

static void set_array(struct policy *p, const struct keys_kind *k, char *array, int n)
{
	memcpy((char *)p + k->array, &array, sizeof(array));
	memcpy((char *)p + k->count, &n, sizeof(n));
}

int model_count(const struct policy *p, enum keys_section kind)
{
	int n = 1;

	if (keys_kind[kind].named)
		memcpy(&n, (const char *)p + keys_kind[kind].count, sizeof(n));
	return n;
}

void *model_section(const struct policy *p, enum keys_section kind, int i)
{
	if (!keys_kind[kind].named)
		return (void *)&p->realtime;
	return array_of(p, &keys_kind[kind]) + (size_t)i * keys_kind[kind].size;
}

struct policy_origin *model_key_origin(
	const struct policy *p, enum keys_section kind, const void *section)
{
	const char *in = keys_kind[kind].named ? section : (const void *)p;
	struct policy_origin *origin;

	memcpy(&origin, in + keys_kind[kind].key_origin, sizeof(origin));
	return origin;
}

const struct policy_origin *model_origin(enum keys_section kind, const void *section)
{
	return (const void *)((const char *)section + keys_kind[kind].origin);
}

const char *model_name(enum keys_section kind, const void *section)
{
	const char *name = "";

	if (keys_kind[kind].named)
		memcpy(&name, section, sizeof(name));
	return name;
}

/* Defaults are written in keys.def as a person would: the parser of values sets them. */
static bool set_defaults(struct policy *p, enum keys_section kind, void *section)
{
	const struct keys_kind *k = &keys_kind[kind];
	const struct policy_origin nowhere = {0};
	struct policy_origin *origin;

	origin = calloc((size_t)k->n, sizeof(*origin));
	memcpy((k->named ? (char *)section : (char *)p) + k->key_origin, &origin,
		sizeof(origin));
	for (int i = k->first; i < k->first + k->n; i++)
		if (keys_table[i].fallback[0] != '\0')
			value_set(p, &nowhere, &keys_table[i], section,
				keys_table[i].fallback);
	return origin != NULL;
}

struct policy *model_new(void)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p != NULL && !set_defaults(p, KEYS_REALTIME, &p->realtime)) {
		policy_free(p);
		return NULL;
	}
	return p;
}

const char *model_add_file(struct policy *p, const char *name)
{
	char **file = realloc(p->file, (size_t)(p->nfile + 1) * sizeof(*file));
	char *copy = strdup(name);

	if (file != NULL)
		p->file = file;
	if (file == NULL || copy == NULL) {
		free(copy);
		model_no_memory(p);
		return NULL;
	}
	p->file[p->nfile++] = copy;
	return copy;
}

void model_refuse_file(struct policy *p)
{
	char **file = realloc(p->refused, (size_t)(p->nrefused + 1) * sizeof(*file));

	if (file == NULL) {
		model_no_memory(p);
		return;
	}
	p->refused = file;
	p->refused[p->nrefused++] = p->file[--p->nfile];
}

static void free_section(struct policy *p, enum keys_section kind, void *section)
{
	const struct keys_kind *k = &keys_kind[kind];
	char *name;

	for (int i = k->first; i < k->first + k->n; i++)
		value_free(&keys_table[i], section);
	free(model_key_origin(p, kind, section));
	if (!k->named)
		return;
	memcpy(&name, section, sizeof(name));
	free(name);
}

void *model_add(struct policy *p, enum keys_section kind, const char *name,
	const struct policy_origin *at)
{
	const struct keys_kind *k = &keys_kind[kind];
	int n = model_count(p, kind);
	char *array, *section, *copy;

	if (!k->named)
		return &p->realtime;
	array = realloc(array_of(p, k), (size_t)(n + 1) * k->size);
	copy = strdup(name);
	if (array != NULL)
		set_array(p, k, array, n);
	if (array == NULL || copy == NULL) {
		free(copy);
		model_no_memory(p);
		return NULL;
	}
	section = array + (size_t)n * k->size;
	memset(section, 0, k->size);
	memcpy(section, &copy, sizeof(copy));
	memcpy(section + k->origin, at, sizeof(*at));
	if (!set_defaults(p, kind, section)) {
		free_section(p, kind, section);
		model_no_memory(p);
		return NULL;
	}
	set_array(p, k, array, n + 1);
	return section;
}

int model_find(const struct policy *p, enum keys_section kind, const char *name)
{
	if (!keys_kind[kind].named)
		return 0;
	for (int i = 0; i < model_count(p, kind); i++)
		if (strcmp(model_name(kind, model_section(p, kind, i)), name) == 0)
			return i;
	return -1;
}

void model_remove(struct policy *p, enum keys_section kind, int i)
{
	const struct keys_kind *k = &keys_kind[kind];
	int n = model_count(p, kind) - 1;
	char *section = model_section(p, kind, i);

	free_section(p, kind, section);
	memmove(section, section + k->size, (size_t)(n - i) * k->size);
	set_array(p, k, array_of(p, k), n);
}

void model_no_memory(struct policy *p)
{
	p->nfatal++;
}

static bool add_error(
	struct policy *p, const struct policy_origin *at, bool fatal, char *text)
{
	struct policy_error *e;

	e = text != NULL ? realloc(p->error, (size_t)(p->nerror + 1) * sizeof(*e)) : NULL;
	if (e == NULL) {
		model_no_memory(p);
		return false;
	}
	p->error = e;
	p->error[p->nerror++] =
		(struct policy_error){.origin = *at, .text = text, .fatal = fatal};
	p->nfatal += fatal;
	return true;
}

void model_error(struct policy *p, const struct policy_origin *at, bool fatal,
	const char *fmt, ...)
{
	struct text t = {0};
	va_list args;

	if (p->nerror > POLICY_ERRORS_MAX)
		return;
	if (p->nerror == POLICY_ERRORS_MAX) {
		fmt = "too many errors: the rest is not listed";
		fatal = true;
	}
	va_start(args, fmt);
	text_add_list(&t, fmt, &args);
	va_end(args);
	if (!add_error(p, at, fatal, t.s))
		text_free(&t);
}

static int file_rank(const struct policy *p, const struct policy_error *e)
{
	for (int i = 0; i < p->nfile; i++)
		if (p->file[i] == e->origin.file)
			return i;
	return -1;
}

/* Insertion sort: stable, no memory; at most POLICY_ERRORS_MAX + 1, mostly in order. */
void model_sort_errors(struct policy *p)
{
	for (int i = 1; i < p->nerror; i++) {
		struct policy_error e = p->error[i];
		int rank = file_rank(p, &e), j = i;

		for (; j > 0; j--) {
			const struct policy_error *before = &p->error[j - 1];
			int r = file_rank(p, before);

			if (r < rank ||
				(r == rank && before->origin.line <= e.origin.line))
				break;
			p->error[j] = *before;
		}
		p->error[j] = e;
	}
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (int kind = 0; kind < KEYS_SECTIONS; kind++) {
		for (int i = 0; i < model_count(p, (enum keys_section)kind); i++)
			free_section(p, (enum keys_section)kind,
				model_section(p, (enum keys_section)kind, i));
		if (keys_kind[kind].named)
			free(array_of(p, &keys_kind[kind]));
	}
	for (int i = 0; i < p->nfile; i++)
		free(p->file[i]);
	free(p->file);
	for (int i = 0; i < p->nrefused; i++)
		free(p->refused[i]);
	free(p->refused);
	for (int i = 0; i < p->nerror; i++)
		free(p->error[i].text);
	free(p->error);
	free(p);
}

const char *policy_error_text(const struct policy *p, int i, char *buf, size_t len)
{
	struct text t = {.s = buf, .room = len, .fixed = true};
	const struct policy_error *e;

	if (len == 0)
		return buf;
	buf[0] = '\0';
	if (i < 0 || i >= p->nerror) {
		text_add(&t, "out of memory while reading the policy");
		return buf;
	}
	e = &p->error[i];
	if (e->origin.file != NULL && e->origin.line > 0)
		text_add(&t, "%s:%d: ", e->origin.file, e->origin.line);
	else if (e->origin.file != NULL)
		text_add(&t, "%s: ", e->origin.file);
	text_add(&t, "%s", e->text);
	return buf;
}

int policy_first_refused(const struct policy *p)
{
	for (int i = 0; p->nrefused > 0 && i < p->nerror; i++)
		if (p->error[i].origin.file == p->refused[0])
			return i;
	return -1;
}

int policy_first_fatal(const struct policy *p)
{
	if (p->nfatal == 0)
		return -1;
	for (int i = 0; i < p->nerror; i++)
		if (p->error[i].fatal)
			return i;
	return p->nerror;
}
