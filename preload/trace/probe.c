/* SPDX-License-Identifier: MIT */
/*
 * probe.c - the probes of matched threads' calls, and how their tracer is noticed
 *
 * Realtime path, while calls are counted. No branch, no store. Here and not in probe.h:
 * in this file every probe has a semaphore, in the others none has.
 */
#define _SDT_HAS_SEMAPHORES 1
#include "probe.h"

/* Counted up and down by the tracer (gdb, stap) or by the kernel on its behalf (bpftrace,
 * perf); the notes name them. Nothing here ever writes them. */
#define PROBE_SEMAPHORE(name)                                   \
	static volatile unsigned short rtmem_##name##_semaphore \
		__attribute__((used, section(".probes")))

PROBE_SEMAPHORE(alloc);
PROBE_SEMAPHORE(free);
PROBE_SEMAPHORE(refill);

void probe_alloc(const void *block, size_t size, const char *rule, uint64_t ticks)
{
	STAP_PROBE4(rtmem, alloc, block, size, rule, ticks);
}

void probe_free(const void *block, uint64_t ticks)
{
	STAP_PROBE2(rtmem, free, block, ticks);
}

void probe_refill(size_t size, const char *pool)
{
	STAP_PROBE2(rtmem, refill, size, pool);
}

bool probe_wants_calls(void)
{
	/* volatile: written from outside of the program; a number that is looked at again
	 */
	return rtmem_alloc_semaphore || rtmem_free_semaphore || rtmem_refill_semaphore;
}
