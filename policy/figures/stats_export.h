/* SPDX-License-Identifier: MIT */
/*
 * stats_export.h - figures for programs: JSON, and the text format of Prometheus
 *
 * One table of fields feeds both, stats_fields.c.
 */
#ifndef STATS_EXPORT_H
#define STATS_EXPORT_H

#include <stdio.h>

#include "policy/system/stats_read.h"

/* The object, without a newline behind it. */
void stats_json(FILE *to, const struct stats_page *p);
/* Of n processes. Text format 0.0.4, ended by "# EOF". */
void stats_metrics(FILE *to, const struct stats_page *page, int n);

#endif
