/* SPDX-License-Identifier: MIT */
/*
 * cmd_completion.c - completion scripts for bash and zsh, made from the table of commands
 *
 * Knows no command and no option: what an argument is shows by its name in the table, and
 * the words of a scheduling class are those of keys.def.
 */
#include <stdio.h>
#include <string.h>

#include "policy/model/keys.h"
#include "policy/model/units.h"
#include "policy/model/value.h"
#include "cmd.h"

/* The processes that have figures to show. Stands in single quotes in zsh's script. */
#define RUNNING "$(rtmem ps 2>/dev/null | sed \"1d;/(no rule/d;s/^ *//;s/ .*//\")"

/* What stands for an argument: how bash and zsh complete it. */
static const struct argument {
	const char *name; /* how the argument begins in the table */
	const char *bash; /* for compgen; NULL: the words of rule.sched */
	const char *zsh;
} arguments[] = {
	{"FILE", "-f", "_files"},
	{"[FILE", "-f", "_files"},
	{"DIR", "-d", "_files -/"},
	{"PROGRAM", "-c", "_command_names -e"},
	{"COMMAND", "-c", "_normal"},
	{"[COMMAND", "-c", "_normal"},
	{"PID", "-W \"" RUNNING "\"", "(" RUNNING ")"},
	{"[PID", "-W \"" RUNNING "\"", "(" RUNNING ")"},
	{"CLASS", NULL, NULL},
	{"bash|zsh", "-W 'bash zsh'", "(bash zsh)"},
};

static const struct argument *argument_of(const char *text)
{
	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++)
		if (strncmp(text, arguments[i].name, strlen(arguments[i].name)) == 0)
			return &arguments[i];
	return NULL;
}

/* One class each: not `rt`, which stands for three. */
static void print_classes(void)
{
	const char *values = keys_table[KEYS_AT_rule_sched].values, *word;
	size_t len;

	for (int i = 0; (word = units_word_at(values, i, &len)) != NULL; i++)
		if (__builtin_popcount(value_sched_mask(word, len)) == 1)
			printf("%s%.*s", i ? " " : "", (int)len, word);
}

static void print_bash_action(const char *arg)
{
	const struct argument *a = argument_of(arg);

	if (a && !a->bash) {
		fputs("-W '", stdout);
		print_classes();
		putchar('\'');
	} else {
		fputs(a ? a->bash : "-W ''", stdout);
	}
}

static void bash_command(const struct cmd *c)
{
	printf("\t%s)\n\t\twords='--help --version", c->name);
	for (const struct cmd_option *o = c->option; o->name != NULL; o++)
		printf(" %s", o->name);
	fputs("'\n\t\toperand=(", stdout);
	print_bash_action(c->operands);
	fputs(")\n\t\tcase $before in\n", stdout);
	for (const struct cmd_option *o = c->option; o->name != NULL; o++) {
		if (!o->arg)
			continue;
		printf("\t\t%s%s%s) value=(", o->name, o->alias ? " | " : "",
			o->alias ? o->alias : "");
		print_bash_action(o->arg);
		fputs(") ;;\n", stdout);
	}
	fputs("\t\t'') ;;\n\t\tesac\n\t\t;;\n", stdout);
}

