/* SPDX-License-Identifier: MIT */
/*
 * stats_view.c - what is in the tables: a row for each record
 */
#include <stdlib.h>
#include <string.h>

#include "policy/model/printable.h"
#include "stats_view.h"

/* ---- rows and cells ---- */

void view_begin(struct view *v, enum view_kind kind)
{
	*v = (struct view){.kind = kind};
}

void view_free(struct view *v)
{
	free(v->row);
	v->row = NULL;
	v->n = v->room = 0;
}

static void view_row(struct view *v)
{
	if (v->n == v->room) {
		v->room = v->room ? 2 * v->room : 16;
		v->row = realloc(v->row, (size_t)v->room * sizeof(*v->row));
		if (!v->row)
			abort();
	}
	memset(&v->row[v->n++], 0, sizeof(*v->row));
	v->at = 0;
}

static struct view_cell *view_text(struct view *v, const char *text)
{
	struct view_cell *c = &v->row[v->n - 1][v->at++];

	printable(c->text, sizeof(c->text), text, strlen(text));
	return c;
}

static struct view_cell *view_number(struct view *v, double number, const char *text)
{
	struct view_cell *c = view_text(v, text);

	c->key = number;
	return c;
}

static struct view_cell *cell_bytes(struct view *v, uint64_t bytes)
{
	char text[24];

	return view_number(v, (double)bytes, view_bytes(text, bytes));
}

static struct view_cell *cell_count(struct view *v, double count)
{
	char text[24];

	return view_number(v, count, view_count(text, count));
}

/* A count of what should not happen. */
static void cell_trouble(struct view *v, uint64_t count)
{
	cell_count(v, (double)count)->mark = count ? VIEW_BAD : VIEW_PLAIN;
}

static void cell_pid(struct view *v, uint32_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%u", id);
	view_number(v, -(double)id, text);
}

/* ---- processes ---- */

static void process_figures(struct view *v, const struct stats_page *p)
{
	uint64_t locked = 0, full = 0;
	char text[32];

	for (uint32_t i = 0; i < p->head.pool.n; i++) {
		const struct rtmem_stats_pool *r = stats_record(p, &p->head.pool, i);

		locked += r->locked;
		full += r->full;
	}
	cell_count(v, p->head.pool.n);
	cell_bytes(v, locked);
	snprintf(text, sizeof(text), "%u/%u", p->head.matched, p->head.threads);
	view_number(v, p->head.matched, text);
	cell_trouble(v, full);
	view_text(v, p->head.policy);
	cell_count(v, (double)p->head.reloads);
}

void view_process(struct view *v, const struct stats_page *p, enum stats_trouble t)
{
	view_row(v);
	cell_pid(v, (uint32_t)p->pid);
	view_text(v, p->program);
	if (t == STATS_OK) {
		process_figures(v, p);
		return;
	}
	for (int i = 0; i < 4; i++)
		view_text(v, "-");
	view_text(v, t == STATS_NO_PAGE ? "(no realtime thread)"
					: "(damaged or other version)");
	view_number(v, -1, "-");
}

/* ---- pools ---- */

static enum view_mark pool_mark(const struct rtmem_stats_pool *r)
{
	if (r->full || r->used >= r->size - r->size / 20)
		return VIEW_BAD;
	return r->peak >= r->size - r->size / 5 ? VIEW_WARN : VIEW_GOOD;
}

static void cell_fill(struct view *v, const struct rtmem_stats_pool *r)
{
	char bar[13] = "[..........]";
	uint64_t size = r->size ? r->size : 1;

	for (unsigned i = 0; i < 10; i++) {
		/* a tenth is drawn when half of it is reached */
		uint64_t at = size / 20 * (2 * i + 1);

		if (r->used >= at && r->used)
			bar[1 + i] = '#';
		else if (r->peak >= at && r->peak)
			bar[1 + i] = '-';
	}
	view_number(v, (double)r->used / (double)size, bar)->mark = pool_mark(r);
}

static void cell_parts(struct view *v, const struct rtmem_stats_pool *r)
{
	char text[24];

	snprintf(text, sizeof(text), "%u/%u", r->free_parts, r->parts);
	if (r->parts)
		view_text(v, text)->mark =
			!r->free_parts && r->full ? VIEW_BAD : VIEW_PLAIN;
	else
		view_text(v, "-");
}

