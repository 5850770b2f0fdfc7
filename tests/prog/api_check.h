/* SPDX-License-Identifier: MIT */
/*
 * api_check.h - what the programs that call the native API share: CHECK(), and an exit
 * code that says whether all of them held
 */
#ifndef API_CHECK_H
#define API_CHECK_H

#include <stdio.h>

static int api_failed __attribute__((unused));

/* A figure that must hold; goes on after a failure, so that one run shows them all. */
#define CHECK(expr)                                                                \
	do {                                                                       \
		if (!(expr)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
			__atomic_store_n(&api_failed, 1, __ATOMIC_RELAXED);        \
		}                                                                  \
	} while (0)

#endif
