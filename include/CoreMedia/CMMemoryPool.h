/* SPDX-License-Identifier: MIT */
/*
 * CMMemoryPool.h - recycling of big blocks with the calls of Core Media, on Linux
 *
 * A pool's allocator hands out whole pages; what is freed is kept and handed out again at
 * the same size, already mapped and touched, and locked when `allocator` is on in section
 * [realtime] of the policy and the limits allow it. What nobody asked for again within
 * the age-out period goes back to the system, during allocate and deallocate calls and by
 * the library's own thread where it runs.
 *
 * Of Core Foundation there is as much as its clients need: <CoreFoundation/
 * CoreFoundation.h>.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef COREMEDIA_CMMEMORYPOOL_H
#define COREMEDIA_CMMEMORYPOOL_H

#include "../CoreFoundation/CoreFoundation.h"

typedef struct OpaqueCMMemoryPool *CMMemoryPoolRef;

/* Statuses of Core Media for memory pools. */
#define kCMMemoryPoolError_AllocationFailed ((int32_t)-15490) /* no internal memory */
#define kCMMemoryPoolError_InvalidParameter ((int32_t)-15491) /* an argument is wrong */

/* Key of an option: a number, the seconds (0 or more) a freed block is kept; 0.5 if
 * absent.
 */
static const rtm_cf_string_ref kCMMemoryPoolOption_AgeOutPeriod __attribute__((unused)) =
	RTM_CF_STRING("AgeOutPeriod");

RTM_BEGIN_DECLS

/*
 * Creates a pool.
 *
 * options  a dictionary with kCMMemoryPoolOption_AgeOutPeriod, or NULL. Other keys are
 *          ignored. Not kept.
 *
 * Returns the pool, to be given to CFRelease(); NULL when the period is negative or not a
 * number, or there is no memory, and rtm_cm_last_error() says which.
 * Realtime: no. Threads: any. Source: Core Media, CMMemoryPoolCreate.
 */
RTM_API CMMemoryPoolRef CMMemoryPoolCreate(rtm_cf_dictionary_ref options);

/*
 * The pool's allocator, the same each time; not retained. Retain it to use it longer than
 * the pool: it then works without pooling. NULL when pool is no pool.
 * Realtime: yes. Threads: any. Source: Core Media, CMMemoryPoolGetAllocator.
 */
RTM_API rtm_cf_allocator_ref CMMemoryPoolGetAllocator(CMMemoryPoolRef pool);

/*
 * Gives all memory that is kept back to the system.
 * Realtime: no. Threads: any. Source: Core Media, CMMemoryPoolFlush.
 */
RTM_API void CMMemoryPoolFlush(CMMemoryPoolRef pool);

/*
 * As CMMemoryPoolFlush(), and nothing is kept any more. Releasing the last reference does
 * the same.
 * Realtime: no. Threads: any. Source: Core Media, CMMemoryPoolInvalidate.
 */
RTM_API void CMMemoryPoolInvalidate(CMMemoryPoolRef pool);

/*
 * What CFGetTypeID() returns for a pool; not 0.
 * Realtime: yes. Threads: any. Source: Core Media, CMMemoryPoolGetTypeID.
 */
RTM_API unsigned long CMMemoryPoolGetTypeID(void);

/*
 * The status of the calling thread's last CMMemoryPoolCreate(), allocate, reallocate or
 * deallocate: 0, or one of the two above.
 * Realtime: yes. Threads: any; speaks of the calling one.
 */
RTM_API int32_t rtm_cm_last_error(void);

RTM_END_DECLS

#endif
