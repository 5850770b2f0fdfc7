/* SPDX-License-Identifier: MIT */
/*
 * report_html.c - the report as one page for a browser: no script, nothing to load
 */
#include <math.h>

#include "policy/system/escape.h"
#include "report.h"

#define HTML_HEIGHT 120
#define HTML_DECADE 150
#define HTML_MARGIN 24
#define HTML_FIRST  10.0 /* ns */

static void html_table(FILE *to, const struct view *v)
{
	static const char *const marks[] = {"", "good", "warn", "bad"};
	int n = view_ncolumns(v->kind);

	fputs("<table><tr>", to);
	for (int i = 0; i < n; i++) {
		const struct view_column *c = &view_columns[v->kind][i];

		fprintf(to, "<th class=\"%s\" title=\"", c->left ? "left" : "");
		escape_html(to, c->help);
		fprintf(to, "\">%s</th>", c->title);
	}
	fputs("</tr>\n", to);
	for (int r = 0; r < v->n; r++) {
		fputs("<tr>", to);
		for (int i = 0; i < n; i++) {
			fprintf(to, "<td class=\"%s %s\">",
				view_columns[v->kind][i].left ? "left" : "",
				marks[v->row[r][i].mark]);
			escape_html(to, v->row[r][i].text);
			fputs("</td>", to);
		}
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

/* Where a time stands: each decade as wide, from HTML_FIRST on, which is less than the
 * clock's step; what is below stands there too. */
static double html_x(const struct stats_page *p, uint64_t ticks)
{
	double ns = (double)ticks * 1e9 / (double)p->head.tick_hz;

	return ns > HTML_FIRST ? log10(ns / HTML_FIRST) * HTML_DECADE : 0;
}

/* Lines at 10 ns, 100 ns, … up to what holds the slowest call. */
static void html_axis(FILE *to, int decades)
{
	static const char *const label[] = {"10 ns", "100 ns", "1 \u00b5s", "10 \u00b5s",
		"100 \u00b5s", "1 ms", "10 ms", "100 ms", "1 s", "10 s"};
	int n = (int)(sizeof(label) / sizeof(*label));

	decades = decades < 3 ? 3 : decades > n - 1 ? n - 1 : decades;
	fprintf(to,
		"<svg width=\"%d\" height=\"%d\"><path d=\"M%d %d h%d\"/>"
		"<g transform=\"translate(%d)\">",
		decades * HTML_DECADE + 2 * HTML_MARGIN, HTML_HEIGHT + 20, HTML_MARGIN,
		HTML_HEIGHT, decades * HTML_DECADE, HTML_MARGIN);
	for (int i = 0; i <= decades; i++)
		fprintf(to,
			"<path class=\"grid\" d=\"M%d 0 v%d\"/>"
			"<text x=\"%d\" y=\"%d\">%s</text>",
			i * HTML_DECADE, HTML_HEIGHT, i * HTML_DECADE, HTML_HEIGHT + 15,
			label[i]);
}

static void html_bar(FILE *to, const struct stats_page *p, unsigned bucket,
	unsigned long calls, double most)
{
	double high = log10(1 + (double)calls) / most * (HTML_HEIGHT - 4);
	double left = bucket ? html_x(p, rtmem_stats_bucket_top(bucket - 1)) : 0;
	double wide = html_x(p, rtmem_stats_bucket_top(bucket)) - left;
	char a[24];

	fprintf(to,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">"
		"<title>%s: %lu calls</title></rect>",
		left, HTML_HEIGHT - high, wide > 3 ? wide - 1 : 2, high,
		view_ticks(a, p, rtmem_stats_bucket_top(bucket)), calls);
}

/* Bars over the buckets that are used, both axes logarithmic. last: the bucket of the
 * slowest call of all histograms, so that they are of one width. */
static void html_histogram(FILE *to, const struct stats_page *p, const uint32_t *ticks,
	const char *what, unsigned last)
{
	unsigned long low = 0;
	unsigned first = 0;
	double most = 1;
	char a[24];

	if (!view_calls(ticks))
		return;
	while (first < last && html_x(p, rtmem_stats_bucket_top(first)) <= 0)
		low += ticks[first++];
	most = fmax(most, log10(1 + (double)low));
	for (unsigned i = first; i <= last; i++)
		most = fmax(most, log10(1 + (double)ticks[i]));
	fputs("<figure>", to);
	html_axis(to, (int)ceil(html_x(p, rtmem_stats_bucket_top(last)) / HTML_DECADE));
	if (low)
		html_bar(to, p, first - 1, low, most);
	for (unsigned i = first; i <= last; i++) {
		if (ticks[i])
			html_bar(to, p, i, ticks[i], most);
	}
	fprintf(to,
		"</g></svg><figcaption>%s: %lu calls, half of them within %s; "
		"heights are logarithmic</figcaption></figure>\n",
		what, view_calls(ticks),
		view_ticks(a, p, view_percentile(ticks, 0.5, UINT64_MAX)));
}

static unsigned html_last(const struct stats_page *p, const struct rtmem_stats_section *s)
{
	unsigned last = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct rtmem_stats_thread *t = stats_record(p, s, i);

		for (unsigned k = RTMEM_STATS_BUCKETS - 1; k > last; k--) {
			if (t->alloc_ticks[k] || t->free_ticks[k])
				last = k;
		}
	}
	return last;
}

static void html_threads(FILE *to, const struct stats_page *p,
	const struct rtmem_stats_section *s, unsigned last)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct rtmem_stats_thread *t = stats_record(p, s, i);

		if (!t->matched || !(t->allocations + t->frees))
			continue;
		fputs("<h3>", to);
		escape_html(to, t->name);
		fprintf(to, " (%u)</h3>\n", t->tid);
		html_histogram(to, p, t->alloc_ticks, "allocations", last);
		html_histogram(to, p, t->free_ticks, "frees", last);
	}
}

