/* SPDX-License-Identifier: MIT */
/*
 * audit_file.h - what the library writes down for rtmem audit, and how it lies in the
 * file
 *
 * One file per process: made by the library at start in the directory that RTMEM_AUDIT
 * names, or in memory when rtmem audit --pid asks for it. Mapped by the library, which
 * stores with relaxed atomics and reads nothing back but figures it adds to; copied by
 * the tool: figures, not facts to act on. It is complete at every moment, so a killed
 * program leaves its audit. Written and read by the same version only: version is
 * compared.
 */
#ifndef AUDIT_FILE_H
#define AUDIT_FILE_H

#include <stdint.h>

#define AUDIT_MAGIC   0x7469647561746d72ull /* "rmtaudit" */
#define AUDIT_VERSION 3u

enum {
	AUDIT_THREADS = 64,
	AUDIT_STACKS = 1024, /* distinct stacks of all threads; a power of two */
	AUDIT_FRAMES = 24,
	AUDIT_MODULES = 256,
	AUDIT_PATH = 232,
	AUDIT_LOG2 = 40, /* histogram: bucket b holds values below 2^b */
	AUDIT_NOBODY =
		0, /* thread number of one that is not audited; of a stack that frees */
};

/* Of one thread, or of one stack of it. */
struct audit_figures {
	uint64_t allocations, bytes, largest; /* as asked for */
	uint64_t live, live_peak;	 /* bytes, with what a pool adds to a block */
	uint64_t freed_own, freed_other; /* of these blocks, by which thread */
	uint64_t life_sum, life_max;	 /* ticks between malloc and free */
	uint64_t worst, worst_size;	 /* slowest call, ticks, and its size */
	uint64_t system_calls;		 /* made by jemalloc within the calls */
	uint32_t size[AUDIT_LOG2], ticks[AUDIT_LOG2], life[AUDIT_LOG2];
};

struct audit_thread {
	uint32_t tid, priority;
	int32_t sched;
	char name[16];
	uint64_t frees, frees_foreign; /* calls of free; of blocks nobody audited made */
	uint64_t free_worst, free_system_calls;
	uint32_t free_ticks[AUDIT_LOG2];
	struct audit_figures all;
};

struct audit_stack {
	uint32_t thread, nframe;      /* nframe 0: unused; stored last */
	uint32_t freer, freer_stack;  /* another thread that freed a block of it, the last
				       * one: tid; index + 1 of where; 0: none */
	uint64_t frame[AUDIT_FRAMES]; /* return addresses, nearest first */
	struct audit_figures all;
};

struct audit_module {
	uint64_t lo, hi, base;
	char path[AUDIT_PATH]; /* "": the program */
};

struct audit_file {
	uint64_t magic;
	uint32_t version, pid;
	uint64_t ticks, ns; /* the same moment, CLOCK_MONOTONIC */
	uint32_t nthread, nmodule;
	uint32_t every; /* all threads, not only those of a realtime class */
	uint32_t locked;
	uint32_t no_room;      /* there was no memory for more than this head */
	uint64_t no_stack;     /* calls whose stack found no room */
	uint64_t not_followed; /* blocks whose free will not be seen */
	uint64_t no_thread;    /* threads beyond AUDIT_THREADS */
	char program[256];
	struct audit_thread thread[AUDIT_THREADS];
	struct audit_module module[AUDIT_MODULES];
	struct audit_stack stack[AUDIT_STACKS];
};

static inline unsigned audit_log2(uint64_t value)
{
	unsigned b = value ? 64u - (unsigned)__builtin_clzll(value) : 0;

	return b < AUDIT_LOG2 ? b : AUDIT_LOG2 - 1u;
}

#endif
