/* SPDX-License-Identifier: MIT */
/*
 * debug.c - see debug.h
 */
#include "debug.h"

#include <stdlib.h>

int debug_read_level = -1;

/* "0", "00": off. A number above 1: 2. Anything else, also nothing after the =: 1. */
static int debug_parse(const char *s)
{
	unsigned long n = 0;
	const char *digit = s;

	if (*digit == '+')
		digit++;
	if (*digit < '0' || *digit > '9')
		return 1;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		n = n > 9 ? n : n * 10 + (unsigned long)(*digit - '0');
	if (*digit)
		return 1;
	return n > 1 ? 2 : (int)n;
}

int debug_read_slow(void)
{
	const char *s = secure_getenv("MALLOC_DEBUG");
	int level = s ? debug_parse(s) : 0;

	/* relaxed: two threads that read the environment store the same value */
	__atomic_store_n(&debug_read_level, level, __ATOMIC_RELAXED);
	return level;
}
