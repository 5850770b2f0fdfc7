/* SPDX-License-Identifier: MIT */
/* runs.h - runs of set bits, looked for bit by bit: what parts.h is compared with */
#ifndef RUNS_H
#define RUNS_H

#include <stdint.h>

/* The first of n set bits side by side, from bit `from` on; -1: there are none. */
static inline int run_of(uint64_t bits, unsigned n, unsigned from)
{
	unsigned have = 0;

	for (unsigned i = from; i < 64; i++) {
		have = bits >> i & 1 ? have + 1 : 0;
		if (have == n)
			return (int)(i + 1 - n);
	}
	return -1;
}

#endif
