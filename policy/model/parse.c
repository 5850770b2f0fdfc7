/* SPDX-License-Identifier: MIT */
/*
 * parse.c - policy files into a struct policy; the only user of inih
 *
 * inih judges what each line is; its limits never touch the words. It cuts section names
 * at 49 bytes and lines at 198, glues indented lines to the value before, tells neither
 * line numbers nor empty sections. So it is handed a short likeness of each line:
 *
 *   [rule a-very-long-name]    ->  [12]        the section is known by its line number
 *                                  =           an empty pair: calls the handler at once
 *   thread = (10,000 globs)    ->  thread = (the first of them)
 *
 * while the true line stands in q->line, and its number in q->reader. A line the handler
 * was not called for is one inih refused. Values are taken from the true line.
 *
 * Never prints. Every problem of every file becomes a struct policy_error.
 */
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "glob.h"
#include "lint.h"
#include "model.h"
#include "near.h"
#include "quote.h"
#include "reader.h"
#include "units.h"
#include "value.h"

#define LIKENESS_MAX 190 /* inih's line holds 198 bytes */
#define LIKENESS_KEY 45	 /* inih's name holds 49 */

struct parse {
	struct policy *p;
	struct reader reader;
	char *line;	      /* true text of the line inih is looking at, or NULL */
	bool heading;	      /* it is a section heading */
	bool answered;	      /* the handler was called for it */
	bool cut;	      /* inih sees a shortened likeness */
	bool skipping;	      /* in a section that is wrong: its keys mean nothing */
	bool started;	      /* a section heading was seen in this file */
	enum keys_section in; /* the section we are in */
	void *section;	      /* its struct */
	uint64_t seen;	      /* keys given in it, bit = place among its keys */
};

static const struct policy_origin *here(const struct parse *q)
{
	return &q->reader.at;
}

static void unknown_section(struct parse *q, const char *kind)
{
	struct near near;

	near_begin(&near, kind);
	for (int i = 0; i < KEYS_SECTIONS; i++)
		near_offer(&near, keys_kind[i].name, strlen(keys_kind[i].name));
	if (near.best != NULL)
		model_error(q->p, here(q), true,
			"unknown section [%w]; did you mean [%w]?", kind, near.best);
	else
		model_error(q->p, here(q), true,
			"unknown section [%w]; there are [realtime], [app GLOB], "
			"[pool NAME] and [rule NAME]",
			kind);
}

/* Is this a name the section may have? */
static bool name_ok(struct parse *q, enum keys_section kind, const char *name)
{
	const char *what = keys_kind[kind].name;

	if (!keys_kind[kind].named && name[0] != '\0')
		model_error(q->p, here(q), true, "[%w] has no name", what);
	else if (keys_kind[kind].named && name[0] == '\0')
		model_error(
			q->p, here(q), true, "[%w] needs a name: [%w NAME]", what, what);
	else if (kind != KEYS_APP && strlen(name) > POLICY_NAME_MAX)
		model_error(q->p, here(q), true,
			"the name of the %w has more than %d bytes: '%w'", what,
			POLICY_NAME_MAX, name);
	else if (kind == KEYS_POOL && strcmp(name, "jemalloc") == 0)
		model_error(q->p, here(q), true,
			"a pool cannot be called jemalloc: that is what exempts a rule");
	else if (kind == KEYS_APP && !glob_valid(name))
		model_error(
			q->p, here(q), true, "'%w' has a '[' that is never closed", name);
	else
		return true;
	return false;
}

/* In another file that is what people do; in the same one it is mostly a mistake. */
static void replaced(struct parse *q, enum keys_section kind, int old)
{
	const void *section = model_section(q->p, kind, old);
	const struct policy_origin *at = model_origin(kind, section);

	if (at->file == here(q)->file)
		model_error(q->p, here(q), false,
			"[%w %s] stands in line %d of this file, too: this one replaces "
			"it",
			keys_kind[kind].name, model_name(kind, section), at->line);
}

static void begin_section(struct parse *q, enum keys_section kind, const char *name)
{
	int old = keys_kind[kind].named ? model_find(q->p, kind, name) : -1;

	if (old >= 0) {
		replaced(q, kind, old);
		model_remove(q->p, kind, old);
	}
	q->in = kind;
	q->section = NULL;
	if (keys_kind[kind].named && model_count(q->p, kind) >= POLICY_SECTIONS_MAX)
		model_error(q->p, here(q), true, "more than %d [%w] sections",
			POLICY_SECTIONS_MAX, keys_kind[kind].name);
	else
		q->section = model_add(q->p, kind, name, here(q));
	q->skipping = q->section == NULL;
}

