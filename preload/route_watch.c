/* SPDX-License-Identifier: MIT */
/*
 * route_watch.c - counting and timing the calls of a matched thread
 *
 * Realtime path, while somebody watches: stores into the thread's own memory and two
 * reads of the time stamp counter per call. No system call, no loop.
 */
#include "route_watch.h"

#include "audit.h"
#include "probe.h"
#include "route_private.h"

bool route_watching;

void route_watch_alloc(struct route_watch *w, int rule, size_t size, uint64_t ticks)
{
	w->allocations++;
	w->bytes += size;
	if (size > w->largest)
		w->largest = size;
	if (ticks > w->worst_alloc)
		w->worst_alloc = ticks;
	w->alloc_ticks[rtmem_stats_bucket(ticks)]++;
	if (rule >= 0) {
		w->rule_calls[rule]++;
		w->rule_bytes[rule] += size;
	}
}

void route_watch_free(struct route_watch *w, uint64_t ticks)
{
	w->frees++;
	if (ticks > w->worst_free)
		w->worst_free = ticks;
	w->free_ticks[rtmem_stats_bucket(ticks)]++;
}

void route_free_watched(void *p, struct slot *s)
{
	uint64_t start = route_watch_ticks(), ticks;
	uint32_t calls;

	PROBE_FRAME();
	if (!p)
		return;
	if (audit_going())
		audit_forget(s->audit, p, start);
	calls = base_system_calls;
	if (s->route && s->route->pool)
		route_free_cached(p, s);
	else
		route_free_slow(p, s);
	ticks = route_watch_ticks() - start;
	route_watch_free(s->watch, ticks);
	probe_free(p, ticks);
	if (audit_going())
		audit_freed(s->audit,
			&(struct audit_call){start, ticks, base_system_calls - calls});
}

void *route_malloc_unaudited(size_t size, struct slot *s)
{
	return je_malloc(size);
}

void route_free_unaudited(void *p, struct slot *s)
{
	audit_forget(AUDIT_NOBODY, p, route_watch_ticks());
	route_free_check(p, s);
}