static void print_bash(void)
{
	puts("# SPDX-License-Identifier: MIT\n"
	     "# shellcheck shell=bash\n"
	     "# rtmem(1) - made by `rtmem completion bash` from its table of commands\n"
	     "_rtmem() {\n"
	     "\tlocal words='' word=${COMP_WORDS[COMP_CWORD]} before='' i\n"
	     "\tlocal -a operand=(-f) value=()\n"
	     "\tif ((COMP_CWORD > 2)); then\n"
	     "\t\tbefore=${COMP_WORDS[COMP_CWORD - 1]}\n"
	     "\tfi\n"
	     "\tcase ${COMP_WORDS[1]-} in");
	for (const struct cmd *c = cmd_table; c->name != NULL; c++)
		if (!c->hidden)
			bash_command(c);
	fputs("\tesac\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\tword=${COMP_WORDS[1]}\n"
	      "\t\twords='--help --version --help-keys",
		stdout);
	for (const struct cmd *c = cmd_table; c->name != NULL; c++)
		if (!c->hidden)
			printf(" %s", c->name);
	puts("'\n"
	     "\t\toperand=(-W \"$words\")\n"
	     "\tfi\n"
	     "\tif ((${#value[@]})); then\n"
	     "\t\toperand=(\"${value[@]}\")\n"
	     "\telif [[ $word == -* ]]; then\n"
	     "\t\toperand=(-W \"$words\")\n"
	     "\telif [[ ${operand[0]} == -c ]]; then\n"
	     "\t\t# behind the program come its own arguments\n"
	     "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	     "\t\t\tif [[ ${COMP_WORDS[i]} != -* && ${COMP_WORDS[i - 1]} != -* ]]; then\n"
	     "\t\t\t\toperand=(-f)\n"
	     "\t\t\tfi\n"
	     "\t\tdone\n"
	     "\tfi\n"
	     "\tmapfile -t COMPREPLY < <(compgen \"${operand[@]}\" -- \"$word\" | sort "
	     "-u)\n"
	     "}\n"
	     "complete -o filenames -F _rtmem rtmem");
}

/* Inside single quotes, and inside the brackets or colons of _arguments. */
static void print_zsh_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\'", stdout);
		else if (strchr("[]:\\", *s))
			putchar('\\');
		putchar(*s);
	}
}

static void print_zsh_action(const char *arg)
{
	const struct argument *a = argument_of(arg);

	putchar(':');
	print_zsh_text(arg);
	if (a && !a->zsh) {
		fputs(":(", stdout);
		print_classes();
		putchar(')');
	} else {
		printf(":%s", a ? a->zsh : " ");
	}
}

static void zsh_option(
	const char *name, const char *alias, const char *arg, const char *help)
{
	if (alias)
		printf(" \\\n\t\t\t'*'{%s%s,%s}'[", name, arg ? "=" : "", alias);
	else
		printf(" \\\n\t\t\t'%s%s[", name, arg ? "=" : "");
	print_zsh_text(help);
	putchar(']');
	if (arg)
		print_zsh_action(arg);
	putchar('\'');
}

static void zsh_command(const struct cmd *c)
{
	const struct argument *a = argument_of(c->operands);

	printf("\t%s)\n\t\t_arguments -S", c->name);
	for (const struct cmd_option *o = c->option; o->name != NULL; o++)
		zsh_option(o->name, o->alias, o->arg, o->help);
	zsh_option("--help", "-h", NULL, "this text");
	zsh_option("--version", NULL, NULL, "the version");
	if (*c->operands) {
		fputs(a && strcmp(a->zsh ? a->zsh : "", "_normal") == 0 ? " \\\n\t\t\t'*:"
									: " \\\n\t\t\t'*",
			stdout);
		print_zsh_action(c->operands);
		putchar('\'');
	}
	puts("\n\t\t;;");
}

static void print_zsh(void)
{
	puts("#compdef rtmem\n"
	     "# SPDX-License-Identifier: MIT\n"
	     "# rtmem(1) - made by `rtmem completion zsh` from its table of commands\n"
	     "local -a commands=(");
	for (const struct cmd *c = cmd_table; c->name != NULL; c++) {
		if (c->hidden)
			continue;
		printf("\t'%s:", c->name);
		print_zsh_text(c->summary);
		puts("'");
	}
	puts(")\n"
	     "if ((CURRENT == 2)); then\n"
	     "\t_describe command commands\n"
	     "\tcompadd -- --help --version --help-keys\n"
	     "\treturn\n"
	     "fi\n"
	     "shift words\n"
	     "((CURRENT--))\n"
	     "case $words[1] in");
	for (const struct cmd *c = cmd_table; c->name != NULL; c++)
		if (!c->hidden)
			zsh_command(c);
	puts("esac");
}

int cmd_completion(int argc, char **argv)
{
	struct cmd_line l;

	cmd_begin(&l, argc, argv);
	if (cmd_next(&l) != CMD_END || l.at + 1 != argc)
		return CMD_USAGE;
	if (strcmp(argv[l.at], "bash") == 0)
		print_bash();
	else if (strcmp(argv[l.at], "zsh") == 0)
		print_zsh();
	else
		return CMD_USAGE;
	return CMD_OK;
}
