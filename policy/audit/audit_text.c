/* SPDX-License-Identifier: MIT */
/*
 * audit_text.c - an audit as a table for people
 */
#include <sched.h>
#include <string.h>

#include "policy/model/units.h"
#include "audit_report.h"

enum {
	TEXT_STACKS = 20, /* of one thread */
	TEXT_FREER = 4,	  /* frames of where another thread freed */
};

const char *audit_thread_name(const struct audit_process *p, int i)
{
	const char *name = *p->seen[i].name ? p->seen[i].name : p->file->thread[i].name;

	return *name ? name : "-";
}

const char *audit_class(const struct audit_thread *t, char buf[32])
{
	static const char *const name[] = {
		"OTHER", "FIFO", "RR", "BATCH", "?", "IDLE", "DEADLINE"};
	const char *class = t->sched >= 0 && t->sched < 7 ? name[t->sched] : "?";

	if (t->sched == SCHED_FIFO || t->sched == SCHED_RR)
		snprintf(buf, 32, "%s %u", class, t->priority);
	else
		snprintf(buf, 32, "%s", class);
	return buf;
}

double audit_us(const struct audit_process *p, uint64_t ticks)
{
	return p->ticks_per_us > 0 ? (double)ticks / p->ticks_per_us : 0;
}

/* At most three digits and a unit: 96, 1.2K, 34M. */
static const char *bytes(uint64_t n, char buf[16])
{
	double v = (double)n;
	int unit = 0;

	while (v >= 1000 && unit < 4) {
		v /= 1024;
		unit++;
	}
	snprintf(buf, 16, unit && v < 10 ? "%.1f%.1s" : "%.0f%.1s", v, &" KMGT"[unit]);
	if (!unit)
		snprintf(buf, 16, "%.0f", v);
	return buf;
}

static const char *span(double us, char buf[16])
{
	if (us < 1000)
		snprintf(buf, 16, us < 10 ? "%.1f us" : "%.0f us", us);
	else if (us < 1e6)
		snprintf(buf, 16, us < 1e4 ? "%.1f ms" : "%.0f ms", us / 1e3);
	else
		snprintf(buf, 16, "%.1f s", us / 1e6);
	return buf;
}

static void faults(const struct audit_seen *s, char buf[24])
{
	if (s->faults)
		snprintf(buf, 24, "%lu", (unsigned long)(s->minor + s->major));
	else
		snprintf(buf, 24, "-");
}

static void print_threads(const struct audit_process *p, FILE *to)
{
	double seconds = p->seconds > 0 ? p->seconds : 1;

	fprintf(to, "\n%-15s %7s %-11s %9s %9s %6s %9s %6s %7s %8s %8s %7s\n", "THREAD",
		"TID", "CLASS", "ALLOCS", "PER S", "BYTES", "FREES", "PEAK", "LARGEST",
		"SLOWEST", "SYSCALLS", "FAULTS");
	for (uint32_t i = 0; i < p->file->nthread && i < AUDIT_THREADS; i++) {
		const struct audit_thread *t = &p->file->thread[i];
		char class[32], sum[16], peak[16], largest[16], worst[16], fault[24];

		faults(&p->seen[i], fault);
		fprintf(to, "%-15s %7u %-11s %9lu %9.1f %6s %9lu %6s %7s %8s %8lu %7s\n",
			audit_thread_name(p, (int)i), audit_tid(p, i),
			audit_class(t, class), (unsigned long)t->all.allocations,
			(double)t->all.allocations / seconds, bytes(t->all.bytes, sum),
			(unsigned long)t->frees, bytes(t->all.live_peak, peak),
			bytes(t->all.largest, largest),
			span(audit_us(p, t->all.worst > t->free_worst ? t->all.worst
								      : t->free_worst),
				worst),
			(unsigned long)(t->all.system_calls + t->free_system_calls),
			fault);
	}
}

static void print_frames(const struct audit_process *p, const struct audit_stack *s,
	uint32_t most, FILE *to)
{
	struct audit_name name[AUDIT_NAMES];

	for (uint32_t k = 0; k < s->nframe && k < most; k++) {
		int n = audit_names_of(p->symbols, s->frame[k], name);

		for (int i = 0; i < n; i++) {
			fprintf(to, "        %s", name[i].function);
			if (name[i].file)
				fprintf(to, "  %s:%d", name[i].file, name[i].line);
			else
				fprintf(to, "  in %s", name[i].object);
			fputs(i < n - 1 ? "  (inlined)\n" : "\n", to);
		}
	}
}

