/* SPDX-License-Identifier: MIT */
/*
 * top_screen.h - what is on the screen of rtmem top
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "top.h"

struct screen {
	struct top *top;
	struct view v[VIEW_KINDS];
	int selected;	       /* index of the process whose tables are shown */
	pid_t pid;	       /* its number, which it keeps when the order changes */
	int table;	       /* the one that keys are about */
	int sort[VIEW_KINDS];  /* column, -1: as the library has it */
	int moved[VIEW_KINDS]; /* columns that are out of sight on the left */
	bool reverse, colour, help;
};

extern const char *const top_table_name[VIEW_KINDS];

/* Below the first line: keys, colours, and the columns of the table. */
void top_help(const struct screen *s);

#endif