void view_pools(struct view *v, const struct stats_page *p)
{
	for (uint32_t i = 0; i < p->head.pool.n; i++) {
		const struct rtmem_stats_pool *r = stats_record(p, &p->head.pool, i);

		view_row(v);
		view_text(v, r->name);
		cell_fill(v, r);
		cell_bytes(v, r->used);
		cell_bytes(v, r->peak);
		cell_bytes(v, r->size);
		cell_bytes(v, r->max);
		cell_trouble(v, r->full);
		if (r->flags & RTMEM_STATS_POOL_LOCK)
			cell_bytes(v, r->not_locked)->mark =
				r->not_locked ? VIEW_BAD : VIEW_PLAIN;
		else
			view_text(v, "-");
		cell_bytes(v, r->largest_free);
		cell_bytes(v, r->pinned);
		cell_count(v, (double)r->growths);
		cell_parts(v, r);
		view_text(v, r->rule);
	}
}

/* ---- threads ---- */

/* 0: calls were not counted all the time. */
static double view_seconds(const struct stats_page *p, const struct view_past *past)
{
	return past && past->at && past->watching && p->head.watching &&
			       p->head.published_at > past->at
		       ? (double)(p->head.published_at - past->at) / 1e9
		       : 0;
}

static void cell_rate(struct view *v, uint64_t now, uint64_t then, double seconds)
{
	if (seconds > 0 && now >= then)
		cell_count(v, (double)(now - then) / seconds);
	else
		view_number(v, -1, "-");
}

static void cell_ticks(struct view *v, const struct stats_page *p, uint64_t ticks)
{
	char text[24];

	view_number(v, (double)ticks, ticks ? view_ticks(text, p, ticks) : "-");
}

/* What happened to it besides its calls, and within them. */
static void thread_happened(struct view *v, const struct rtmem_stats_thread *r)
{
	cell_count(v, (double)(r->minor_faults + r->major_faults))->mark =
		r->major_faults ? VIEW_BAD : VIEW_PLAIN;
	cell_count(v, (double)r->waits);
	cell_count(v, (double)r->interrupted)->mark =
		r->interrupted ? VIEW_WARN : VIEW_PLAIN;
	cell_trouble(v, r->system_calls);
}

static void thread_row(struct view *v, const struct stats_page *p,
	const struct rtmem_stats_thread *r, const struct view_past *past)
{
	double seconds = 0;
	char text[24];
	int i = 0;

	while (past && i < past->nthread && past->thread[i].tid != r->tid)
		i++;
	if (past && i < past->nthread && r->matched)
		seconds = view_seconds(p, past);
	else
		i = 0;
	view_row(v);
	cell_pid(v, r->tid);
	view_text(v, r->name);
	view_number(v, r->priority, view_class(text, r->sched, r->priority));
	view_text(v, r->matched ? r->rule : "-")->mark =
		r->matched ? VIEW_GOOD : VIEW_PLAIN;
	cell_rate(v, r->allocations, seconds > 0 ? past->thread[i].allocations : 0,
		seconds);
	cell_rate(v, r->frees, seconds > 0 ? past->thread[i].frees : 0, seconds);
	cell_ticks(v, p, view_percentile(r->alloc_ticks, 0.99, r->worst_alloc));
	cell_ticks(v, p, r->worst_alloc > r->worst_free ? r->worst_alloc : r->worst_free);
	cell_trouble(v, r->fallbacks);
	cell_rate(v, r->bytes, seconds > 0 ? past->thread[i].bytes : 0, seconds);
	cell_count(v, (double)r->slow);
	cell_count(v, (double)r->deferred);
	thread_happened(v, r);
	view_text(v, r->matched ? r->pool : "-");
}

void view_threads(
	struct view *v, const struct stats_page *p, const struct view_past *past)
{
	for (uint32_t i = 0; i < p->head.thread.n; i++)
		thread_row(v, p, stats_record(p, &p->head.thread, i), past);
}

static void report_row(
	struct view *v, const struct stats_page *p, const struct rtmem_stats_thread *r)
{
	char text[24];

