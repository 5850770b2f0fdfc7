/* SPDX-License-Identifier: MIT */
/*
 * replay.h - a trace of bench/traces in memory that is touched before anything is timed
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stddef.h>
#include <stdint.h>

enum op_kind {
	OP_ALLOC,
	OP_FREE,    /* by the thread itself */
	OP_GIVEN,   /* by another one */
	OP_FOREIGN, /* of a block that another thread allocated */
	OP_END,	    /* of one that the player never freed */
};

struct op {
	enum op_kind kind;
	uint32_t block; /* its place in trace.block; of OP_FOREIGN: unused */
	uint32_t size, align;
};

struct line {
	double us; /* since the line before began */
	unsigned n;
	struct op *op;
};

struct trace {
	unsigned lines, allocs, foreigners, keeps;
	struct line *line;
	void **block;	   /* alive now, by its number among the allocations */
	uint32_t *foreign; /* sizes */
	struct {
		uint32_t size, count;
	} keep[256]; /* alive throughout */
};

/* Exits with 2 when there is no such file or it is no trace. */
void trace_read(struct trace *t, const char *path);

#endif
