/* SPDX-License-Identifier: MIT */
/*
 * stats_fields.h - the figures of each record for programs: names, kinds and meanings
 *
 * A field is "rtmem_SECTION_NAME" to Prometheus (counters with _total) and NAME in JSON.
 */
#ifndef STATS_FIELDS_H
#define STATS_FIELDS_H

#include <stddef.h>
#include <stdio.h>

#include "policy/system/stats_read.h"

enum field_type { FIELD_GAUGE, FIELD_COUNTER };
enum field_kind { U32, U64, TICKS, NS };

struct stats_field {
	const char *name;
	enum field_type type;
	enum field_kind kind;
	size_t at;
	const char *help;
};

/* Each ends with name NULL. */
extern const struct stats_field stats_field_process[], stats_field_pool[],
	stats_field_rule[], stats_field_tag[], stats_field_thread[];

#define STATS_QUANTILES 5u
extern const double stats_field_quantile[STATS_QUANTILES];

/* The value of a field of this record, as a number. */
void stats_field_put(FILE *to, const struct stats_page *p, const struct stats_field *f,
	const void *record);
/* What a part q of the calls took at most. */
double stats_field_seconds(
	const struct stats_page *p, const uint32_t *ticks, uint64_t worst, double q);

#endif
