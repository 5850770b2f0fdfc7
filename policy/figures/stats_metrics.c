/* SPDX-License-Identifier: MIT */
/*
 * stats_metrics.c - figures of any number of processes in the text format of Prometheus
 */
#include <stddef.h>
#include <string.h>

#include "policy/system/escape.h"
#include "stats_export.h"
#include "stats_fields.h"
#include "stats_view.h"

#define HEAD(section) offsetof(struct rtmem_stats_head, section)

/* All samples of a family stand together, for all processes. */
struct metrics {
	FILE *to;
	const struct stats_page *page;
	int n;
};

static void metric_label(FILE *to, const char *key, const char *value)
{
	fprintf(to, ",%s=", key);
	escape_label(to, value);
}

static void metric_labels(FILE *to, const struct stats_page *p)
{
	fprintf(to, "{pid=\"%d\"", p->pid);
	metric_label(to, "program", p->program);
}

static void metric_thread_labels(
	FILE *to, const struct stats_page *p, const struct rtmem_stats_thread *r)
{
	metric_labels(to, p);
	fprintf(to, ",tid=\"%u\"", r->tid);
	metric_label(to, "thread", r->name);
	metric_label(to, "rule", r->rule);
}

static void metric_head(FILE *to, const char *section, const char *name, const char *unit,
	const char *type, const char *help)
{
	fprintf(to, "# HELP rtmem_%s_%s%s %s\n# TYPE rtmem_%s_%s%s %s\n", section, name,
		unit, help, section, name, unit, type);
}

/* The section of each page that lies there in the head; at 0: the head itself. */
static const struct rtmem_stats_section *metric_section_of(
	const struct stats_page *p, size_t at)
{
	return (const void *)((const char *)&p->head + at);
}

/* Pools and tags may share a name, series may not: the second has another label. */
static void metric_name(FILE *to, const struct stats_page *p, const char *section,
	const struct rtmem_stats_section *s, uint32_t i)
{
	const char *name = stats_record(p, s, i);
	unsigned nr = 1;

	metric_label(to, section, name);
	for (uint32_t k = 0; k < i; k++)
		nr += !strcmp(stats_record(p, s, k), name);
	if (nr > 1)
		fprintf(to, ",nr=\"%u\"", nr);
}

/* s: NULL for the head. */
static void metric_sample(FILE *to, const struct stats_page *p, const char *section,
	const struct stats_field *f, const struct rtmem_stats_section *s, uint32_t i)
{
	const void *record = s ? stats_record(p, s, i) : &p->head;

	fprintf(to, "rtmem_%s_%s%s", section, f->name,
		f->type == FIELD_COUNTER ? "_total" : "");
	if (strcmp(section, "thread") == 0) {
		metric_thread_labels(to, p, record);
	} else {
		metric_labels(to, p);
		if (s)
			metric_name(to, p, section, s, i);
	}
	fputs("} ", to);
	stats_field_put(to, p, f, record);
	putc('\n', to);
}

/* One family: a sample for each record of the section in each page. */
static void metric_family(const struct metrics *m, const char *section, size_t at,
	const struct stats_field *f)
{
	metric_head(m->to, section, f->name, f->type == FIELD_COUNTER ? "_total" : "",
		f->type == FIELD_COUNTER ? "counter" : "gauge", f->help);
	for (int k = 0; k < m->n; k++) {
		const struct stats_page *p = &m->page[k];
		const struct rtmem_stats_section *s = metric_section_of(p, at);

		if (!at)
			metric_sample(m->to, p, section, f, NULL, 0);
		for (uint32_t i = 0; at && i < s->n; i++)
			metric_sample(m->to, p, section, f, s, i);
	}
}

