/* SPDX-License-Identifier: MIT */
/*
 * top_screen.c - rtmem top on the whole screen
 *
 * The only file that knows ncurses. Useful from 80 x 24: tables share the height, what
 * does not fit is cut. NO_COLOR in the environment: bold and underline instead.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curses.h>

#include "cmd.h"
#include "top.h"

#define SCREEN_FEW 4 /* rows of a table that is not the threads' */

struct screen {
	struct top *top;
	struct view v[VIEW_KINDS];
	int selected;	      /* index of the process whose tables are shown */
	pid_t pid;	      /* its number, which it keeps when the order changes */
	int table;	      /* the one that < and > sort */
	int sort[VIEW_KINDS]; /* column, -1: as the library has it */
	bool reverse, colour, help;
};

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

/* One cell at x; false: it does not fit. */
static bool screen_cell(
	int y, int *x, const struct view_column *c, const char *text, chtype attributes)
{
	char padded[VIEW_CELL * 2];

	if (*x + c->width > COLS)
		return false;
	snprintf(padded, sizeof(padded), c->left ? "%-*.*s" : "%*.*s", c->width, c->width,
		text);
	attron(attributes);
	mvaddstr(y, *x, padded);
	attroff(attributes);
	*x += c->width + 1;
	return true;
}

static void screen_titles(const struct screen *s, const struct view *v, int y)
{
	const struct view_column *c = view_columns[v->kind];
	int x = 0;

	mvhline(y, 0, ' ' | A_REVERSE, COLS);
	for (int i = 0; i < view_ncolumns(v->kind); i++) {
		chtype a = A_REVERSE;

		if (i == s->sort[v->kind])
			a |= A_BOLD;
		if (i == s->sort[v->kind] && (int)v->kind == s->table)
			a |= A_UNDERLINE;
		if (!screen_cell(y, &x, &c[i], c[i].title, a))
			break;
	}
}

/* At most `rows` rows below the titles; returns the next free line. */
static int screen_table(const struct screen *s, const struct view *v, int y, int rows)
{
	if (rows < 1 || y >= LINES)
		return y;
	screen_titles(s, v, y++);
	for (int r = 0; r < v->n && r < rows && y < LINES; r++, y++) {
		int x = 0;

		for (int i = 0; i < view_ncolumns(v->kind); i++) {
			const struct view_cell *c = &v->row[r][i];
			chtype a = screen_mark(s, c->mark);

			if (v->kind == VIEW_PROCESSES &&
				(pid_t)-v->row[r][0].key == s->pid)
				a |= A_BOLD;
			if (!screen_cell(y, &x, &view_columns[v->kind][i], c->text, a))
				break;
		}
	}
	return y;
}

static int screen_few(const struct view *v)
{
	return v->n < 1 ? 1 : v->n > SCREEN_FEW ? SCREEN_FEW : v->n;
}

static void screen_help(void)
{
	static const char *const line[] = {
		"up, down   the process whose tables are shown",
		"Tab        the table that the next keys sort",
		"< >        sort by the column left or right (underlined)",
		"r          the other way round",
		"space      look now",
		"h ?        this help",
		"q          leave",
	};

	for (size_t i = 0; i < sizeof(line) / sizeof(*line); i++)
		mvaddstr(2 + (int)i, 2, line[i]);
}

static void screen_draw(struct screen *s)
{
	const struct view *v = s->v;
	int y = 1, below = 1;
	char clock[16];
	time_t now = time(NULL);

	erase();
	strftime(clock, sizeof(clock), "%T", localtime(&now));
	mvprintw(0, 0, "rtmem top - %s  %d process%s  every %g s  h: help  q: leave",
		clock, s->top->n, s->top->n == 1 ? "" : "es", s->top->delay);
	if (s->help) {
		screen_help();
		refresh();
		return;
	}
	y = screen_table(s, &v[VIEW_PROCESSES], y, screen_few(&v[VIEW_PROCESSES]));
	y = screen_table(s, &v[VIEW_POOLS], y, screen_few(&v[VIEW_POOLS]));
	for (int k = VIEW_RULES; k <= VIEW_TAGS; k++)
		below += v[k].n ? screen_few(&v[k]) + 1 : 0;
	y = screen_table(s, &v[VIEW_THREADS], y, LINES - y - below);
	for (int k = VIEW_RULES; k <= VIEW_TAGS; k++)
		if (v[k].n)
			y = screen_table(s, &v[k], y, screen_few(&v[k]));
	refresh();
}

static void screen_drop(struct screen *s)
{
	for (int k = 0; k < VIEW_KINDS; k++)
		view_free(&s->v[k]);
}

/* Tables of what was looked at last; the selected process is found again. */
static void screen_tables(struct screen *s)
{
	screen_drop(s);
	for (int i = 0; i < s->top->n; i++) {
		if (s->top->process[i].page.pid == s->pid)
			s->selected = i;
	}
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
	SCREEN *terminal = newterm(NULL, stdout, stdin);

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
