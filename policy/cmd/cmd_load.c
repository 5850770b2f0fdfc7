/* SPDX-License-Identifier: MIT */
/*
 * cmd_load.c - how every command of the tool gets its policy and says what is wrong in it
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "policy/model/policy.h"
#include "cmd.h"

static void print_error(const struct policy *p, int i)
{
	const struct policy_error *e = &p->error[i];

	fprintf(stderr, "%s:", e->origin.file);
	if (e->origin.line > 0)
		fprintf(stderr, "%d:", e->origin.line);
	fprintf(stderr, " %s%s\n", e->fatal ? "" : "warning: ", e->text);
}

struct policy *cmd_load_files(const struct find_list *files)
{
	struct policy *p = policy_load(files);

	if (p == NULL || policy_first_fatal(p) == p->nerror) {
		fputs("rtmem: out of memory\n", stderr);
		exit(CMD_NO);
	}
	for (int i = 0; i < p->nerror; i++)
		print_error(p, i);
	return p;
}

struct policy *cmd_load(const char *conf)
{
	struct find_list files;
	struct policy *p;

	if (conf != NULL)
		find_named(&files, conf);
	else
		find_files(&files, getauxval(AT_SECURE) != 0);
	p = cmd_load_files(&files);
	find_free(&files);
	return p;
}
