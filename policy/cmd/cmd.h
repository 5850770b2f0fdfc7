/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - a command of rtmem(1): what it is called, what it takes, what it returns
 *
 * The table in rtmem.c is the only place where a command, an option or an exit code is
 * named: the option parser, --help, the shell completion and the check of the man page
 * read it. A command is one file, cmd_NAME.c, with one function, cmd_NAME().
 */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>

#include "policy/system/exit.h"

struct cmd_option {
	const char *name;  /* "--conf" */
	const char *alias; /* "-c", or NULL */
	const char *arg;   /* "FILE", or NULL: a switch */
	const char *help;
};

struct cmd_exit {
	const char *code; /* "0", "126", "other" */
	const char *meaning;
};

struct cmd {
	const char *name;
	const char *operands; /* "[FILE…]" or "" */
	const char *summary;
	const struct cmd_option *option;   /* ends with name NULL */
	const struct cmd_exit *exit;	   /* ends with code NULL */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
	bool hidden;			   /* for scripts of ours: not in the help */
};

extern const struct cmd cmd_table[]; /* ends with name NULL */
const struct cmd *cmd_find(const char *name);

/* The options of one command line, one by one. */
struct cmd_line {
	const struct cmd *cmd;
	int argc;
	char **argv;
	int at;		   /* next word to look at; the first operand at the end */
	const char *value; /* argument of the option just returned, or NULL */
};

#define CMD_END (-1) /* no more options: operands start at argv[at] */
#define CMD_BAD (-2) /* said on standard error; the command returns CMD_USAGE */

void cmd_begin(struct cmd_line *l, int argc, char **argv);
/*
 * Index into l->cmd->option of the next option, CMD_END or CMD_BAD. Takes "--name VALUE",
 * "--name=VALUE" and the alias; "--" and the first operand end the options. --help and
 * --version are answered here and end the program with 0.
 */
int cmd_next(struct cmd_line *l);

/* Seconds: "10", "0.5s", "200ms". False: it is none, or none above 0. */
bool cmd_duration(const char *text, double *out);

/* What --help prints, on standard output. */
void cmd_help(const struct cmd *c);

struct find_list;
struct policy;
/*
 * The policy of these files; of `conf` alone when it is given, else of the search order.
 * Every problem is printed on standard error as "file:line: message". Never NULL: without
 * memory the program ends.
 */
struct policy *cmd_load(const char *conf);
struct policy *cmd_load_files(const struct find_list *files);

/* Says on standard error, as "file:line: warning: …", which programs that the policy
 * names run under another name. */
void check_programs(const struct policy *p);

/* Full text of `rtmem --help-keys`. */
void cmd_keys_help(void);

/* The commands. */
int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_completion(int argc, char **argv);

/* Order of the options in the table: what cmd_next() returns. */
enum { RUN_CONF, RUN_VERBOSE };
enum {
	EXPLAIN_APP,
	EXPLAIN_THREAD,
	EXPLAIN_SCHED,
	EXPLAIN_PRIORITY,
	EXPLAIN_CALLSITE,
	EXPLAIN_SIZE,
	EXPLAIN_CONF
};
enum { SHOW_APP, SHOW_CONF };
enum {
	AUDIT_DURATION,
	AUDIT_SUGGEST,
	AUDIT_JSON,
	AUDIT_HTML,
	AUDIT_OUTPUT,
	AUDIT_ALL,
	AUDIT_CONF,
	AUDIT_PID
};
enum { DOCTOR_CONF, DOCTOR_JSON, DOCTOR_ROOT };
enum { STAT_JSON, STAT_OPENMETRICS };
enum { RELOAD_ALL };
enum { TOP_BATCH, TOP_COUNT, TOP_DELAY };
enum { REPORT_CONF, REPORT_PID, REPORT_SECONDS, REPORT_OUTPUT, REPORT_JSON, REPORT_HTML };

#endif
