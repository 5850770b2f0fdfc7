/* SPDX-License-Identifier: MIT */
/*
 * cmd_ps.c - rtmem ps: which processes run with the library, and under what policy
 *
 * Those of other users are not seen, except by root.
 */
#include <stdio.h>

#include "policy/figures/stats_view.h"
#include "cmd.h"

static void ps_one(struct stats_page *page, enum stats_trouble t, void *arg)
{
	view_process(arg, page, t);
	if (t == STATS_OK)
		stats_close(page);
}

int cmd_ps(int argc, char **argv)
{
	struct cmd_line l;
	struct view v;
	int option;

	cmd_begin(&l, argc, argv);
	option = cmd_next(&l);
	if (option == CMD_BAD || l.at != argc) {
		if (option != CMD_BAD)
			fputs("rtmem ps: takes no operand\n", stderr);
		return CMD_USAGE;
	}
	view_begin(&v, VIEW_PROCESSES);
	stats_each_process(ps_one, &v);
	if (v.n)
		view_print(stdout, &v, 0, false);
	else
		fputs("rtmem ps: no process of yours runs with the library\n", stderr);
	option = v.n ? CMD_OK : CMD_NO;
	view_free(&v);
	return option;
}
