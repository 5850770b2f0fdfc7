/* SPDX-License-Identifier: MIT */
/*
 * route_watch.c - counting and timing the calls of a matched thread
 *
 * Realtime path, while somebody watches: stores into the thread's own memory and two
 * reads of the time stamp counter per call. No system call, no loop.
 *
 * INTERRUPTED. The kernel clears the pointer to a restartable sequence when it takes the
 * processor away from the thread, or runs a signal handler, at a place outside of that
 * sequence. So each call is made with a pointer to a sequence that nobody ever runs, and
 * afterwards it says whether that happened. A program's own sequences lose nothing: they
 * call no function, and set the pointer at their beginning. Where libc has not registered
 * the thread's area with the kernel nothing is touched, and nothing is counted.
 */
#include "route_watch.h"

#include <sys/rseq.h>

#include "os/child.h"
#include "os/lock.h"
#include "trace/audit.h"
#include "trace/probe.h"
#include "route_private.h"

CHILD_DATA bool route_watching;

/* ---- what happens within a call ---- */

/* A sequence of two bytes, and where it would be abandoned to: the kernel looks for its
 * signature in front of that. None of it is ever reached. */
__asm__(".pushsection .text.route_watch_never, \"ax\", @progbits\n"
	"route_watch_never:\n\tud2\n"
	"\tud2\n"
	"\t.byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053\n"
	"route_watch_abandon:\n\tud2\n"
	".popsection");
extern __attribute__((visibility("hidden"))) const char route_watch_never[];
extern __attribute__((visibility("hidden"))) const char route_watch_abandon[];
_Static_assert(RSEQ_SIG == 0x53053053, "the signature above");

static const struct rseq_cs watch_never = {
	.start_ip = (uintptr_t)route_watch_never,
	.post_commit_offset = 2,
	.abort_ip = (uintptr_t)route_watch_abandon,
};

/* The beginning of struct rseq, whose third field has had several C types; written by the
 * kernel behind the compiler's back. */
struct watch_area {
	uint32_t cpu_id_start;
	int32_t cpu_id; /* negative: not registered */
	uint64_t sequence;
};

/* The thread's, or NULL. */
static inline volatile struct watch_area *watch_area(void)
{
	volatile struct watch_area *a =
		(void *)((char *)__builtin_thread_pointer() + __rseq_offset);

	return __rseq_size && a->cpu_id >= 0 ? a : NULL;
}

void route_watch_begin(struct audit_call *call)
{
	volatile struct watch_area *a = watch_area();

	call->system_calls = base_system_calls;
	call->lock_calls = lock_system_calls;
	if (a)
		a->sequence = (uintptr_t)&watch_never;
	call->start = route_watch_ticks();
}

void route_watch_end(struct route_watch *w, struct audit_call *call)
{
	volatile struct watch_area *a = watch_area();

	call->ticks = route_watch_ticks() - call->start;
	if (a) {
		w->interrupted += !a->sequence;
		a->sequence = 0;
	}
	call->system_calls = base_system_calls - call->system_calls;
	call->lock_calls = lock_system_calls - call->lock_calls;
	w->system_calls += call->system_calls + call->lock_calls;
	w->lock_calls += call->lock_calls;
}

/* ---- counting ---- */

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
		w->rule_sizes[rule][rtmem_stats_size_bucket(size)]++;
	}
}

void route_watch_free(struct route_watch *w, uint64_t ticks)
{
	w->frees++;
	if (ticks > w->worst_free)
		w->worst_free = ticks;
	w->free_ticks[rtmem_stats_bucket(ticks)]++;
}

static void watch_forget(const void *p, const struct slot *s, const struct site_frame *f)
{
	const struct audit_freer who = {s->audit, s->tid, f};

	audit_forget(&who, p, route_watch_ticks());
}

__attribute__((noinline)) void route_free_watched(void *p, struct slot *s)
{
	SITE_FRAME(f);
	struct audit_call call;

	PROBE_FRAME();
	if (!p)
		return;
	if (audit_going())
		watch_forget(p, s, &f);
	route_watch_begin(&call);
	if (s->route && s->route->pool)
		route_free_cached(p, s);
	else
		route_free_slow(p, s);
	route_watch_end(s->watch, &call);
	route_watch_free(s->watch, call.ticks);
	probe_free(p, call.ticks);
	if (audit_going())
		audit_freed(s->audit, &call);
}

void *route_malloc_unaudited(size_t size, struct slot *s)
{
	return je_malloc(size);
}

__attribute__((noinline)) void route_free_unaudited(void *p, struct slot *s)
{
	SITE_FRAME(f);

	watch_forget(p, s, &f);
	route_free_check(p, s);
}
