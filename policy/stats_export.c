/* SPDX-License-Identifier: MIT */
/*
 * stats_export.c - the fields of each record: their names, kinds and meanings, once
 *
 * A field is "rtmem_SECTION_NAME" to Prometheus (counters with _total) and NAME in JSON.
 */
#include <stddef.h>
#include <string.h>

#include "stats_export.h"
#include "stats_view.h"

enum export_type { GAUGE, COUNTER };
enum export_kind { U32, U64, TICKS, NS };

struct export_field {
	const char *name;
	enum export_type type;
	enum export_kind kind;
	size_t at;
	const char *help;
};

#define F(record, field) offsetof(struct rtmem_stats_##record, field)

static const struct export_field export_process[] = {
	{"known_threads", GAUGE, U32, F(head, threads), "Threads the library knows."},
	{"matched_threads", GAUGE, U32, F(head, matched), "Threads of a rule."},
	{"ended_threads", COUNTER, U32, F(head, ended),
		"Threads of a rule that have ended."},
	{"watched_seconds", COUNTER, NS, F(head, watched),
		"Time during which calls were counted."},
	{"jemalloc_allocated_bytes", GAUGE, U64, F(head, base_allocated),
		"Bytes in blocks of jemalloc."},
	{"jemalloc_active_bytes", GAUGE, U64, F(head, base_active),
		"Bytes in pages with such blocks."},
	{"jemalloc_resident_bytes", GAUGE, U64, F(head, base_resident),
		"Bytes jemalloc keeps in memory."},
	{"jemalloc_mapped_bytes", GAUGE, U64, F(head, base_mapped),
		"Bytes jemalloc has mapped."},
	{0},
};
static const struct export_field export_pool[] = {
	{"size_bytes", GAUGE, U64, F(pool, size), "Memory the pool has."},
	{"max_bytes", GAUGE, U64, F(pool, max), "What it may grow to."},
	{"used_bytes", GAUGE, U64, F(pool, used), "Bytes in blocks."},
	{"peak_bytes", GAUGE, U64, F(pool, peak), "Highest of used_bytes."},
	{"largest_free_bytes", GAUGE, U64, F(pool, largest_free),
		"Largest request it would serve."},
	{"growths", COUNTER, U64, F(pool, growths), "Times it was grown."},
	{"full", COUNTER, U64, F(pool, full), "Requests it could not serve."},
	{"locked_bytes", GAUGE, U64, F(pool, locked), "Bytes that are locked."},
	{"unlocked_bytes", GAUGE, U64, F(pool, not_locked), "Bytes that are not."},
	{"pinned_bytes", GAUGE, U64, F(pool, pinned), "Bytes that are pinned."},
	{0},
};
static const struct export_field export_rule[] = {
	{"threads", GAUGE, U32, F(rule, threads), "Threads whose first rule it is."},
	{"allocations", COUNTER, U64, F(rule, allocations),
		"Allocations it decided while watched."},
	{"allocated_bytes", COUNTER, U64, F(rule, bytes), "Bytes of those."},
	{0},
};
static const struct export_field export_tag[] = {
	{"blocks", GAUGE, U64, F(tag, blocks), "Blocks of the tag."},
	{"used_bytes", GAUGE, U64, F(tag, bytes), "Bytes of those."},
	{"peak_bytes", GAUGE, U64, F(tag, peak), "Highest of used_bytes."},
	{0},
};
static const struct export_field export_thread[] = {
	{"fallbacks", COUNTER, U64, F(thread, fallbacks),
		"Requests its pool was too full for."},
	{"slow_paths", COUNTER, U64, F(thread, slow),
		"Calls that went past its cache to the pool."},
	{"deferred_frees", COUNTER, U64, F(thread, deferred),
		"Frees left to the helper thread."},
	{"allocations", COUNTER, U64, F(thread, allocations),
		"Allocations while watched."},
	{"frees", COUNTER, U64, F(thread, frees), "Frees while watched."},
	{"allocated_bytes", COUNTER, U64, F(thread, bytes),
		"Bytes asked for while watched."},
	{"largest_bytes", GAUGE, U64, F(thread, largest),
		"Largest request while watched."},
	{"slowest_allocation_seconds", GAUGE, TICKS, F(thread, worst_alloc),
		"Slowest allocation while watched."},
	{"slowest_free_seconds", GAUGE, TICKS, F(thread, worst_free),
		"Slowest free while watched."},
	{"minor_faults", COUNTER, U64, F(thread, minor_faults),
		"Page faults of the whole thread while watched."},
	{"major_faults", COUNTER, U64, F(thread, major_faults),
		"Those that waited for a disk."},
	{"involuntary_waits", COUNTER, U64, F(thread, waits),
		"Times the whole thread lost its processor while watched."},
	{"interrupted_calls", COUNTER, U64, F(thread, interrupted),
		"Allocations and frees during which it did."},
	{"system_calls", COUNTER, U64, F(thread, system_calls),
		"System calls that jemalloc made within allocations and frees."},
	{0},
};

static const double export_quantile[] = {0.5, 0.9, 0.99, 0.999, 0.9999};

static void put_value(FILE *to, const struct stats_page *p, const struct export_field *f,
	const void *record)
{
	uint64_t v = 0;
	uint32_t narrow;

	if (f->kind == U32) {
		memcpy(&narrow, (const char *)record + f->at, sizeof(narrow));
		v = narrow;
	} else {
		memcpy(&v, (const char *)record + f->at, sizeof(v));
	}
	if (f->kind == TICKS)
		fprintf(to, "%.10g",
			p->head.tick_hz ? (double)v / (double)p->head.tick_hz : 0.0);
	else if (f->kind == NS)
		fprintf(to, "%.10g", (double)v / 1e9);
	else
		fprintf(to, "%lu", v);
}

