/* SPDX-License-Identifier: MIT */
/*
 * rtmem.c - the tool: its table of commands, and main()
 *
 * Never includes anything of preload/. What a command does stands in cmd_NAME.c; what it
 * is called, takes and returns stands here, once.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

#define OPTIONS (const struct cmd_option[])
#define EXITS	(const struct cmd_exit[])

static const struct cmd_exit exit_policy[] = {
	{"0", "the policy has no errors (warnings do not count)"},
	{"1", "the policy has errors, or a file cannot be read"},
	{"2", "wrong usage"},
	{0},
};
static const struct cmd_exit exit_plain[] = {
	{"0", "printed"},
	{"2", "wrong usage"},
	{0},
};
static const struct cmd_exit exit_process[] = {
	{"0", "printed"},
	{"1", "the process is gone, of another user, without the library, or its page is "
	      "damaged"},
	{"2", "wrong usage"},
	{0},
};
static const struct cmd_option no_option[] = {{0}};

const struct cmd cmd_table[] = {
	{
		.name = "run",
		.operands = "COMMAND [ARGUMENT…]",
		.summary = "start a program with the library preloaded",
		.option =
			OPTIONS{
				[RUN_CONF] = {"--conf", "-c", "FILE",
					"use this policy file and no other"},
				[RUN_VERBOSE] = {"--verbose", "-v", NULL,
					"say what is preloaded and what is started"},
				{0},
			},
		.exit =
			EXITS{
				{"1", "the --conf file has errors, or the library is "
				      "missing"},
				{"2", "wrong usage"},
				{"126", "the program was found but cannot be started"},
				{"127", "the program was not found"},
				{"other", "what the program returned"},
				{0},
			},
		.run = cmd_run,
	},
	{
		.name = "check",
		.operands = "[FILE…]",
		.summary = "look for every error in the policy, or in the files named",
		.option = no_option,
		.exit = exit_policy,
		.run = cmd_check,
	},
	{
		.name = "explain",
		.operands = "",
		.summary = "which rule wins for one allocation, and why",
		.option =
			OPTIONS{
				[EXPLAIN_APP] = {"--app", "-a", "PROGRAM",
					"name or full path of the executable"},
				[EXPLAIN_THREAD] = {"--thread", "-t", "NAME",
					"name of the thread (default: the program's)"},
				[EXPLAIN_SCHED] = {"--sched", "-s", "CLASS[:PRIORITY]",
					"other, batch, idle, fifo, rr or deadline "
					"(default: "
					"other)"},
				[EXPLAIN_PRIORITY] = {"--priority", "-p", "N",
					"realtime priority, 1..99 (default: 0, or 1 with "
					"fifo "
					"and rr)"},
				[EXPLAIN_CALLSITE] = {"--callsite", "-f",
					"OBJECT[!SYMBOL]",
					"a calling frame; again for its caller, and so "
					"on"},
				[EXPLAIN_SIZE] = {"--size", "-n", "SIZE",
					"bytes of the allocation (K M G)"},
				[EXPLAIN_CONF] = {"--conf", "-c", "FILE",
					"use this policy file and no other"},
				{0},
			},
		.exit =
			EXITS{
				{"0", "a rule wins"},
				{"1", "no rule matches, or the policy has errors"},
				{"2", "wrong usage"},
				{0},
			},
		.run = cmd_explain,
	},
	{
		.name = "show",
		.operands = "",
		.summary = "the policy in effect, with the origin of each value",
		.option =
			OPTIONS{
				[SHOW_APP] = {"--app", "-a", "PROGRAM",
					"only what concerns this program"},
				[SHOW_CONF] = {"--conf", "-c", "FILE",
					"use this policy file and no other"},
				{0},
			},
		.exit = exit_policy,
		.run = cmd_show,
	},
	{
		.name = "ps",
		.operands = "",
		.summary = "which processes run with the library, and under what policy",
		.option = no_option,
		.exit =
			EXITS{
				{"0", "there are some"},
				{"1", "there is none"},
				{"2", "wrong usage"},
				{0},
			},
		.run = cmd_ps,
	},
	{
		.name = "stat",
		.operands = "[PID]",
		.summary = "the figures of one process: pools, threads, rules",
		.option =
			OPTIONS{
				[STAT_JSON] = {"--json", "-j", NULL,
					"one JSON object, all that there is"},
				[STAT_OPENMETRICS] = {"--openmetrics", "-o", NULL,
					"metrics for Prometheus; without PID of all processes"},
				{0},
			},
		.exit = exit_process,
		.run = cmd_stat,
	},
	{
		.name = "top",
		.operands = "[PID|NAME]",
		.summary = "the same live, on the whole screen or in batches",
		.option =
			OPTIONS{
				[TOP_BATCH] = {"--batch", "-b", NULL,
					"text, one look after the other"},
				[TOP_COUNT] = {"--count", "-n", "N",
					"leave after so many looks"},
				[TOP_DELAY] = {"--delay", "-d", "SECONDS",
					"time between two looks (default: 2)"},
				{0},
			},
		.exit =
			EXITS{
				{"0", "there was something to show"},
				{"1", "there was not: no such process, or none that may "
				      "be looked at; or no terminal"},
				{"2", "wrong usage"},
				{0},
			},
		.run = cmd_top,
	},
	{
		.name = "reload",
		.operands = "[PID|NAME…]",
		.summary = "running processes read their policy again, now",
		.option =
			OPTIONS{
				[RELOAD_ALL] = {"--all", "-a", NULL,
					"every process that can be"},
				{0},
			},
		.exit =
			EXITS{
				{"0", "all of them have taken it over"},
				{"1", "one has not: the policy has errors, or the process "
				      "is gone, of another user, without the library or "
				      "without an answer"},
				{"2", "wrong usage"},
				{0},
			},
		.run = cmd_reload,
	},
	{
		.name = "doctor",
		.operands = "[COMMAND]",
		.summary = "check this machine, and a program, for what realtime memory "
			   "needs",
		.option =
			OPTIONS{
				[DOCTOR_CONF] = {"--conf", "-c", "FILE",
					"use this policy file and no other"},
				[DOCTOR_JSON] = {"--json", "-j", NULL,
					"print JSON instead of lines"},
				[DOCTOR_ROOT] = {"--root", "-r", "DIR",
					"look at DIR/proc and DIR/sys instead"},
				{0},
			},
		.exit =
			EXITS{
				{"0", "all is well"},
				{"1", "there are warnings or failures"},
				{"2", "wrong usage"},
				{0},
			},
		.run = cmd_doctor,
	},
	{
		.name = "report",
		.operands = "[COMMAND [ARGUMENT…]]",
		.summary = "what was promised to the threads of a program, and what "
			   "happened",
		.option =
			OPTIONS{
				[REPORT_CONF] = {"--conf", "-c", "FILE",
					"use this policy file and no other"},
				[REPORT_PID] = {"--pid", "-p", "PID",
					"a process that runs, instead of a command"},
				[REPORT_SECONDS] = {"--seconds", "-d", "SECONDS",
					"how long to watch (default: 10, a command to its end)"},
				[REPORT_OUTPUT] = {"--output", "-o", "FILE",
					"write the report there (default: standard error, with --pid standard output)"},
				[REPORT_JSON] = {"--json", "-j", NULL,
					"one JSON object instead of text"},
				[REPORT_HTML] = {"--html", "-w", "FILE",
					"also write a page for a browser"},
				{0},
			},
		.exit =
			EXITS{
				{"0", "the promise was kept"},
				{"1", "it was not, or there are no figures"},
				{"2", "wrong usage"},
				{"126", "the program was found but cannot be started"},
				{"127", "the program was not found"},
				{0},
			},
		.run = cmd_report,
	},
	{
		.name = "audit",
		.operands = "[COMMAND [ARGUMENT…]]",
		.summary = "which realtime thread of a program allocates what, from "
			   "where",
		.option =
			OPTIONS{
				[AUDIT_DURATION] = {"--duration", "-d", "SECONDS",
					"end the program (with --pid: the audit) after this time"},
				[AUDIT_SUGGEST] = {"--suggest", "-s", NULL,
					"print a policy with pools for what was seen"},
				[AUDIT_JSON] = {"--json", "-j", NULL,
					"print all figures as JSON"},
				[AUDIT_HTML] = {"--html", NULL, "FILE",
					"write a page with diagrams"},
				[AUDIT_OUTPUT] = {"--output", "-o", "FILE",
					"write there and not to standard output"},
				[AUDIT_ALL] = {"--all", "-a", NULL,
					"audit every thread, not only realtime ones"},
				[AUDIT_CONF] = {"--conf", "-c", "FILE",
					"use this policy file and no other"},
				[AUDIT_PID] = {"--pid", "-p", "PID",
					"a process that runs, instead of a command"},
				{0},
			},
		.exit =
			EXITS{
				{"0", "a realtime thread was audited, and the report is "
				      "written"},
				{"1", "there was nothing to audit, or the report cannot "
				      "be "
				      "written"},
				{"2", "wrong usage"},
				{"126", "the program was found but cannot be started"},
				{"127", "the program was not found"},
				{0},
			},
		.run = cmd_audit,
	},
	{
		.name = "keys",
		.operands = "",
		.summary = "every key of the policy file, one a line, columns parted by "
			   "tabs",
		.option = no_option,
		.exit = exit_plain,
		.run = cmd_keys,
		.hidden = true,
	},
	{
		.name = "completion",
		.operands = "bash|zsh",
		.summary = "a completion script for that shell",
		.option = no_option,
		.exit = exit_plain,
		.run = cmd_completion,
		.hidden = true,
	},
	{0},
};

const struct cmd *cmd_find(const char *name)
{
	for (const struct cmd *c = cmd_table; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void print_help(FILE *to)
{
	fputs("usage: rtmem COMMAND [OPTION…] [OPERAND…]\n"
	      "       rtmem --help | --version | --help-keys\n\n",
		to);
	for (const struct cmd *c = cmd_table; c->name != NULL; c++)
		if (!c->hidden)
			fprintf(to, "  %-10s %s\n", c->name, c->summary);
	fputs("\nrtmem COMMAND --help says more. See rtmem(1) and rtmem.conf(5).\n", to);
}

int main(int argc, char **argv)
{
	const struct cmd *c;

	if (argc < 2) {
		print_help(stderr);
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return CMD_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("rtmem " RTMEM_VERSION);
		return CMD_OK;
	}
	if (strcmp(argv[1], "--help-keys") == 0) {
		cmd_keys_help();
		return CMD_OK;
	}
	c = cmd_find(argv[1]);
	if (c == NULL) {
		fprintf(stderr, "rtmem: unknown command '%s'\n", argv[1]);
		print_help(stderr);
		return CMD_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}