static void metric_quantiles(FILE *to, const struct stats_page *p,
	const struct rtmem_stats_thread *r, const char *name, const uint32_t *ticks,
	uint64_t worst)
{
	for (size_t k = 0; k < STATS_QUANTILES; k++) {
		fprintf(to, "rtmem_thread_%s_seconds", name);
		metric_thread_labels(to, p, r);
		fprintf(to, ",quantile=\"%g\"} %.10g\n", stats_field_quantile[k],
			stats_field_seconds(p, ticks, worst, stats_field_quantile[k]));
	}
	fprintf(to, "rtmem_thread_%s_seconds_count", name);
	metric_thread_labels(to, p, r);
	fprintf(to, "} %lu\n", view_calls(ticks));
}

static void metric_latency(const struct metrics *m, const char *name, bool frees)
{
	metric_head(m->to, "thread", name, "_seconds", "summary",
		"Time of the calls counted while watched.");
	for (int k = 0; k < m->n; k++) {
		const struct stats_page *p = &m->page[k];

		for (uint32_t i = 0; i < p->head.thread.n; i++) {
			const struct rtmem_stats_thread *r =
				stats_record(p, &p->head.thread, i);

			metric_quantiles(m->to, p, r, name,
				frees ? r->free_ticks : r->alloc_ticks,
				frees ? r->worst_free : r->worst_alloc);
		}
	}
}

static void metric_rule_labels(FILE *to, const struct stats_page *p, uint32_t i)
{
	metric_labels(to, p);
	metric_name(to, p, "rule", &p->head.rule, i);
}

static void metric_rule_sizes(FILE *to, const struct stats_page *p, uint32_t rule)
{
	const struct rtmem_stats_rule *r = stats_record(p, &p->head.rule, rule);
	uint64_t n = 0;

	for (unsigned i = 0; i < RTMEM_STATS_SIZES; i++) {
		n += r->sizes[i];
		fputs("rtmem_rule_size_bytes_bucket", to);
		metric_rule_labels(to, p, rule);
		if (i < RTMEM_STATS_SIZES - 1)
			fprintf(to, ",le=\"%u\"} %lu\n", (16u << i) - 1, n);
		else
			fprintf(to, ",le=\"+Inf\"} %lu\n", n);
	}
	fputs("rtmem_rule_size_bytes_sum", to);
	metric_rule_labels(to, p, rule);
	fprintf(to, "} %lu\nrtmem_rule_size_bytes_count", r->bytes);
	metric_rule_labels(to, p, rule);
	fprintf(to, "} %lu\n", n);
}

static void metric_sizes(const struct metrics *m)
{
	metric_head(m->to, "rule", "size", "_bytes", "histogram",
		"Sizes of the allocations it decided while watched.");
	for (int k = 0; k < m->n; k++) {
		const struct stats_page *p = &m->page[k];

		for (uint32_t i = 0; i < p->head.rule.n; i++)
			metric_rule_sizes(m->to, p, i);
	}
}

/* Sections that nobody has a record of are left out. */
static bool metric_any(const struct metrics *m, size_t at)
{
	bool any = m->n > 0 && !at;

	for (int k = 0; at && k < m->n; k++)
		any |= metric_section_of(&m->page[k], at)->n > 0;
	return any;
}

static void metric_section(const struct metrics *m, const char *section, size_t at,
	const struct stats_field *f)
{
	for (; metric_any(m, at) && f->name; f++)
		metric_family(m, section, at, f);
}

void stats_metrics(FILE *to, const struct stats_page *page, int n)
{
	const struct metrics m = {to, page, n};

	metric_section(&m, "process", 0, stats_field_process);
	metric_section(&m, "pool", HEAD(pool), stats_field_pool);
	metric_section(&m, "rule", HEAD(rule), stats_field_rule);
	if (metric_any(&m, HEAD(rule)))
		metric_sizes(&m);
	metric_section(&m, "tag", HEAD(tag), stats_field_tag);
	metric_section(&m, "thread", HEAD(thread), stats_field_thread);
	if (metric_any(&m, HEAD(thread))) {
		metric_latency(&m, "allocation", false);
		metric_latency(&m, "free", true);
	}
	fputs("# EOF\n", to);
}
