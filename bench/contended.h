/* SPDX-License-Identifier: MIT */
/*
 * contended.h - what the rows of contended.c share
 */
#ifndef CONTENDED_H
#define CONTENDED_H

#include <stddef.h>

#include "bare.h"
#include "common.h"

#define LIMIT_NS   100000	/* calls longer than that are counted */
#define BARE_BYTES (48ul << 20) /* of the bare loop, all threads together */

extern void *(*take)(size_t);
extern void (*give)(void *);
/* Of the realtime thread: its calls, and what befell it while it worked. */
extern struct hist calls;
extern long faults, waits;
extern double seconds;

/* Memory for so many threads that allocate, if the bare loop is what runs. */
void prepare(unsigned threads);
/* The policies match the name as well as any class. */
void become_realtime(void);
/* Adds what the calling thread had so far, `sign` times. */
void count(int sign);
void *timed_take(size_t size);
void timed_give(void *p);
double worst_us(void);
void print_fallbacks(void);
void print_pool(void);

/* contended_mix.c: 0 operations: as many as contended.c says */
void row_fifo(unsigned operations);
void row_full(unsigned operations);

#endif
