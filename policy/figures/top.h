/* SPDX-License-Identifier: MIT */
/*
 * top.h - the processes that rtmem top shows, and what they said a moment ago
 */
#ifndef TOP_H
#define TOP_H

#include "stats_view.h"

struct top_process {
	struct stats_page page;
	enum stats_trouble trouble; /* STATS_OK: the page is open */
	struct view_past past;	    /* of the look before this one */
};

struct top {
	const char *name; /* only programs of this name; NULL: all */
	pid_t pid;	  /* only this process; 0: all */
	struct top_process *process;
	int n, room;
	double delay;	       /* seconds between looks */
	long count;	       /* looks left; -1: no end */
	struct view_past *old; /* of the last look, with its processes' numbers */
	pid_t *old_pid;
	int nold;
};

/* Looks again: all processes with fresh figures. */
void top_look(struct top *t);
/* Asks process i to count until the next look. */
void top_watch(struct top *t, int i);
/* The tables of process i; all of them, for view_free(). */
void top_tables(const struct top *t, int i, struct view v[VIEW_KINDS]);
void top_free(struct top *t);

/* The full screen; returns an exit code. */
int top_screen(struct top *t);

#endif
