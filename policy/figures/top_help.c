/* SPDX-License-Identifier: MIT */
/*
 * top_help.c - the help of rtmem top: keys, colours, and what the columns of a table mean
 */
#include <curses.h>

#include "top_screen.h"

const char *const top_table_name[VIEW_KINDS] = {
	"processes", "pools", "threads", "rules", "tags"};

static const char *const help_line[] = {
	"up, down     the process whose tables are shown",
	"Tab          the table that the next keys are about",
	"left, right  its columns that do not fit    < >  sort it by another column",
	"r  the other way round    space  look now    h, ?  this help    q  leave",
	"red: needs a remedy    yellow: look at it    green: well    +, ... cut",
};

void top_help(const struct screen *s)
{
	const struct view_column *c = view_columns[s->table];
	int y = 1, n = view_ncolumns((enum view_kind)s->table);

	for (size_t i = 0; i < sizeof(help_line) / sizeof(*help_line); i++)
		mvaddnstr(y++, 0, help_line[i], COLS);
	attron(A_REVERSE);
	mvprintw(y++, 0, "%-*.*s", COLS, COLS, top_table_name[s->table]);
	attroff(A_REVERSE);
	for (int i = 0; i < n && y + i < LINES; i++)
		mvprintw(y + i, 0, "%-9s %.*s", c[i].title, COLS > 10 ? COLS - 10 : 0,
			c[i].help);
}
