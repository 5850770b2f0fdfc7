/* SPDX-License-Identifier: MIT */
/*
 * cmd_show.c - rtmem show: the policy in effect, as a policy file
 *
 * What it prints can be given to rtmem check and means the same; where each value comes
 * from stands behind it as a comment.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policy/model/glob.h"
#include "policy/model/match.h"
#include "policy/model/model.h"
#include "policy/model/quote.h"
#include "policy/model/text.h"
#include "policy/model/value.h"
#include "cmd.h"

/* A comment must stay in its line, also when a file name has a newline. */
static void print_origin(const struct policy_origin *o)
{
	fputs(" ; ", stdout);
	if (o->file == NULL) {
		fputs("built-in default\n", stdout);
		return;
	}
	for (const char *c = o->file; *c != '\0'; c++)
		putchar(iscntrl((unsigned char)*c) ? '?' : *c);
	printf(":%d\n", o->line);
}

static void show_key(
	const struct keys_key *k, const void *section, const struct policy_origin *o)
{
	struct text t = {0};

	value_print(k, section, &t);
	if (t.len == 0)
		printf("; %-12s   not given\n", k->name);
	else
		printf("%-12s = %-16s", k->name, t.s);
	if (t.len != 0)
		print_origin(o);
	text_free(&t);
}

static void show_section(const struct policy *p, enum keys_section s, int i)
{
	const struct keys_kind *kind = &keys_kind[s];
	const void *section = model_section(p, s, i);
	const struct policy_origin *origin = model_key_origin(p, s, section);

	if (kind->named) {
		struct text t = {0};

		quote_print(model_name(s, section), false, &t);
		printf("\n[%s %s]", kind->name, t.s);
		text_free(&t);
		print_origin(model_origin(s, section));
	} else {
		printf("[%s]\n", kind->name);
	}
	for (int k = 0; k < kind->n; k++)
		show_key(&keys_table[kind->first + k], section, &origin[k]);
}

/* Does the section concern the program? rules: those that apply to it. */
static bool concerns(const struct policy *p, enum keys_section s, int i, const char *exe,
	const struct match_process *rules)
{
	if (s == KEYS_APP)
		return glob_match_path(p->app[i].name, exe);
	for (int r = 0; r < rules->nrule; r++) {
		if (s == KEYS_RULE && rules->rule[r] == &p->rule[i])
			return true;
		if (s == KEYS_POOL && rules->rule[r]->pool == i)
			return true;
	}
	return s == KEYS_REALTIME;
}

static void show(const struct policy *p, const char *exe)
{
	struct match_process rules = {0};

	for (int i = 0; i < p->nfile; i++)
		printf("; read: %s\n", p->file[i]);
	if (exe != NULL)
		match_process(p, exe, &rules);
	for (int s = 0; s < KEYS_SECTIONS; s++)
		for (int i = 0; i < model_count(p, (enum keys_section)s); i++)
			if (exe == NULL ||
				concerns(p, (enum keys_section)s, i, exe, &rules))
				show_section(p, (enum keys_section)s, i);
}

int cmd_show(int argc, char **argv)
{
	const char *exe = NULL, *conf = NULL;
	struct cmd_line l;
	struct policy *p;
	int option, fatal;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) >= 0) {
		if (option == SHOW_APP)
			exe = l.value;
		else
			conf = l.value;
	}
	if (option == CMD_BAD || l.at != argc) {
		if (option != CMD_BAD)
			fputs("rtmem show: takes no operand\n", stderr);
		return CMD_USAGE;
	}
	p = cmd_load(conf);
	fatal = p->nfatal;
	if (fatal == 0)
		show(p, exe);
	policy_free(p);
	return fatal == 0 ? CMD_OK : CMD_NO;
}
