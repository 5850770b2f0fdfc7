/* SPDX-License-Identifier: MIT */
/*
 * cmd_check.c - rtmem check: every error of the policy in one run
 */
#include <stdio.h>

#include "policy/model/policy.h"
#include "cmd.h"

int cmd_check(int argc, char **argv)
{
	struct cmd_line l;
	struct policy *p;
	int fatal;

	cmd_begin(&l, argc, argv);
	if (cmd_next(&l) != CMD_END)
		return CMD_USAGE;
	if (l.at < argc)
		p = cmd_load_files(&(struct find_list){
			.file = argv + l.at, .n = argc - l.at, .explicit_file = true});
	else
		p = cmd_load(NULL);
	fatal = p->nfatal;
	if (fatal == 0)
		check_programs(p);
	if (fatal == 0)
		printf("%d file%s, %d rule%s: ok\n", p->nfile, p->nfile == 1 ? "" : "s",
			p->nrule, p->nrule == 1 ? "" : "s");
	policy_free(p);
	return fatal == 0 ? CMD_OK : CMD_NO;
}
