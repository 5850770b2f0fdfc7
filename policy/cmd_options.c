/* SPDX-License-Identifier: MIT */
/*
 * cmd_options.c - command lines and help texts, read from the table of commands
 *
 * Knows no command: a new one needs nothing here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "units.h"

void cmd_begin(struct cmd_line *l, int argc, char **argv)
{
	*l = (struct cmd_line){
		.cmd = cmd_find(argv[0]), .argc = argc, .argv = argv, .at = 1};
	if (l->cmd == NULL)
		abort();
}

static int bad(const struct cmd_line *l, const char *what, const char *word)
{
	fprintf(stderr, "rtmem %s: %s '%s' (see rtmem %s --help)\n", l->cmd->name, what,
		word, l->cmd->name);
	return CMD_BAD;
}

/* Does `word` say option `o`? *value is what follows a '=', or NULL. */
static bool says(const struct cmd_option *o, const char *word, const char **value)
{
	size_t len = strlen(o->name);

	*value = NULL;
	if (o->alias != NULL && strcmp(word, o->alias) == 0)
		return true;
	if (strncmp(word, o->name, len) != 0 || (word[len] != '\0' && word[len] != '='))
		return false;
	if (word[len] == '=')
		*value = word + len + 1;
	return true;
}

int cmd_next(struct cmd_line *l)
{
	const char *word = l->at < l->argc ? l->argv[l->at] : NULL;

	if (word == NULL || word[0] != '-' || word[1] == '\0')
		return CMD_END;
	l->at++;
	if (strcmp(word, "--") == 0)
		return CMD_END;
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		cmd_help(l->cmd);
		exit(CMD_OK);
	}
	if (strcmp(word, "--version") == 0) {
		puts("rtmem " RTMEM_VERSION);
		exit(CMD_OK);
	}
	for (int i = 0; l->cmd->option[i].name != NULL; i++) {
		const struct cmd_option *o = &l->cmd->option[i];

		if (!says(o, word, &l->value))
			continue;
		if (o->arg == NULL && l->value != NULL)
			return bad(l, "no value is taken by", o->name);
		if (o->arg != NULL && l->value == NULL) {
			if (l->at >= l->argc)
				return bad(l, "a value is missing after", word);
			l->value = l->argv[l->at++];
		}
		return i;
	}
	return bad(l, "unknown option", word);
}

bool cmd_duration(const char *text, double *out)
{
	uint64_t ns;
	char *end;

	if (!units_time(text, strlen(text), &ns)) {
		*out = (double)ns * 1e-9;
	} else {
		*out = strtod(text, &end);
		if (*end)
			return false;
	}
	return *out > 0 && *out < 1e7;
}

static void help_option(
	const char *alias, const char *name, const char *arg, const char *help)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s%s%s", alias != NULL ? alias : "",
		alias != NULL ? ", " : "    ", name, arg != NULL ? " " : "",
		arg != NULL ? arg : "");
	printf("  %-31s  %s\n", left, help);
}

void cmd_help(const struct cmd *c)
{
	printf("usage: rtmem %s [OPTION…]%s%s\n%s\n\n", c->name,
		c->operands[0] != '\0' ? " " : "", c->operands, c->summary);
	for (const struct cmd_option *o = c->option; o->name != NULL; o++)
		help_option(o->alias, o->name, o->arg, o->help);
	help_option("-h", "--help", NULL, "this text");
	help_option(NULL, "--version", NULL, "the version");
	puts("\nexit codes:");
	for (const struct cmd_exit *e = c->exit; e->code != NULL; e++)
		printf("  %-6s %s\n", e->code, e->meaning);
}
