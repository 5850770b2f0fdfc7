/* SPDX-License-Identifier: MIT */
/*
 * probe.h - USDT probes, provider "rtmem": what bpftrace, perf, gdb and stap attach to
 *
 * A probe is one nop and a note in the file that says where its arguments are; nothing is
 * called, nothing is tested. full, fallback and rule stand where that does not matter.
 * alloc, free and refill would be instructions of every call, or of the slowest: they
 * stand in the functions of threads whose calls are counted (route_watch.h), and a tracer
 * that attaches turns that counting on by its semaphore, which the helper reads each
 * turn.
 *
 * Strings are NUL-terminated and stay until the process ends, but for a thread's name.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sdt.h>

/* The pool had no room for it; what follows is its when_full. */
#define PROBE_FULL(size, pool) STAP_PROBE2(rtmem, full, size, pool)
/* jemalloc serves what the pool could not. */
#define PROBE_FALLBACK(size, pool) STAP_PROBE2(rtmem, fallback, size, pool)
/* Another rule is a thread's first one from now on; "": none. Never on its own path. */
#define PROBE_RULE(tid, name, now, before) \
	STAP_PROBE4(rtmem, rule, tid, name, now, before)

/* The calls of a matched thread, while they are counted. Realtime: yes. ticks: of the
 * time stamp counter, inside the allocator. */
void probe_alloc(const void *block, size_t size, const char *rule, uint64_t ticks);
void probe_free(const void *block, uint64_t ticks);
/* No bin of the thread could serve it: it went to the pool's heap. */
void probe_refill(size_t size, const char *pool);

/* In a function between the program's call and a probe: a frame that tracers get past on
 * their way to the caller. */
#define PROBE_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

/* Is a tracer attached to one of these three? Threads: any. */
bool probe_wants_calls(void);

#endif
