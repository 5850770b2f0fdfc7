/* SPDX-License-Identifier: MIT */
/*
 * api_check.h - what the programs that call the native API share: CHECK(), and an exit
 * code that says whether all of them held
 */
#ifndef API_CHECK_H
#define API_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int api_failed __attribute__((unused));

/* A figure that must hold; goes on after a failure, so that one run shows them all. */
#define CHECK(expr)                                                                \
	do {                                                                       \
		if (!(expr)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
			__atomic_store_n(&api_failed, 1, __ATOMIC_RELAXED);        \
		}                                                                  \
	} while (0)

/* KiB of the mapping around p that are locked, by /proc/self/smaps. */
static __attribute__((unused)) long locked_around(const void *p)
{
	unsigned long lo, hi;
	char line[512];
	int here = 0;
	long kib = 0;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2 &&
			strchr(line, '-') < line + 17)
			here = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		else if (here)
			sscanf(line, "Locked: %ld kB", &kib);
	}
	if (f)
		fclose(f);
	return kib;
}

#endif
