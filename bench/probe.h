/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what the probe (inside the measured program) and watch (outside) share
 *
 * watch makes a file of one struct probe_table, names it in PROBE_TABLE, and reads it
 * when the program has ended. One slot per thread, written by that thread only.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

#include "trap.h"

#define PROBE_SLOTS 256
/* Log-linear: 16 steps an octave, ticks 0 .. 2^40. */
#define PROBE_SUB   16
#define PROBE_BINS  (37 * PROBE_SUB)
#define PROBE_CALLS 512 /* system call numbers counted apart */

enum probe_mode {
	PROBE_TIME,  /* time every call, disturb it with nothing else */
	PROBE_COUNT, /* faults around every call; mark it for the supervisor */
};

enum probe_op { PROBE_ALLOC, PROBE_FREE, PROBE_OPS };

struct probe_slot {
	/* written by the thread */
	uint32_t tid;	 /* 0: unused; release, pairs with watch's acquire */
	uint32_t inside; /* 1 while in the allocator; read at its system calls */
	uint32_t epoch;	 /* of the counters below */
	struct trap trap;
	uint64_t calls[PROBE_OPS];
	uint64_t bytes;
	uint64_t faults;
	uint64_t max_ticks[PROBE_OPS];
	uint32_t bin[PROBE_OPS][PROBE_BINS];

	/* written by watch */
	_Alignas(64) int32_t policy;
	int32_t priority;
	uint64_t first_ns, last_ns; /* when it was first and last seen in this epoch */
	uint64_t first_faults, last_faults; /* all faults of the thread, by /proc */
	uint64_t system_calls;		    /* while inside */
	char name[16];
};

struct probe_table {
	uint32_t mode;	/* enum probe_mode */
	uint32_t epoch; /* watch adds one: every thread starts counting afresh */
	uint32_t slots; /* taken so far */
	uint32_t pid;	/* of the program */
	uint32_t all;	/* also count system calls of threads that are not realtime */
	uint64_t syscall_number[PROBE_CALLS];
	struct probe_slot slot[PROBE_SLOTS];
};

/* The bin of a value, and the upper end of a bin. */
static inline unsigned probe_bin(uint64_t v)
{
	unsigned octave;

	if (v < PROBE_SUB)
		return (unsigned)v;
	octave = 63 - (unsigned)__builtin_clzll(v) - 4;
	if (octave >= 36)
		return PROBE_BINS - 1;
	return (octave + 1) * PROBE_SUB + (unsigned)((v >> octave) & (PROBE_SUB - 1));
}

static inline uint64_t probe_bin_top(unsigned bin)
{
	unsigned octave = bin / PROBE_SUB;

	if (octave == 0)
		return bin;
	return ((uint64_t)(bin % PROBE_SUB + PROBE_SUB + 1) << (octave - 1)) - 1;
}

#endif
