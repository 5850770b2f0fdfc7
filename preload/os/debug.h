/* SPDX-License-Identifier: MIT */
/*
 * debug.h - the level of MALLOC_DEBUG, and what it fills memory with
 *
 * Read once, when it is first asked for, and never in a secure (set-user-ID) program.
 */
#ifndef DEBUG_H
#define DEBUG_H

#define DEBUG_NEW   0x7f /* bytes of a new block */
#define DEBUG_FREE  0x7d /* of a freed one */
#define DEBUG_FRESH 0x7b /* of memory that no block had yet */

extern int debug_read_level; /* relaxed; negative: not read yet */
int debug_read_slow(void);

/* 0: off, 1: memory is filled, 2: and pools are validated. Realtime: yes, but for the
 * first call. */
static inline int debug_level(void)
{
	int level = __atomic_load_n(&debug_read_level, __ATOMIC_RELAXED);

	return __builtin_expect(level < 0, 0) ? debug_read_slow() : level;
}

#endif
