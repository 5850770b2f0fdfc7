/* SPDX-License-Identifier: MIT */
/*
 * entry.h - what the files of interposed names share
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <errno.h>

#include "engine/pools.h"
#include "decide/route.h"
#include "decide/thread.h"

#define EXPORT	    __attribute__((visibility("default")))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Standard behaviour: every NULL of an allocation that had a size comes with ENOMEM. */
static inline void *entry_checked(void *p)
{
	if (UNLIKELY(!p))
		errno = ENOMEM;
	return p;
}

/* Looks up what entry_single_threaded.c calls, once; before the program has a second
 * thread. */
void entry_alone_find(void);

#endif