static void print_sizes(const struct audit_figures *g, FILE *to)
{
	char size[16];

	fputs("      sizes", to);
	for (int b = 0; b < AUDIT_LOG2; b++)
		if (g->size[b])
			fprintf(to, "  <%s: %u", bytes(1ull << b, size), g->size[b]);
	fputc('\n', to);
}

static void print_stack(
	const struct audit_process *p, const struct audit_stack *s, FILE *to)
{
	const struct audit_figures *g = &s->all;
	double seconds = p->seconds > 0 ? p->seconds : 1;
	const struct audit_stack *freer = audit_freer_stack(p, s);
	uint64_t dead = g->freed_own + g->freed_other;
	char sum[16], peak[16], worst[16], size[16], life[16], longest[16];

	fprintf(to,
		"\n    %lu calls, %.1f per s, %s bytes, peak %s, slowest %s (of %s "
		"bytes)\n",
		(unsigned long)g->allocations, (double)g->allocations / seconds,
		bytes(g->bytes, sum), bytes(g->live_peak, peak),
		span(audit_us(p, g->worst), worst), bytes(g->worst_size, size));
	fprintf(to, "      freed by itself %lu, by other threads %lu",
		(unsigned long)g->freed_own, (unsigned long)g->freed_other);
	if (dead)
		fprintf(to, "; alive for %s on average, %s at most",
			span(audit_us(p, g->life_sum / dead), life),
			span(audit_us(p, g->life_max), longest));
	fputc('\n', to);
	print_sizes(g, to);
	print_frames(p, s, AUDIT_FRAMES, to);
	if (!s->freer)
		return;
	fprintf(to, "      freed by %s (%u)\n", audit_freer_name(p, s->freer),
		audit_freer_tid(p, s->freer));
	if (freer)
		print_frames(p, freer, TEXT_FREER, to);
}

static void print_stacks(const struct audit_process *p, uint32_t thread, FILE *to)
{
	int printed = 0, more = 0;

	fprintf(to, "\nStacks of %s (%u), most calls first:\n",
		audit_thread_name(p, (int)thread), audit_tid(p, thread));
	for (int i = 0; i < p->nstack; i++) {
		const struct audit_stack *s = &p->file->stack[p->order[i]];

		if (s->thread != thread + 1)
			continue;
		if (printed++ < TEXT_STACKS)
			print_stack(p, s, to);
		else
			more++;
	}
	if (more)
		fprintf(to, "\n    and %d more (--json has them all)\n", more);
	if (!printed)
		fputs("    none: it only frees\n", to);
}

static void print_limits(const struct audit_process *p, FILE *to)
{
	const struct audit_file *f = p->file;

	if (p->joined)
		fputs("The tables of the audit are not locked in RAM: what may be locked "
		      "is left to the pools.\n",
			to);
	else if (!f->locked)
		fputs("The tables of the audit could not be locked in RAM (limit of "
		      "locked "
		      "memory).\n",
			to);
	if (f->no_stack)
		fprintf(to, "%lu calls came from stacks beyond the first %d.\n",
			(unsigned long)f->no_stack, AUDIT_STACKS);
	if (f->not_followed)
		fprintf(to,
			"%lu blocks were not followed: peaks and lifetimes are low.\n",
			(unsigned long)f->not_followed);
	if (f->no_thread)
		fprintf(to, "%lu threads beyond the first %d were not audited.\n",
			(unsigned long)f->no_thread, AUDIT_THREADS);
}

static void print_meaning(const struct audit_process *p, FILE *to)
{
	fprintf(to,
		"Counted from the moment %s. PEAK: bytes alive at once,\n"
		"16 more a block. SLOWEST: one call by the clock, preemption included.\n"
		"SYSCALLS: made by jemalloc within malloc and free to get and return "
		"memory; none from a\n"
		"pool. FAULTS: page faults of the whole thread since %s, whatever "
		"caused them;\n"
		"- ended too soon to be asked.\n",
		p->joined ? "the audit began" : "a thread became realtime",
		p->joined ? "then" : "its start");
}

void audit_text(const struct audit_report *r, FILE *to)
{
	for (int i = 0; i < r->nprocess; i++) {
		const struct audit_process *p = r->process[i];
		const struct audit_file *f = p->file;

		if (!f->nthread)
			continue;
		fprintf(to, "Audit of %s, process %u, %.1f s.\n", f->program,
			audit_pid(p), p->seconds);
		print_meaning(p, to);
		print_limits(p, to);
		print_threads(p, to);
		for (uint32_t k = 0; k < f->nthread && k < AUDIT_THREADS; k++)
			print_stacks(p, k, to);
		fputc('\n', to);
	}
}
