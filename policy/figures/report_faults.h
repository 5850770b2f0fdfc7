/* SPDX-License-Identifier: MIT */
/*
 * report_faults.h - page faults of a thread: within malloc and free, and elsewhere
 *
 * From the kernel's software event, sampled at every fault: it costs the thread nothing
 * but at a fault. Where the kernel does not let this user ask (perf_event_paranoid above
 * 2, a container), nothing is known.
 */
#ifndef REPORT_FAULTS_H
#define REPORT_FAULTS_H

#include "policy/system/stats_read.h"

enum { REPORT_FAULTS_THREADS = 32, REPORT_FAULTS_RANGES = 4 };

struct report_faults_count {
	uint64_t within, elsewhere;
	uint64_t lost; /* samples that found no room in the ring, wherever they were */
};

struct report_faults_thread {
	uint32_t tid; /* as the process itself sees it */
	int fd;	      /* -1: not to be asked */
	void *ring;
	struct report_faults_count n;
	/* of the last look: counts when the thread is seen alive after it, since the
	 * library does more than malloc and free where a thread ends */
	struct report_faults_count fresh;
	uint64_t looked; /* when that was, ns */
};

struct report_faults {
	pid_t pid; /* whose threads these are */
	struct report_faults_thread thread[REPORT_FAULTS_THREADS];
	int n;
	struct {
		uint64_t lo, hi;
	} code[REPORT_FAULTS_RANGES]; /* of the library, with its jemalloc */
	int ncode;
};

/* At each look: new threads of a rule, and what happened since the last one. */
void report_faults_look(struct report_faults *f, const struct stats_page *p);
/* What is known of a thread from when it was first seen to when it last was; NULL:
 * nothing. */
const struct report_faults_thread *report_faults_of(
	const struct report_faults *f, uint32_t tid);

#endif
