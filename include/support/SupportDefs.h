/* SPDX-License-Identifier: MIT */
/*
 * SupportDefs.h - the few types and status codes of BeOS that our headers speak of
 *
 * A program that already has a SupportDefs.h of its own (the guard is the historical one)
 * keeps that and may define any of the codes itself.
 *
 * Status codes are 0 or a negative errno value, so strerror(-status) describes them.
 */
#ifndef _SUPPORT_DEFS_H
#define _SUPPORT_DEFS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef int8_t int8;
typedef uint8_t uint8;
typedef int16_t int16;
typedef uint16_t uint16;
typedef int32_t int32;
typedef uint32_t uint32;
typedef int64_t int64;
typedef uint64_t uint64;
typedef int64 bigtime_t; /* microseconds */

typedef int32 status_t;	   /* B_OK or one of the codes below */
typedef int32 thread_id;   /* what gettid(2) returns */
typedef intptr_t image_id; /* see media_realtime_init_image() */

#endif

#ifndef B_OK
#define B_OK 0
#endif
#ifndef B_ERROR
#define B_ERROR (-1)
#endif
#ifndef B_BAD_VALUE
#define B_BAD_VALUE (-EINVAL)
#endif
#ifndef B_NO_MEMORY
#define B_NO_MEMORY (-ENOMEM)
#endif
#ifndef B_ENTRY_NOT_FOUND
#define B_ENTRY_NOT_FOUND (-ENOENT)
#endif
#ifndef B_PAGE_SIZE
#define B_PAGE_SIZE 4096
#endif
