/* SPDX-License-Identifier: MIT */
/*
 * report.h - the last figures of a process, and what they mean
 */
#ifndef REPORT_H
#define REPORT_H

#include "report_faults.h"
#include "stats_view.h"

#define REPORT_LINES 256

enum report_mark { REPORT_KEPT, REPORT_NOTE, REPORT_BROKEN };

struct report {
	struct stats_page page;
	struct report_faults faults;
	char end[96];	/* "the program returned 0" */
	double seconds; /* from the first look to the last */
	int n;
	struct {
		enum report_mark mark;
		char text[240];
	} line[REPORT_LINES];
};

/* From the figures to the lines. True: nothing is broken. */
bool report_judge(struct report *r);
void report_text(FILE *to, const struct report *r);
void report_json(FILE *to, const struct report *r);
void report_html(FILE *to, const struct report *r);
/* "watched 2.8 of 3.0 s; the program returned 0" */
void report_span(FILE *to, const struct report *r);

#endif
