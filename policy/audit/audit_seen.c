/* SPDX-License-Identifier: MIT */
/*
 * audit_seen.c - numbers and names of what was seen of an audit's processes and threads
 *
 * A process in a PID namespace writes down its own numbers; what is printed are ours, as
 * far as they became known while it ran.
 */
#include <string.h>

#include "audit_report.h"

bool audit_goes_on(const struct audit_report *r)
{
	for (int i = 0; i < r->nprocess; i++) {
		const struct audit_process *p = r->process[i];

		if (audit_threads(p->file) && p->pid && process_thread((pid_t)p->pid))
			return true;
	}
	return false;
}

uint64_t audit_progress(const struct audit_report *r, int *threads)
{
	uint64_t n = 0;

	*threads = 0;
	for (int i = 0; i < r->nprocess; i++) {
		const struct audit_file *f = r->process[i]->file;

		*threads += (int)audit_threads(f);
		for (uint32_t k = 0; k < audit_threads(f); k++)
			n += f->thread[k].all.allocations;
	}
	return n;
}

uint32_t audit_pid(const struct audit_process *p)
{
	return p->pid ? p->pid : p->file->pid;
}

uint32_t audit_tid(const struct audit_process *p, uint32_t i)
{
	return p->seen[i].tid ? p->seen[i].tid : p->file->thread[i].tid;
}

const char *audit_freer_name(const struct audit_process *p, uint32_t tid)
{
	for (uint32_t i = 0; i < audit_threads(p->file); i++) {
		if (p->file->thread[i].tid == tid)
			return audit_thread_name(p, (int)i);
	}
	for (int i = 0; i < p->nfreer; i++) {
		if (p->freer[i].tid == tid)
			return p->freer[i].name;
	}
	return "-";
}

uint32_t audit_freer_tid(const struct audit_process *p, uint32_t tid)
{
	for (uint32_t i = 0; i < audit_threads(p->file); i++) {
		if (p->file->thread[i].tid == tid)
			return audit_tid(p, i);
	}
	for (int i = 0; i < p->nfreer; i++) {
		if (p->freer[i].tid == tid)
			return p->freer[i].ours;
	}
	return tid;
}

const struct audit_stack *audit_freer_stack(
	const struct audit_process *p, const struct audit_stack *s)
{
	const struct audit_stack *f = s->freer_stack - 1 < AUDIT_STACKS
					      ? &p->file->stack[s->freer_stack - 1]
					      : NULL;

	return f && f->nframe && f->nframe <= AUDIT_FRAMES ? f : NULL;
}
