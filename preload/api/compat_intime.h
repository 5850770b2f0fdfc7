/* SPDX-License-Identifier: MIT */
/*
 * compat_intime.h - what the files of INtime's calls share
 */
#ifndef COMPAT_INTIME_H
#define COMPAT_INTIME_H

#include <intime/rt.h>
#include <stdbool.h>

/* The calling thread's last status; returns `result`, for one line in the caller. */
DWORD intime_set(DWORD status, DWORD result);
/* One mapping at this address less; false: there is none. */
bool rthandle_unmap(const void *p);

#endif