static void html_times(FILE *to, const struct stats_page *p)
{
	unsigned gone = html_last(p, &p->head.gone);
	unsigned there = html_last(p, &p->head.thread);
	unsigned last = gone > there ? gone : there;

	fputs("<h2>Time of the calls</h2>\n", to);
	html_threads(to, p, &p->head.gone, last);
	html_threads(to, p, &p->head.thread, last);
}

static const char html_style[] =
	"body{font:15px sans-serif;margin:2em auto;max-width:72em;padding:0 1em}"
	"table{border-collapse:collapse;font:13px monospace}"
	"td,th{text-align:right;padding:2px 8px;border-bottom:1px solid #ddd}"
	".left{text-align:left}.kept,.good{color:#17692f}.note,.warn{color:#8a5a00}"
	".broken,.bad{color:#b3001e;font-weight:bold}"
	"ul{padding:0}li{list-style:none}figure{margin:0 0 1em}rect{fill:#2b6cb0}"
	"path{stroke:#888}.grid{stroke:#ddd}"
	"text{font:11px sans-serif;text-anchor:middle;fill:#444}"
	"figcaption{padding-left:24px}";

void report_html(FILE *to, const struct report *r)
{
	static const char *const marks[] = {"kept", "note", "broken"};
	struct view v;

	fprintf(to,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<title>rtmem report</title>\n<style>%s</style></head><body>\n<h1>",
		html_style);
	escape_html(to, r->page.program);
	fprintf(to, " (%d)</h1>\n<p>policy ", r->page.pid);
	escape_html(to, r->page.head.policy);
	fputs("; ", to);
	report_span(to, r);
	fputs("</p>\n<ul>\n", to);
	for (int i = 0; i < r->n; i++) {
		fprintf(to, "<li class=\"%s\">[%s] ", marks[r->line[i].mark],
			marks[r->line[i].mark]);
		escape_html(to, r->line[i].text);
		fputs("</li>\n", to);
	}
	fputs("</ul>\n<h2>Threads</h2>\n", to);
	view_begin(&v, VIEW_REPORT);
	view_report(&v, &r->page);
	html_table(to, &v);
	view_free(&v);
	fputs("<h2>Pools</h2>\n", to);
	view_begin(&v, VIEW_POOLS);
	view_pools(&v, &r->page);
	html_table(to, &v);
	view_free(&v);
	if (r->page.head.tick_hz)
		html_times(to, &r->page);
	fputs("</body></html>\n", to);
}
