/* SPDX-License-Identifier: MIT */
/*
 * report_html.c - the report as one page for a browser: no script, nothing to load
 */
#include <math.h>

#include "report.h"

#define HTML_HEIGHT 120

static void html_text(FILE *to, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", to);
		else if (*s == '&')
			fputs("&amp;", to);
		else if (*s == '"')
			fputs("&quot;", to);
		else
			putc(*s, to);
	}
}

static void html_table(FILE *to, const struct view *v)
{
	static const char *const marks[] = {"", "good", "warn", "bad"};
	int n = view_ncolumns(v->kind);

	fputs("<table><tr>", to);
	for (int i = 0; i < n; i++) {
		const struct view_column *c = &view_columns[v->kind][i];

		fprintf(to, "<th class=\"%s\" title=\"", c->left ? "left" : "");
		html_text(to, c->help);
		fprintf(to, "\">%s</th>", c->title);
	}
	fputs("</tr>\n", to);
	for (int r = 0; r < v->n; r++) {
		fputs("<tr>", to);
		for (int i = 0; i < n; i++) {
			fprintf(to, "<td class=\"%s %s\">",
				view_columns[v->kind][i].left ? "left" : "",
				marks[v->row[r][i].mark]);
			html_text(to, v->row[r][i].text);
			fputs("</td>", to);
		}
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

/* Bars over the buckets that are used, both axes logarithmic. */
static void html_histogram(
	FILE *to, const struct stats_page *p, const uint32_t *ticks, const char *what)
{
	unsigned lo = 0, hi = RTMEM_STATS_BUCKETS;
	double most = 1;
	char a[24], b[24];

	while (lo < hi && !ticks[lo])
		lo++;
	while (hi > lo && !ticks[hi - 1])
		hi--;
	if (lo == hi)
		return;
	for (unsigned i = lo; i < hi; i++)
		most = fmax(most, log10(1 + (double)ticks[i]));
	fprintf(to, "<figure><svg width=\"%u\" height=\"%d\">", (hi - lo) * 3 + 1,
		HTML_HEIGHT);
	for (unsigned i = lo; i < hi; i++) {
		double high = log10(1 + (double)ticks[i]) / most * (HTML_HEIGHT - 2);

		if (ticks[i])
			fprintf(to,
				"<rect x=\"%u\" y=\"%.1f\" width=\"2\" height=\"%.1f\">"
				"<title>%s: %u calls</title></rect>",
				(i - lo) * 3, HTML_HEIGHT - high, high,
				view_ticks(a, p, rtmem_stats_bucket_top(i)), ticks[i]);
	}
	fprintf(to, "</svg><figcaption>%s: %s to %s, %lu calls</figcaption></figure>\n",
		what, view_ticks(a, p, rtmem_stats_bucket_top(lo)),
		view_ticks(b, p, rtmem_stats_bucket_top(hi - 1)), view_calls(ticks));
}

static void html_threads(
	FILE *to, const struct stats_page *p, const struct rtmem_stats_section *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct rtmem_stats_thread *t = stats_record(p, s, i);

		if (!t->matched || !(t->allocations + t->frees))
			continue;
		fputs("<h3>", to);
		html_text(to, t->name);
		fprintf(to, " (%u)</h3>\n", t->tid);
		html_histogram(to, p, t->alloc_ticks, "allocations");
		html_histogram(to, p, t->free_ticks, "frees");
	}
}

static const char html_style[] =
	"body{font:15px sans-serif;margin:2em auto;max-width:72em;padding:0 1em}"
	"table{border-collapse:collapse;font:13px monospace}"
	"td,th{text-align:right;padding:2px 8px;border-bottom:1px solid #ddd}"
	".left{text-align:left}.kept,.good{color:#17692f}.note,.warn{color:#8a5a00}"
	".broken,.bad{color:#b3001e;font-weight:bold}"
	"li{list-style:none}figure{margin:0 0 1em}rect{fill:#2b6cb0}"
	"svg{border-bottom:1px solid #888}";

void report_html(FILE *to, const struct report *r)
{
	static const char *const marks[] = {"kept", "note", "broken"};
	struct view v;

	fprintf(to,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<title>rtmem report</title>\n<style>%s</style></head><body>\n<h1>",
		html_style);
	html_text(to, r->page.program);
	fprintf(to, " (%d)</h1>\n<p>policy ", r->page.pid);
	html_text(to, r->page.head.policy);
	fputs("; ", to);
	report_span(to, r);
	fputs("</p>\n<ul>\n", to);
	for (int i = 0; i < r->n; i++) {
		fprintf(to, "<li class=\"%s\">[%s] ", marks[r->line[i].mark],
			marks[r->line[i].mark]);
		html_text(to, r->line[i].text);
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
	fputs("<h2>Time of the calls</h2>\n", to);
	html_threads(to, &r->page, &r->page.head.gone);
	html_threads(to, &r->page, &r->page.head.thread);
	fputs("</body></html>\n", to);
}
