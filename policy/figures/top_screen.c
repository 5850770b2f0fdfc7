/* SPDX-License-Identifier: MIT */
/*
 * top_screen.c - rtmem top on the whole screen
 *
 * With top_help.c the only file that knows ncurses. Useful from 80 x 24: tables share the
 * height, columns that do not fit are reached with the arrows. NO_COLOR in the
 * environment: bold and underline instead.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curses.h>

#include "policy/system/exit.h"
#include "top_screen.h"

#define SCREEN_FEW   4 /* rows of a table that is not the threads' */
#define SCREEN_FIXED 2 /* columns that stay: what the row is about */

static chtype screen_mark(const struct screen *s, enum view_mark mark)
{
	if (mark == VIEW_PLAIN)
		return A_NORMAL;
	if (s->colour)
		return (chtype)COLOR_PAIR(mark) | (mark == VIEW_BAD ? A_BOLD : 0);
	return mark == VIEW_BAD	   ? A_BOLD | A_UNDERLINE
	       : mark == VIEW_WARN ? A_BOLD
				   : A_NORMAL;
}

/* Column i comes after the first two by as many as the table is moved to the left. */
static int screen_column(const struct screen *s, const struct view *v, int i)
{
	return i < SCREEN_FIXED ? i : i + s->moved[v->kind];
}

/* One cell at x; false: it does not fit. */
static bool screen_cell(
	int y, int *x, const struct view_column *c, const char *text, chtype attributes)
{
	char cell[VIEW_CELL * 2];

	if (*x + c->width > COLS)
		return false;
	attron(attributes);
	mvaddstr(y, *x, view_cut(cell, c, text));
	attroff(attributes);
	*x += c->width + 1;
	return true;
}

/* False: there are columns that did not fit. */
static bool screen_titles(const struct screen *s, const struct view *v, int y)
{
	const struct view_column *c = view_columns[v->kind];
	int x = 0, n = view_ncolumns(v->kind);
	bool fits = true;

	mvhline(y, 0, ' ' | A_REVERSE, COLS);
	for (int i = 0; fits && screen_column(s, v, i) < n; i++) {
		int column = screen_column(s, v, i);
		chtype a = A_REVERSE;

		if (column == s->sort[v->kind])
			a |= A_BOLD;
		if (column == s->sort[v->kind] && (int)v->kind == s->table)
			a |= A_UNDERLINE;
		fits = screen_cell(y, &x, &c[column], c[column].title, a);
	}
	if (!fits)
		mvaddch(y, COLS - 1, '>' | A_REVERSE);
	return fits;
}

static bool screen_selected(const struct screen *s, const struct view *v, int r)
{
	return v->kind == VIEW_PROCESSES && (pid_t)-v->row[r][0].key == s->pid;
}

/* The first row to show of a table with room for so many: the selected one is seen. */
static int screen_from(const struct screen *s, const struct view *v, int rows)
{
	for (int r = rows; r < v->n; r++) {
		if (screen_selected(s, v, r))
			return r - rows + 1;
	}
	return 0;
}

static void screen_row(const struct screen *s, const struct view *v, int r, int y)
{
	bool selected = screen_selected(s, v, r);
	int x = 0, n = view_ncolumns(v->kind);

	for (int i = 0; screen_column(s, v, i) < n; i++) {
		int column = screen_column(s, v, i);
		const struct view_cell *c = &v->row[r][column];
		chtype a = screen_mark(s, c->mark) | (selected ? A_BOLD : 0);

		if (!screen_cell(y, &x, &view_columns[v->kind][column], c->text, a))
			break;
	}
	if (selected)
		mvaddch(y, 0, '>');
}

/* At most `rows` rows below the titles; returns the next free line. */
static int screen_table(const struct screen *s, const struct view *v, int y, int rows)
{
	if (rows < 1 || y >= LINES - 1)
		return y;
	screen_titles(s, v, y++);
	for (int r = screen_from(s, v, rows); r < v->n && rows > 0 && y < LINES - 1;
		r++, y++, rows--)
		screen_row(s, v, r, y);
	return y;
}

static int screen_few(const struct view *v)
{
	return v->n < 1 ? 1 : v->n > SCREEN_FEW ? SCREEN_FEW : v->n;
}

/* Of the selected process, in one line. */
static int screen_about(const struct screen *s, int y)
{
	const struct top_process *p = &s->top->process[s->selected];
	const struct rtmem_stats_head *h = &p->page.head;
	char a[24], b[24];

	if (s->selected >= s->top->n || y >= LINES - 1)
		return y;
	if (p->trouble != STATS_OK)
		mvprintw(y, 0, "%s (%d) has no figures", p->page.program, p->page.pid);
	else
		mvprintw(y, 0,
			"%s (%d): calls counted for %.0f s; jemalloc %s, %s resident",
			p->page.program, p->page.pid, (double)h->watched / 1e9,
			view_bytes(a, h->base_allocated),
			view_bytes(b, h->base_resident));
	return y + 1;
}

static void screen_keys(const struct screen *s)
{
	int column = s->sort[s->table];

	if (LINES < 4)
		return;
	mvprintw(LINES - 1, 0,
		"q leave  h help  arrows: process, columns  Tab table  < > r: %s%s%s",
		top_table_name[s->table], column < 0 ? ", unsorted" : " by ",
		column < 0 ? "" : view_columns[s->table][column].title);
}