/* The true heading: "[kind name]", already known to begin with [ and to have a ]. */
static void heading(struct parse *q)
{
	char *kind = q->line + 1, *end = strrchr(q->line, ']'), *name;
	int i;

	q->skipping = true;
	q->seen = 0;
	if (end[1] != '\0') {
		model_error(q->p, here(q), true, "text after the ']': '%w'", end + 1);
		return;
	}
	while (end > kind && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	kind += strspn(kind, " \t");
	name = kind + strcspn(kind, " \t");
	if (*name != '\0')
		*name++ = '\0';
	name += strspn(name, " \t");
	i = keys_find_section(kind);
	if (!quote_strip(&name))
		model_error(q->p, here(q), true, "a quote that is not closed: %w", name);
	else if (i < 0)
		unknown_section(q, kind);
	else if (name_ok(q, (enum keys_section)i, name))
		begin_section(q, (enum keys_section)i, name);
}

static void unknown_key(struct parse *q, const char *name)
{
	const struct keys_kind *kind = &keys_kind[q->in];
	unsigned elsewhere = keys_sections_of(name);
	struct near near;

	if (elsewhere != 0) {
		model_error(q->p, here(q), true,
			"unknown key '%w' in [%w]; it belongs in [%w]", name, kind->name,
			keys_kind[__builtin_ctz(elsewhere)].name);
		return;
	}
	near_begin(&near, name);
	for (int i = kind->first; i < kind->first + kind->n; i++)
		near_offer(&near, keys_table[i].name, strlen(keys_table[i].name));
	if (near.best != NULL)
		model_error(q->p, here(q), true,
			"unknown key '%w' in [%w]; did you mean '%w'?", name, kind->name,
			near.best);
	else
		model_error(q->p, here(q), true, "unknown key '%w' in [%w]", name,
			kind->name);
}

/* A rule that is not as meant must not be judged against others. */
static void broken(struct parse *q)
{
	if (q->in == KEYS_RULE)
		((struct policy_rule *)q->section)->broken = true;
}

static void pair(struct parse *q, const char *name, const char *value)
{
	struct policy_origin *origin;
	int i, place;

	if (!q->started)
		model_error(q->p, here(q), true,
			"'%w' stands before the first section, such as [realtime]", name);
	if (name[0] == '\0')
		model_error(q->p, here(q), true, "no key before the '='");
	if (!q->started || name[0] == '\0' || q->skipping)
		return;
	i = keys_find(q->in, name);
	if (i < 0) {
		unknown_key(q, name);
		broken(q);
		return;
	}
	place = i - keys_kind[q->in].first;
	origin = model_key_origin(q->p, q->in, q->section) + place;
	if (q->seen & (UINT64_C(1) << place)) {
		model_error(q->p, here(q), true,
			"duplicate key '%w': it was given in line %d", name,
			origin->line);
		return;
	}
	q->seen |= UINT64_C(1) << place;
	*origin = *here(q);
	if (!value_set(q->p, here(q), &keys_table[i], q->section, value))
		broken(q);
}

/* From inih, for each pair. */
static int handler(void *user, const char *section, const char *name, const char *value)
{
	struct parse *q = user;
	char number[UNITS_PRINT_MAX];

	if (q->heading) {
		units_print_count((uint64_t)q->reader.at.line, number);
		if (strcmp(section, number) == 0) {
			q->answered = true;
			heading(q);
		}
		return 1;
	}
	q->answered = true;
	/* inih does not know quotes, and cuts */
	(void)value;
	value = q->line + strcspn(q->line, "=:");
	value += *value != '\0';
	pair(q, name, value + strspn(value, " \t\r\v\f"));
	return 1;
}

/* The line before was refused by inih. */
static void refused(struct parse *q)
{
	if (q->heading) {
		q->skipping = true;
		model_error(q->p, here(q), true, "a section heading without ']': '%w'",
			q->line);
	} else {
		model_error(q->p, here(q), true,
			"neither [section] nor key = value: '%w'", q->line);
	}
}

/* A line for inih that has the shape of q->line and fits. */
static void likeness(struct parse *q, char *out)
{
	size_t len = strlen(q->line), key;

	q->cut = len > LIKENESS_MAX;
	if (q->heading) {
		out[0] = '[';
		units_print_count((uint64_t)q->reader.at.line, out + 1);
		strcat(out, strchr(q->line, ']') != NULL ? "]\n" : "\n");
		return;
	}
	key = strcspn(q->line, "=:");
	if (q->cut && key > LIKENESS_KEY) {
		memcpy(out, q->line, LIKENESS_KEY);
		out[LIKENESS_KEY] = q->line[key];
		strcpy(out + LIKENESS_KEY + 1, "\n");
		return;
	}
	len = q->cut ? LIKENESS_MAX : len;
	memcpy(out, q->line, len);
	strcpy(out + len, "\n");
}

/* inih asks for a line, as it would ask fgets(). num is 200; what we write is shorter. */
static char *feed(char *out, int num, void *user)
{
	struct parse *q = user;

	if (num < LIKENESS_MAX + 2)
		return NULL;
	if (q->heading && !q->answered && !q->cut) {
		q->cut = true; /* only once */
		return strcpy(out, "=\n");
	}
	if (q->line != NULL && !q->answered)
		refused(q);
	q->line = reader_next(&q->reader, q->p);
	if (q->line == NULL)
		return NULL;
	q->heading = q->line[0] == '[';
	q->answered = false;
	q->started |= q->heading;
	likeness(q, out);
	if (q->heading)
		q->cut = false;
	return out;
}

static void parse_file(struct policy *p, const char *name, bool missing_ok, bool users)
{
	struct parse q = {.p = p};
	const char *file = model_add_file(p, name);

	if (file == NULL)
		return;
	if (!reader_open(&q.reader, p, file, missing_ok, users))
		model_refuse_file(p);
	else if (ini_parse_stream(feed, &q, handler, &q) == -2)
		model_no_memory(p);
	reader_close(&q.reader);
}

struct policy *policy_load(const struct find_list *files)
{
	int keep = errno;
	struct policy *p = model_new();

	for (int i = 0; p != NULL && i < files->n; i++)
		parse_file(p, files->file[i], !files->explicit_file,
			i >= files->n - files->nuser);
	if (p != NULL && files->lost)
		model_no_memory(p);
	if (p != NULL) {
		lint(p);
		model_sort_errors(p);
	}
	errno = keep;
	return p;
}
