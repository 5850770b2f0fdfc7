/* SPDX-License-Identifier: MIT */
/*
 * cmd_options.c - command lines and help texts, read from the table of commands
 *
 * Knows no command: a new one needs nothing here. getopt_long(3) takes the words apart;
 * its lists are made from the table. Its own messages are not used: they name no command.
 *
 * One command line at a time.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model/units.h"
#include "cmd.h"

enum { OPTIONS_MAX = 16, VERSION };

static struct option long_names[OPTIONS_MAX + 3];
static char letters[2 * OPTIONS_MAX + 4];

/* What getopt_long(3) returns for option i: its letter, or a number below all letters. */
static int code_of(const struct cmd *c, int i)
{
	return c->option[i].alias != NULL ? c->option[i].alias[1] : i + 1;
}

void cmd_begin(struct cmd_line *l, int argc, char **argv)
{
	const struct cmd *c = cmd_find(argv[0]);
	char *end =
		stpcpy(letters, "+:h"); /* ends at an operand; ':' for a missing value */
	int n;

	if (c == NULL)
		abort();
	*l = (struct cmd_line){.cmd = c, .argc = argc, .argv = argv, .at = 1};
	for (n = 0; c->option[n].name != NULL; n++) {
		const struct cmd_option *o = &c->option[n];

		if (n == OPTIONS_MAX)
			abort();
		long_names[n] =
			(struct option){o->name + 2, o->arg != NULL, NULL, code_of(c, n)};
		if (o->alias != NULL)
			end = stpcpy(
				stpcpy(end, o->alias + 1), o->arg != NULL ? ":" : "");
	}
	long_names[n++] = (struct option){"help", no_argument, NULL, 'h'};
	long_names[n++] = (struct option){"version", no_argument, NULL, VERSION};
	long_names[n] = (struct option){0};
	optind = 0; /* from the start */
	opterr = 0;
}

static int bad(const struct cmd_line *l, const char *what, const char *word)
{
	fprintf(stderr, "rtmem %s: %s '%s' (see rtmem %s --help)\n", l->cmd->name, what,
		word, l->cmd->name);
	return CMD_BAD;
}

int cmd_next(struct cmd_line *l)
{
	const char *word = l->argv[l->at]; /* the one it looks at; NULL at the end */
	int code = getopt_long(l->argc, l->argv, letters, long_names, NULL), i = 0;
	int known = code == '?' ? optopt : code;

	l->at = optind;
	l->value = optarg;
	if (code == -1)
		return CMD_END;
	if (code == ':')
		return bad(l, "a value is missing after", word);
	if (code == 'h') {
		cmd_help(l->cmd);
		exit(CMD_OK);
	}
	if (code == VERSION) {
		puts("rtmem " RTMEM_VERSION);
		exit(CMD_OK);
	}
	while (l->cmd->option[i].name != NULL && code_of(l->cmd, i) != known)
		i++;
	if (l->cmd->option[i].name == NULL)
		return bad(l, "unknown option", word);
	return code == '?' ? bad(l, "no value is taken by", l->cmd->option[i].name) : i;
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
