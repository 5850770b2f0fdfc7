/* SPDX-License-Identifier: MIT */
/*
 * report.c - was the promise kept: one line each, with the cure where it was not
 *
 * Only says what was counted: system calls of jemalloc within malloc and free, requests
 * that a pool could not serve, page faults of the whole thread. That the library itself
 * makes no system call there is by how it is built.
 *
 * No library writes the JSON: with jansson that part has 31 lines instead of 35, and
 * needs the helpers that stats_export.c names.
 */
#include <stdarg.h>
#include <string.h>

#include "policy/system/escape.h"
#include "report.h"
#include "stats_export.h"

static const char *const report_marks[] = {
	[REPORT_KEPT] = "kept", [REPORT_NOTE] = "note", [REPORT_BROKEN] = "broken"};

__attribute__((format(printf, 3, 4))) static void report_say(
	struct report *r, enum report_mark mark, const char *fmt, ...)
{
	va_list ap;

	if (r->n == REPORT_LINES)
		return;
	va_start(ap, fmt);
	vsnprintf(r->line[r->n].text, sizeof(r->line[r->n].text), fmt, ap);
	va_end(ap);
	r->line[r->n++].mark = mark;
}

/* ---- judging ---- */

static void judge_pool(struct report *r, const struct rtmem_stats_pool *p)
{
	char a[24], b[24];

	if (p->flags & RTMEM_STATS_POOL_LOCK && p->not_locked)
		report_say(r, REPORT_BROKEN,
			"pool %s: %s of %s are not locked: raise RLIMIT_MEMLOCK, see "
			"librtpreload(7)",
			p->name, view_bytes(a, p->not_locked), view_bytes(b, p->size));
	else if (p->flags & RTMEM_STATS_POOL_LOCK)
		report_say(r, REPORT_KEPT, "pool %s: all of its %s are locked", p->name,
			view_bytes(a, p->size));
	else
		report_say(r, REPORT_NOTE, "pool %s: is not to be locked", p->name);
	if (p->full && p->size < p->max)
		report_say(r, REPORT_BROKEN,
			"pool %s: ran short %lu times, faster than it grows: raise size "
			"= in "
			"[pool %s] above %s",
			p->name, p->full, p->name, view_bytes(a, p->size));
	else if (p->full)
		report_say(r, REPORT_BROKEN,
			"pool %s: was full %lu times, %s: raise %s = in [pool %s] above "
			"%s",
			p->name, p->full,
			p->flags & RTMEM_STATS_POOL_FAIL ? "its threads got NULL"
							 : "jemalloc served then",
			p->growths ? "max" : "size", p->name, view_bytes(a, p->size));
	else
		report_say(r, REPORT_KEPT, "pool %s: was never full; peak %s of %s",
			p->name, view_bytes(a, p->peak), view_bytes(b, p->size));
}

/* Within malloc and free: that is what was promised. */
static void judge_calls(struct report *r, const struct rtmem_stats_thread *t)
{
	uint64_t calls = t->allocations + t->frees;

	if (!calls)
		report_say(r, REPORT_NOTE, "thread %s (%u): no call was counted", t->name,
			t->tid);
	else if (t->system_calls > t->lock_calls)
		report_say(r, t->fallbacks ? REPORT_BROKEN : REPORT_NOTE,
			"thread %s (%u): %lu system calls within malloc and free: %s",
			t->name, t->tid, t->system_calls - t->lock_calls,
			t->fallbacks ? "its pool was too small"
				     : "of jemalloc, where a rule leaves it to that");
	else if (!t->lock_calls)
		report_say(r, REPORT_KEPT,
			"thread %s (%u): no system call within %lu calls of malloc and "
			"free%s",
			t->name, t->tid, calls,
			t->minor_faults + t->major_faults ? ""
							  : ", no page fault anywhere");
	if (t->lock_calls)
		report_say(r, REPORT_BROKEN,
			"thread %s (%u): %lu system calls within malloc and free for the "
			"lock of its pool: give its rule a pool of its own",
			t->name, t->tid, t->lock_calls);
	if (t->interrupted)
		report_say(r, REPORT_NOTE,
			"thread %s (%u): interrupted in %lu of these calls, by another "
			"thread or a signal handler: MAX holds that, too",
			t->name, t->tid, t->interrupted);
}