static double put_seconds(
	const struct stats_page *p, const uint32_t *ticks, uint64_t worst, double q)
{
	return p->head.tick_hz ? (double)view_percentile(ticks, q, worst) /
					 (double)p->head.tick_hz
			       : 0;
}

/* ---- JSON ---- */

void stats_json_string(FILE *to, const char *s)
{
	putc('"', to);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', to);
		if ((unsigned char)*s >= 0x20)
			putc(*s, to);
	}
	putc('"', to);
}

static void json_fields(FILE *to, const struct stats_page *p,
	const struct export_field *f, const void *record)
{
	for (; f->name; f++) {
		fprintf(to, ",\"%s\":", f->name);
		put_value(to, p, f, record);
	}
}

static void json_name(FILE *to, const char *key, const char *value)
{
	fprintf(to, "%s\"%s\":", strcmp(key, "name") ? "," : "", key);
	stats_json_string(to, value);
}

static void json_latency(FILE *to, const struct stats_page *p, const char *key,
	const uint32_t *ticks, uint64_t worst)
{
	fprintf(to, ",\"%s_seconds\":{", key);
	for (size_t i = 0; i < sizeof(export_quantile) / sizeof(*export_quantile); i++)
		fprintf(to, "%s\"%g\":%.10g", i ? "," : "", export_quantile[i],
			put_seconds(p, ticks, worst, export_quantile[i]));
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
	json_fields(to, p, export_thread, r);
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

/* Pools, rules and tags: a name first, then what else is text, then figures. */
static void json_section(FILE *to, const struct stats_page *p, const char *key,
	const struct rtmem_stats_section *s, const struct export_field *f,
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
		putc('}', to);
	}
	putc(']', to);
}

void stats_json(FILE *to, const struct stats_page *p)
{
	fprintf(to, "{\"version\":%u,\"pid\":%d,\"program\":", p->head.version, p->pid);
	stats_json_string(to, p->program);
	json_name(to, "policy", p->head.policy);
	json_fields(to, p, export_process, &p->head);
	json_section(to, p, "pools", &p->head.pool, export_pool, "rule");
	json_section(to, p, "rules", &p->head.rule, export_rule, "pool");
	json_section(to, p, "tags", &p->head.tag, export_tag, NULL);
	json_threads(to, p, "threads", &p->head.thread);
	json_threads(to, p, "ended", &p->head.gone);
	putc('}', to);
}

/* ---- Prometheus ---- */

/* All samples of a family stand together, whatever process they are of. */
struct metrics {
	FILE *to;
	const struct stats_page *page;
	int n;
};

static void metric_label(FILE *to, const char *key, const char *value)
{
	fprintf(to, ",%s=", key);
	stats_json_string(to, value); /* the same two characters are escaped */
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

/* The section of each page that lies there in the head; at 0: the head itself. */
static const struct rtmem_stats_section *metric_section_of(
	const struct stats_page *p, size_t at)
{
	return (const void *)((const char *)&p->head + at);
}

/* s: NULL for the head. */
static void metric_sample(FILE *to, const struct stats_page *p, const char *section,
	const struct export_field *f, const struct rtmem_stats_section *s, uint32_t i)
{
	const void *record = s ? stats_record(p, s, i) : &p->head;

	fprintf(to, "rtmem_%s_%s%s", section, f->name,
		f->type == COUNTER ? "_total" : "");
	if (strcmp(section, "thread") == 0) {
		metric_thread_labels(to, p, record);
	} else {
		metric_labels(to, p);
		if (s)
			metric_name(to, p, section, s, i);
	}
	fputs("} ", to);
	put_value(to, p, f, record);
	putc('\n', to);
}

/* One family: a sample for each record of the section in each page. */
static void metric_family(const struct metrics *m, const char *section, size_t at,
	const struct export_field *f)
{
	metric_head(m->to, section, f->name, f->type == COUNTER ? "_total" : "",
		f->type == COUNTER ? "counter" : "gauge", f->help);
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
	for (size_t k = 0; k < sizeof(export_quantile) / sizeof(double); k++) {
		fprintf(to, "rtmem_thread_%s_seconds", name);
		metric_thread_labels(to, p, r);
		fprintf(to, ",quantile=\"%g\"} %.10g\n", export_quantile[k],
			put_seconds(p, ticks, worst, export_quantile[k]));
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

/* Sections that nobody has a record of are left out. */
static bool metric_any(const struct metrics *m, size_t at)
{
	bool any = m->n > 0 && !at;

	for (int k = 0; at && k < m->n; k++)
		any |= metric_section_of(&m->page[k], at)->n > 0;
	return any;
}

static void metric_section(const struct metrics *m, const char *section, size_t at,
	const struct export_field *f)
{
	for (; metric_any(m, at) && f->name; f++)
		metric_family(m, section, at, f);
}

void stats_metrics(FILE *to, const struct stats_page *page, int n)
{
	const struct metrics m = {to, page, n};

	metric_section(&m, "process", 0, export_process);
	metric_section(&m, "pool", F(head, pool), export_pool);
	metric_section(&m, "rule", F(head, rule), export_rule);
	metric_section(&m, "tag", F(head, tag), export_tag);
	metric_section(&m, "thread", F(head, thread), export_thread);
	if (metric_any(&m, F(head, thread))) {
		metric_latency(&m, "allocation", false);
		metric_latency(&m, "free", true);
	}
	fputs("# EOF\n", to);
}
