/* SPDX-License-Identifier: MIT */
/*
 * stats_table.c - how figures look, and how a table is sorted and printed
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model/printable.h"
#include "stats_view.h"

/* ---- figures ---- */

static const char *table_scaled(
	char to[VIEW_FIGURE], double value, double step, const char *units)
{
	int unit = 0;

	while (value >= 999.5 && units[unit + 1]) {
		value /= step;
		unit++;
	}
	if (unit == 0)
		snprintf(to, VIEW_FIGURE, "%.0f", value);
	else
		snprintf(to, VIEW_FIGURE, value < 9.95 ? "%.1f%c" : "%.0f%c", value,
			units[unit]);
	return to;
}

const char *view_bytes(char to[VIEW_FIGURE], uint64_t bytes)
{
	return table_scaled(to, (double)bytes, 1024, " KMGTPE");
}

const char *view_count(char to[VIEW_FIGURE], double count)
{
	return table_scaled(to, count, 1000, " kMGTPE");
}

const char *view_ticks(char to[VIEW_FIGURE], const struct stats_page *p, uint64_t ticks)
{
	double ns = p->head.tick_hz ? (double)ticks * 1e9 / (double)p->head.tick_hz : 0;

	if (!p->head.tick_hz)
		snprintf(to, VIEW_FIGURE, "-");
	else if (ns < 999.5)
		snprintf(to, VIEW_FIGURE, "%.0fns", ns);
	else if (ns < 999500)
		snprintf(to, VIEW_FIGURE, ns < 9950 ? "%.1fus" : "%.0fus", ns / 1e3);
	else if (ns < 99999.5e6)
		snprintf(to, VIEW_FIGURE, ns < 9.95e6 ? "%.1fms" : "%.0fms", ns / 1e6);
	else
		snprintf(to, VIEW_FIGURE, "%.0fs", ns < 1e15 ? ns / 1e9 : 1e6);
	return to;
}

const char *view_class(char to[VIEW_FIGURE], int sched, int priority)
{
	static const char *const name[] = {
		"OTHER", "FIFO", "RR", "BATCH", "?", "IDLE", "DL"};
	const char *what = sched >= 0 && sched <= SCHED_DEADLINE ? name[sched] : "?";

	if (priority > 0 && priority < 100)
		snprintf(to, VIEW_FIGURE, "%s %d", what, priority);
	else
		snprintf(to, VIEW_FIGURE, "%s", what);
	return to;
}

uint64_t view_calls(const uint32_t *histogram)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < RTMEM_STATS_BUCKETS; i++)
		n += histogram[i];
	return n;
}

uint64_t view_percentile(const uint32_t *histogram, double q, uint64_t worst)
{
	uint64_t all = view_calls(histogram), n = 0;

	for (unsigned i = 0; all && i < RTMEM_STATS_BUCKETS; i++) {
		n += histogram[i];
		if ((double)n >= q * (double)all && n)
			return rtmem_stats_bucket_top(i) < worst
				       ? rtmem_stats_bucket_top(i)
				       : worst;
	}
	return 0;
}

/* ---- tables ---- */

int view_ncolumns(enum view_kind kind)
{
	int n = 0;

	while (n < VIEW_COLUMNS && view_columns[kind][n].title)
		n++;
	return n;
}

static int table_compare(const void *a, const void *b, void *arg)
{
	const struct view_cell *const *pair = arg;
	size_t column = (size_t)(pair[0] - pair[1]);
	const struct view_cell *x = (const struct view_cell *)a + column;
	const struct view_cell *y = (const struct view_cell *)b + column;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return strcmp(x->text, y->text);
}

void view_sort(struct view *v, int column, bool reverse)
{
	const struct view_cell *pair[2];

	if (v->n < 2 || column < 0 || column >= view_ncolumns(v->kind))
		return;
	pair[1] = v->row[0];
	pair[0] = v->row[0] + column;
	qsort_r(v->row, (size_t)v->n, sizeof(*v->row), table_compare, pair);
	for (int i = 0, j = v->n - 1; reverse && i < j; i++, j--) {
		struct view_cell t[VIEW_COLUMNS];

		memcpy(t, v->row[i], sizeof(t));
		memcpy(v->row[i], v->row[j], sizeof(t));
		memcpy(v->row[j], t, sizeof(t));
	}
}

const char *view_cut(
	char to[VIEW_CELL * 2], const struct view_column *c, const char *text)
{
	const size_t size = (size_t)VIEW_CELL * 2;
	size_t width = (size_t)c->width, have = printable_width(text);
	int pad = have < width ? (int)(width - have) : 0;

	if (have <= width && c->left)
		snprintf(to, size, "%s%*s", text, pad, "");
	else if (have <= width)
		snprintf(to, size, "%*s%s", pad, "", text);
	else if (c->tail)
		snprintf(to, size, "...%s",
			text + printable_bytes(text, have - width + 3));
	else
		snprintf(to, size, "%.*s+", (int)printable_bytes(text, width - 1), text);
	return to;
}

/* A path that is longer than its column, where there is no end of the line. */
static bool print_whole(const struct view_column *c, const char *text, bool all)
{
	return all && c->tail && printable_width(text) > (size_t)c->width;
}

/* whole: nothing has to stand in line behind it. */
static void print_cell(FILE *to, const struct view_column *c, const char *text,
	const char *colour, bool whole)
{
	char cell[VIEW_CELL * 2];

	fputs(colour, to);
	fputs(whole ? text : view_cut(cell, c, text), to);
	fputs(*colour ? "\033[m" : "", to);
}

/* How many columns fit. */
static int print_columns(const struct view *v, int width)
{
	int n = 0, used = -1;

	for (; n < view_ncolumns(v->kind); n++) {
		used += view_columns[v->kind][n].width + 1;
		if (width && used > width)
			break;
	}
	return n;
}

void view_print(FILE *to, const struct view *v, int width, bool colour)
{
	static const char *const colours[] = {"", "\033[32m", "\033[33m", "\033[31m"};
	const struct view_column *column = view_columns[v->kind];
	int n = print_columns(v, width), last = width ? n : n - 1;

	for (int i = 0; i < n; i++) {
		fputs(i ? " " : "", to);
		print_cell(
			to, &column[i], column[i].title, "", i == last && column[i].left);
	}
	putc('\n', to);
	for (int r = 0; r < v->n; r++) {
		for (int i = 0; i < n; i++) {
			const struct view_cell *c = &v->row[r][i];

			fputs(i ? " " : "", to);
			print_cell(to, &column[i], c->text,
				colour ? colours[c->mark] : "",
				(i == last && column[i].left) ||
					print_whole(&column[i], c->text, !width));
		}
		putc('\n', to);
	}
}
