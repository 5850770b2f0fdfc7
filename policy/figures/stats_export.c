/* SPDX-License-Identifier: MIT */
/*
 * stats_export.c - figures as JSON
 *
 * No library writes it: with jansson it has 113 lines instead of 118 and needs 74 more
 * for texts, large numbers and output. See audit_json.c.
 */
#include <string.h>

#include "policy/system/escape.h"
#include "stats_export.h"
#include "stats_fields.h"
#include "stats_view.h"

static void json_fields(FILE *to, const struct stats_page *p, const struct stats_field *f,
	const void *record)
{
	for (; f->name; f++) {
		fprintf(to, ",\"%s\":", f->name);
		stats_field_put(to, p, f, record);
	}
}

static void json_name(FILE *to, const char *key, const char *value)
{
	fprintf(to, "%s\"%s\":", strcmp(key, "name") ? "," : "", key);
	escape_json(to, value);
}

static void json_latency(FILE *to, const struct stats_page *p, const char *key,
	const uint32_t *ticks, uint64_t worst)
{
	fprintf(to, ",\"%s_seconds\":{", key);
	for (size_t i = 0; i < STATS_QUANTILES; i++)
		fprintf(to, "%s\"%g\":%.10g", i ? "," : "", stats_field_quantile[i],
			stats_field_seconds(p, ticks, worst, stats_field_quantile[i]));
	putc('}', to);
}

static void json_thread(
	FILE *to, const struct stats_page *p, const struct rtmem_stats_thread *r)
{
	char class[24];

	json_name(to, "name", r->name);
	fprintf(to, ",\"tid\":%u,\"matched\":%s", r->tid, r->matched ? "true" : "false");
	json_name(to, "class", view_class(class, r->sched, r->priority));
	json_name(to, "rule", r->rule);
	json_name(to, "pool", r->pool);
	json_fields(to, p, stats_field_thread, r);
	json_latency(to, p, "allocation", r->alloc_ticks, r->worst_alloc);
	json_latency(to, p, "free", r->free_ticks, r->worst_free);
}

static void json_threads(FILE *to, const struct stats_page *p, const char *key,
	const struct rtmem_stats_section *s)
{
	fprintf(to, ",\n\"%s\":[", key);
	for (uint32_t i = 0; i < s->n; i++) {
		fputs(i ? ",\n{" : "\n{", to);
		json_thread(to, p, stats_record(p, s, i));
		putc('}', to);
	}
	putc(']', to);
}

/* [[sizes below this, allocations], …], empty ones left out; the last has no upper end.
 */
static void json_sizes(FILE *to, const struct rtmem_stats_rule *r)
{
	const char *comma = "";

	fputs(",\"sizes\":[", to);
	for (unsigned i = 0; i < RTMEM_STATS_SIZES; i++) {
		if (!r->sizes[i])
			continue;
		if (i < RTMEM_STATS_SIZES - 1)
			fprintf(to, "%s[%u,%u]", comma, 16u << i, r->sizes[i]);
		else
			fprintf(to, "%s[null,%u]", comma, r->sizes[i]);
		comma = ",";
	}
	putc(']', to);
}

/* Pools, rules and tags: a name first, then what else is text, then figures. */
static void json_section(FILE *to, const struct stats_page *p, const char *key,
	const struct rtmem_stats_section *s, const struct stats_field *f,
	const char *second)
{
	fprintf(to, ",\n\"%s\":[", key);
	for (uint32_t i = 0; i < s->n; i++) {
		const char *record = stats_record(p, s, i);

		fputs(i ? ",\n{" : "\n{", to);
		json_name(to, "name", record);
		if (second)
			json_name(to, second, record + RTMEM_STATS_NAME);
		json_fields(to, p, f, record);
		if (f == stats_field_tag)
			json_name(to, "kind", view_tag_kind((const void *)record));
		if (f == stats_field_rule)
			json_sizes(to, (const void *)record);
		putc('}', to);
	}
	putc(']', to);
}

void stats_json(FILE *to, const struct stats_page *p)
{
	fprintf(to, "{\"version\":%u,\"pid\":%d,\"program\":", p->head.version, p->pid);
	escape_json(to, p->program);
	json_name(to, "policy", p->head.policy);
	json_fields(to, p, stats_field_process, &p->head);
	json_section(to, p, "pools", &p->head.pool, stats_field_pool, "rule");
	json_section(to, p, "rules", &p->head.rule, stats_field_rule, "pool");
	json_section(to, p, "tags", &p->head.tag, stats_field_tag, NULL);
	json_threads(to, p, "threads", &p->head.thread);
	json_threads(to, p, "ended", &p->head.gone);
	putc('}', to);
}
