/* SPDX-License-Identifier: MIT */
/*
 * stats_view.h - the tables in which figures are shown: by ps, stat, top and report
 *
 * A table's columns are named once, in stats_columns.c.
 */
#ifndef STATS_VIEW_H
#define STATS_VIEW_H

#include <stdio.h>

#include "policy/system/stats_read.h"

#define VIEW_COLUMNS 20
#define VIEW_CELL    208
#define VIEW_PAST    64
#define VIEW_FIGURE  24 /* bytes of a figure as text */

enum view_kind {
	VIEW_PROCESSES,
	VIEW_POOLS,
	VIEW_THREADS,
	VIEW_RULES,
	VIEW_TAGS,
	VIEW_KINDS,		  /* those above are live */
	VIEW_REPORT = VIEW_KINDS, /* threads at the end */
	VIEW_TABLES
};
enum view_mark { VIEW_PLAIN, VIEW_GOOD, VIEW_WARN, VIEW_BAD };

struct view_column {
	const char *title; /* NULL: end */
	int width;
	bool left;
	const char *help;
	bool tail; /* of what is too long, the end is what says something */
};
extern const struct view_column view_columns[VIEW_TABLES][VIEW_COLUMNS];

struct view_cell {
	char text[VIEW_CELL];
	double key; /* for sorting; of text: 0 */
	enum view_mark mark;
};

struct view {
	enum view_kind kind;
	int n, room, at; /* at: next cell of the last row */
	struct view_cell (*row)[VIEW_COLUMNS];
};

/* What a page said earlier, for rates. at 0: nothing yet. */
struct view_past {
	uint64_t at;
	bool watching;
	int nthread, nrule;
	struct {
		uint32_t tid;
		uint64_t allocations, frees, bytes;
	} thread[VIEW_PAST];
	struct {
		uint64_t allocations, bytes;
	} rule[VIEW_PAST];
};

void view_begin(struct view *v, enum view_kind kind);
void view_free(struct view *v);
/* One row about a process; page NULL or unread when t is not STATS_OK. */
void view_process(struct view *v, const struct stats_page *p, enum stats_trouble t);
void view_pools(struct view *v, const struct stats_page *p);
void view_threads(
	struct view *v, const struct stats_page *p, const struct view_past *past);
/* Matched threads, those that have ended first. */
void view_report(struct view *v, const struct stats_page *p);
void view_rules(struct view *v, const struct stats_page *p, const struct view_past *past);
/* rule, program or library. */
const char *view_tag_kind(const struct rtmem_stats_tag *r);
/* What is counted by name: tags of rules and of the program, and the families' own. */
void view_tags(struct view *v, const struct stats_page *p);
void view_remember(struct view_past *past, const struct stats_page *p);
/* By a column; text ascending, figures descending; reverse turns it round. */
void view_sort(struct view *v, int column, bool reverse);
int view_ncolumns(enum view_kind kind);
/* A cell as wide as its column; '+' or "..." stands for what does not fit. */
const char *view_cut(
	char to[VIEW_CELL * 2], const struct view_column *c, const char *text);
/* Title line and rows. width 0: all columns, paths and the last of them in full. */
void view_print(FILE *to, const struct view *v, int width, bool colour);

/* "4.0M"; "1.2us"; "FIFO 60". */
const char *view_bytes(char to[VIEW_FIGURE], uint64_t bytes);
const char *view_count(char to[VIEW_FIGURE], double count);
const char *view_ticks(char to[VIEW_FIGURE], const struct stats_page *p, uint64_t ticks);
const char *view_class(char to[VIEW_FIGURE], int sched, int priority);
/* Ticks that a part q of the calls did not exceed; 0 without calls. worst: the slowest,
 * since a bucket only says its upper end. */
uint64_t view_percentile(const uint32_t *histogram, double q, uint64_t worst);
uint64_t view_calls(const uint32_t *histogram);

#endif