	if (!r->matched)
		return;
	view_row(v);
	view_text(v, r->name);
	view_number(v, r->priority, view_class(text, r->sched, r->priority));
	view_text(v, r->rule);
	cell_count(v, (double)r->allocations);
	cell_count(v, (double)r->frees);
	cell_ticks(v, p, view_percentile(r->alloc_ticks, 0.5, r->worst_alloc));
	cell_ticks(v, p, view_percentile(r->alloc_ticks, 0.99, r->worst_alloc));
	cell_ticks(v, p, view_percentile(r->alloc_ticks, 0.999, r->worst_alloc));
	cell_ticks(v, p, r->worst_alloc > r->worst_free ? r->worst_alloc : r->worst_free);
	cell_trouble(v, r->fallbacks);
	cell_count(v, (double)r->slow);
	cell_count(v, (double)r->deferred);
	thread_happened(v, r);
}

void view_report(struct view *v, const struct stats_page *p)
{
	for (uint32_t i = 0; i < p->head.gone.n; i++)
		report_row(v, p, stats_record(p, &p->head.gone, i));
	for (uint32_t i = 0; i < p->head.thread.n; i++)
		report_row(v, p, stats_record(p, &p->head.thread, i));
}

/* ---- rules ---- */

/* "32..64K" */
static void cell_sizes(struct view *v, const uint32_t *sizes)
{
	unsigned lo = 0, hi = RTMEM_STATS_SIZES;
	char a[24], b[24], text[64];

	while (lo < hi && !sizes[lo])
		lo++;
	while (hi > lo && !sizes[hi - 1])
		hi--;
	if (lo == hi)
		snprintf(text, sizeof(text), "-");
	else
		snprintf(text, sizeof(text), "%s..%s", view_bytes(a, lo ? 8ull << lo : 0),
			hi < RTMEM_STATS_SIZES ? view_bytes(b, 8ull << hi) : "");
	view_number(v, hi, text);
}

void view_rules(struct view *v, const struct stats_page *p, const struct view_past *past)
{
	for (uint32_t i = 0; i < p->head.rule.n; i++) {
		const struct rtmem_stats_rule *r = stats_record(p, &p->head.rule, i);
		bool known = past && (int)i < past->nrule;
		double seconds = known ? view_seconds(p, past) : 0;

		view_row(v);
		view_text(v, r->name);
		view_text(v, r->pool);
		cell_count(v, r->threads);
		if (strcmp(r->pool, "jemalloc") == 0) {
			for (int k = 0; k < 6; k++)
				view_text(v, "-");
			continue;
		}
		cell_rate(v, r->allocations, known ? past->rule[i].allocations : 0,
			seconds);
		cell_rate(v, r->bytes, known ? past->rule[i].bytes : 0, seconds);
		cell_count(v, (double)r->allocations);
		cell_bytes(v, r->bytes);
		cell_bytes(v, r->allocations ? r->bytes / r->allocations : 0);
		cell_sizes(v, r->sizes);
	}
}

const char *view_tag_kind(const struct rtmem_stats_tag *r)
{
	static const char *const kind[] = {
		[RTMEM_STATS_TAG_PROGRAM] = "program",
		[RTMEM_STATS_TAG_LIBRARY] = "library",
		[RTMEM_STATS_TAG_RULE] = "rule",
	};

	return r->kind < sizeof(kind) / sizeof(*kind) ? kind[r->kind] : "";
}

void view_tags(struct view *v, const struct stats_page *p)
{
	for (uint32_t i = 0; i < p->head.tag.n; i++) {
		const struct rtmem_stats_tag *r = stats_record(p, &p->head.tag, i);

		view_row(v);
		view_text(v, r->name);
		view_text(v, view_tag_kind(r));
		cell_count(v, (double)r->blocks);
		cell_bytes(v, r->bytes);
		cell_bytes(v, r->peak);
	}
}

void view_remember(struct view_past *past, const struct stats_page *p)
{
	past->at = p->head.published_at;
	past->watching = p->head.watching;
	past->nthread = past->nrule = 0;
	for (uint32_t i = 0; i < p->head.thread.n && i < VIEW_PAST; i++) {
		const struct rtmem_stats_thread *r = stats_record(p, &p->head.thread, i);

		past->thread[i].tid = r->tid;
		past->thread[i].allocations = r->allocations;
		past->thread[i].frees = r->frees;
		past->thread[i].bytes = r->bytes;
		past->nthread++;
	}
	for (uint32_t i = 0; i < p->head.rule.n && i < VIEW_PAST; i++) {
		const struct rtmem_stats_rule *r = stats_record(p, &p->head.rule, i);

		past->rule[i].allocations = r->allocations;
		past->rule[i].bytes = r->bytes;
		past->nrule++;
	}
}