/* Of the whole thread, so that none means none in the allocator; or better known. */
static void judge_faults(struct report *r, const struct rtmem_stats_thread *t)
{
	const struct report_faults_thread *f = report_faults_of(&r->faults, t->tid);
	uint64_t faults = t->minor_faults + t->major_faults;

	if (f && f->n.within)
		report_say(r, t->fallbacks ? REPORT_BROKEN : REPORT_NOTE,
			"thread %s (%u): %s%lu page faults in the library: %s", t->name,
			t->tid, f->n.lost ? "at least " : "", f->n.within,
			t->fallbacks ? "its pool was too small"
				     : "in jemalloc, where a rule leaves it to that, or "
				       "not in malloc and free");
	else if (f && f->n.elsewhere && !f->n.lost)
		report_say(r, REPORT_KEPT,
			"thread %s (%u): no page fault within malloc and free; %lu in "
			"other code of it",
			t->name, t->tid, f->n.elsewhere);
	else if (faults && (!f || f->n.lost))
		report_say(r, REPORT_NOTE,
			"thread %s (%u): %lu page faults, %lu of them waited for a disk: "
			"in all of its code, not the allocator alone",
			t->name, t->tid, faults, t->major_faults);
}

static uint64_t judge_threads(struct report *r, const struct rtmem_stats_section *s)
{
	uint64_t matched = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct rtmem_stats_thread *t = stats_record(&r->page, s, i);

		matched += t->matched;
		if (!t->matched)
			continue;
		judge_calls(r, t);
		judge_faults(r, t);
	}
	return matched;
}

bool report_judge(struct report *r)
{
	const struct rtmem_stats_head *h = &r->page.head;
	bool kept = true;

	for (uint32_t i = 0; i < h->pool.n; i++)
		judge_pool(r, stats_record(&r->page, &h->pool, i));
	if (judge_threads(r, &h->gone) + judge_threads(r, &h->thread) == 0)
		report_say(r, REPORT_BROKEN,
			"no thread was matched by a rule: ask rtmem explain why");
	if (h->ended > h->gone.n)
		report_say(r, REPORT_NOTE,
			"%u threads of a rule have ended; the last %u are listed",
			h->ended, h->gone.n);
	for (int i = 0; i < r->n; i++)
		kept &= r->line[i].mark != REPORT_BROKEN;
	return kept;
}

/* ---- as text and JSON ---- */

void report_span(FILE *to, const struct report *r)
{
	fprintf(to, "watched %.1f of %.1f s; %s", (double)r->page.head.watched / 1e9,
		r->seconds, r->end);
}

void report_text(FILE *to, const struct report *r)
{
	struct view v;

	fprintf(to, "%s (%d), policy %s\n", r->page.program, r->page.pid,
		r->page.head.policy);
	report_span(to, r);
	fputs("\n\n", to);
	view_begin(&v, VIEW_REPORT);
	view_report(&v, &r->page);
	view_print(to, &v, 0, false);
	view_free(&v);
	putc('\n', to);
	view_begin(&v, VIEW_POOLS);
	view_pools(&v, &r->page);
	view_print(to, &v, 0, false);
	view_free(&v);
	putc('\n', to);
	for (int i = 0; i < r->n; i++)
		fprintf(to, "[%6s] %s\n", report_marks[r->line[i].mark], r->line[i].text);
}

/* Of each thread that the kernel could be asked about. */
static void json_faults(FILE *to, const struct report *r)
{
	const char *comma = "";

	fputs("],\n\"faults\":[", to);
	for (int i = 0; i < r->faults.n; i++) {
		const struct report_faults_thread *t = &r->faults.thread[i];

		if (!report_faults_of(&r->faults, t->tid))
			continue;
		fprintf(to,
			"%s{\"tid\":%u,\"within\":%lu,\"elsewhere\":%lu,"
			"\"unknown\":%lu}",
			comma, t->tid, t->n.within, t->n.elsewhere, t->n.lost);
		comma = ",";
	}
}

void report_json(FILE *to, const struct report *r)
{
	fprintf(to, "{\"seconds\":%.3f,\"end\":", r->seconds);
	escape_json(to, r->end);
	fputs(",\"verdicts\":[", to);
	for (int i = 0; i < r->n; i++) {
		fprintf(to, "%s\n{\"mark\":\"%s\",\"text\":", i ? "," : "",
			report_marks[r->line[i].mark]);
		escape_json(to, r->line[i].text);
		putc('}', to);
	}
	json_faults(to, r);
	fputs("],\n\"process\":", to);
	stats_json(to, &r->page);
	fputs("}\n", to);
}
