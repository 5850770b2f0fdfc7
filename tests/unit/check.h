/* SPDX-License-Identifier: MIT */
/*
 * check.h - says which line of a unit program does not hold, and goes on
 *
 * The program's exit status is failures != 0.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

static int failures;

#define CHECK(cond)                                                             \
	do {                                                                    \
		if (!(cond)) {                                                  \
			printf("line %d: %s does not hold\n", __LINE__, #cond); \
			failures++;                                             \
		}                                                               \
	} while (0)

#endif