static void screen_draw(struct screen *s)
{
	const struct view *v = s->v;
	int y = 1, below = 0;
	char clock[16];
	time_t now = time(NULL);

	erase();
	strftime(clock, sizeof(clock), "%T", localtime(&now));
	mvprintw(0, 0, "rtmem top - %s  %d process%s  every %g s", clock, s->top->n,
		s->top->n == 1 ? "" : "es", s->top->delay);
	if (s->help) {
		top_help(s);
		refresh();
		return;
	}
	y = screen_table(s, &v[VIEW_PROCESSES], y, screen_few(&v[VIEW_PROCESSES]));
	y = screen_about(s, y);
	if (v[VIEW_POOLS].n)
		y = screen_table(s, &v[VIEW_POOLS], y, screen_few(&v[VIEW_POOLS]));
	for (int k = VIEW_RULES; k <= VIEW_TAGS; k++)
		below += v[k].n ? screen_few(&v[k]) + 1 : 0;
	if (v[VIEW_THREADS].n)
		y = screen_table(s, &v[VIEW_THREADS], y, LINES - y - 2 - below);
	for (int k = VIEW_RULES; k <= VIEW_TAGS; k++)
		if (v[k].n)
			y = screen_table(s, &v[k], y, screen_few(&v[k]));
	screen_keys(s);
	refresh();
}

static void screen_drop(struct screen *s)
{
	for (int k = 0; k < VIEW_KINDS; k++)
		view_free(&s->v[k]);
}

/* The process to begin with: the first that has something to show. */
static int screen_first(const struct screen *s)
{
	int best = 0;

	for (int i = s->top->n; i-- > 0;) {
		if (s->top->process[i].trouble == STATS_OK &&
			(s->top->process[i].page.head.matched ||
				s->top->process[best].trouble != STATS_OK))
			best = i;
	}
	return best;
}

/* Tables of what was looked at last; the selected process is found again. */
static void screen_tables(struct screen *s)
{
	screen_drop(s);
	for (int i = 0; i < s->top->n; i++) {
		if (s->top->process[i].page.pid == s->pid)
			s->selected = i;
	}
	if (!s->pid)
		s->selected = screen_first(s);
	if (s->selected >= s->top->n)
		s->selected = s->top->n ? s->top->n - 1 : 0;
	if (s->top->n)
		s->pid = s->top->process[s->selected].page.pid;
	top_tables(s->top, s->selected, s->v);
	for (int k = 0; k < VIEW_KINDS; k++)
		view_sort(&s->v[k], s->sort[k], s->reverse);
}

static void screen_select(struct screen *s, int step)
{
	int to = s->selected + step;

	if (to < 0 || to >= s->top->n)
		return;
	s->selected = to;
	s->pid = s->top->process[to].page.pid;
}

static void screen_sort(struct screen *s, int step)
{
	int to = s->sort[s->table] + step;

	if (to >= 0 && to < view_ncolumns((enum view_kind)s->table))
		s->sort[s->table] = to;
}

static void screen_move(struct screen *s, int step)
{
	int to = s->moved[s->table] + step;

	if (to >= 0 && to < view_ncolumns((enum view_kind)s->table) - SCREEN_FIXED)
		s->moved[s->table] = to;
}

/* False: leave. *look: at once. */
static bool screen_key(struct screen *s, int key, bool *look)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case ' ':
		*look = true;
		break;
	case 'h':
	case '?':
		s->help = !s->help;
		break;
	case 'r':
		s->reverse = !s->reverse;
		break;
	case '\t':
		s->table = (s->table + 1) % VIEW_KINDS;
		break;
	case '<':
		screen_sort(s, -1);
		break;
	case '>':
		screen_sort(s, 1);
		break;
	case KEY_UP:
		screen_select(s, -1);
		break;
	case KEY_DOWN:
		screen_select(s, 1);
		break;
	case KEY_LEFT:
		screen_move(s, -1);
		break;
	case KEY_RIGHT:
		screen_move(s, 1);
		break;
	default:
		break;
	}
	return true;
}

static double screen_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Until the next look; false: leave. */
static bool screen_wait(struct screen *s)
{
	double end = screen_now() + s->top->delay, left, watched = 0;
	bool look = false;
	int key;

	while (!look && (left = end - screen_now()) > 0) {
		if (screen_now() - watched > 1) {
			top_watch(s->top, s->selected);
			watched = screen_now();
		}
		timeout((int)((left < 0.5 ? left : 0.5) * 1000) + 1);
		key = getch();
		if (key == ERR)
			continue;
		if (!screen_key(s, key, &look))
			return false;
		watched = 0;
		screen_tables(s);
		screen_draw(s);
	}
	return true;
}

static bool screen_open(struct screen *s)
{
	const char *no_color = getenv("NO_COLOR");
	SCREEN *terminal;

	/* names may be UTF-8: the library of the screen has to know the terminal's */
	setlocale(LC_CTYPE, "");
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal) {
		fputs("rtmem top: the terminal is not known (TERM): use --batch\n",
			stderr);
		return false;
	}
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	s->colour = !(no_color && *no_color) && has_colors();
	if (s->colour) {
		start_color();
		use_default_colors();
		init_pair(VIEW_GOOD, COLOR_GREEN, -1);
		init_pair(VIEW_WARN, COLOR_YELLOW, -1);
		init_pair(VIEW_BAD, COLOR_RED, -1);
	}
	return true;
}

int top_screen(struct top *t)
{
	struct screen s = {.top = t, .table = VIEW_THREADS, .sort = {-1, -1, 4, -1, -1}};
	bool ended = false;

	if (!screen_open(&s))
		return CMD_NO;
	do {
		top_look(t);
		ended = t->pid && !t->n;
		screen_tables(&s);
		screen_draw(&s);
		if (t->count > 0)
			t->count--;
	} while (!ended && t->count != 0 && screen_wait(&s));
	endwin();
	screen_drop(&s);
	if (ended)
		printf("rtmem top: process %d has ended\n", t->pid);
	return CMD_OK;
}
