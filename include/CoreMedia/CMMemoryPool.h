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
 * Core Foundation is reduced to what a client of a memory pool needs: reference counts,
 * allocators, numbers, and dictionaries of options. These are functions of ours under
 * macros of the well-known names, so that programs with a real Core Foundation keep that;
 * where its headers are included, define RTM_NO_CF and use the rtm_cf_ names.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef COREMEDIA_CMMEMORYPOOL_H
#define COREMEDIA_CMMEMORYPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "../rtmem_decl.h"

typedef const void *rtm_cf_type;
typedef const struct rtm_cf_string *rtm_cf_string_ref;
typedef const struct rtm_cf_number *rtm_cf_number_ref;
typedef const struct rtm_cf_dictionary *rtm_cf_dictionary_ref;
typedef const struct rtm_cf_allocator *rtm_cf_allocator_ref;
typedef struct OpaqueCMMemoryPool *CMMemoryPoolRef;

/* Types a number can be made from. */
enum { RTM_CF_INT32 = 3, RTM_CF_INT64 = 4, RTM_CF_FLOAT = 12, RTM_CF_DOUBLE = 13 };

#ifndef RTM_NO_CF
typedef rtm_cf_type CFTypeRef;
typedef rtm_cf_string_ref CFStringRef;
typedef rtm_cf_number_ref CFNumberRef;
typedef rtm_cf_dictionary_ref CFDictionaryRef;
typedef rtm_cf_allocator_ref CFAllocatorRef;
typedef long CFIndex;
typedef unsigned long CFTypeID;
typedef unsigned long CFOptionFlags;
typedef int32_t OSStatus;
typedef int CFNumberType;

#define kCFNumberSInt32Type ((CFNumberType)RTM_CF_INT32)
#define kCFNumberSInt64Type ((CFNumberType)RTM_CF_INT64)
#define kCFNumberIntType    ((CFNumberType)RTM_CF_INT32)
#define kCFNumberFloatType  ((CFNumberType)RTM_CF_FLOAT)
#define kCFNumberDoubleType ((CFNumberType)RTM_CF_DOUBLE)

#define kCFAllocatorDefault ((CFAllocatorRef)NULL)
/* Accepted where Core Foundation wants call-backs; numbers are always retained. */
#define kCFTypeDictionaryKeyCallBacks	(*(const char *)"")
#define kCFTypeDictionaryValueCallBacks (*(const char *)"")

#define CFRetain			   rtm_cf_retain
#define CFRelease			   rtm_cf_release
#define CFGetRetainCount		   rtm_cf_count
#define CFGetTypeID			   rtm_cf_type_id
#define CFNumberCreate			   rtm_cf_number
#define CFDictionaryCreate		   rtm_cf_dictionary
#define CFAllocatorAllocate		   rtm_cf_allocate
#define CFAllocatorReallocate		   rtm_cf_reallocate
#define CFAllocatorDeallocate		   rtm_cf_deallocate
#define CFAllocatorGetPreferredSizeForSize rtm_cf_preferred_size
#endif

/* Statuses of Core Media for memory pools. */
#define kCMMemoryPoolError_AllocationFailed ((int32_t)-15490) /* no internal memory */
#define kCMMemoryPoolError_InvalidParameter ((int32_t)-15491) /* an argument is wrong */

/* Key of an option: a number, the seconds (0 or more) a freed block is kept; 0.5 if
 * absent.
 */
static const rtm_cf_string_ref kCMMemoryPoolOption_AgeOutPeriod __attribute__((unused)) =
	(rtm_cf_string_ref)(const void *)"AgeOutPeriod";

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

/*
 * Allocates with an allocator of a pool; NULL: malloc().
 *
 * size  bytes, 1 or more; rounded up to pages.
 * hint  ignored.
 *
 * Returns the block, at the beginning of a page; NULL on failure, and rtm_cm_last_error()
 *   kCMMemoryPoolError_InvalidParameter  size is below 1, or it is no allocator
 *   kCMMemoryPoolError_AllocationFailed  there is no memory
 * Realtime: yes when a block of that size is kept; else no. Threads: any. Source: Core
 * Foundation, CFAllocatorAllocate.
 */
RTM_API void *rtm_cf_allocate(
	rtm_cf_allocator_ref allocator, long size, unsigned long hint);

/*
 * Resizes a block: within its pages in place, else by moving it. block NULL allocates,
 * size 0 or less frees and returns NULL; on failure the block is untouched. Realtime: as
 * above, and what moves is copied. Source: Core Foundation.
 */
RTM_API void *rtm_cf_reallocate(
	rtm_cf_allocator_ref allocator, void *block, long size, unsigned long hint);

/*
 * Frees a block of this allocator; NULL does nothing. Anything else is the caller's bug:
 * one line on standard error, then abort().
 * Realtime: no: it is where blocks age out. Threads: any. Source: Core Foundation.
 */
RTM_API void rtm_cf_deallocate(rtm_cf_allocator_ref allocator, void *block);

/*
 * The bytes of the block that a request for size bytes gets: whole pages, or size itself
 * where there is no such block. hint is ignored.
 * Realtime: yes. Threads: any. Source: Core Foundation,
 * CFAllocatorGetPreferredSizeForSize.
 */
RTM_API long rtm_cf_preferred_size(
	rtm_cf_allocator_ref allocator, long size, unsigned long hint);

/*
 * Reference counts of pools, allocators, numbers and dictionaries. Objects begin with
 * one; releasing the last destroys. NULL is the caller's bug there and ignored here.
 * Releasing what is no object, or none any more, is one line on standard error, then
 * abort(); retaining it does nothing, its count and its type are 0. Realtime: yes, but
 * for the release of the last reference. Threads: any. Source: Core Foundation, CFRetain,
 * CFRelease, CFGetRetainCount, CFGetTypeID.
 */
RTM_API rtm_cf_type rtm_cf_retain(rtm_cf_type object);
RTM_API void rtm_cf_release(rtm_cf_type object);
RTM_API long rtm_cf_count(rtm_cf_type object);
RTM_API unsigned long rtm_cf_type_id(rtm_cf_type object);

/*
 * A number from *value. allocator is ignored.
 *
 * Returns the number; NULL when type is none of the above, value is NULL, or there is no
 * memory, or 4096 objects.
 * Realtime: no. Threads: any. Source: Core Foundation, CFNumberCreate.
 */
RTM_API rtm_cf_number_ref rtm_cf_number(
	rtm_cf_allocator_ref allocator, int type, const void *value);

/*
 * Pairs of a key and a number, which is retained. allocator and both call-backs are
 * ignored.
 *
 * n  pairs, 0 .. 8.
 *
 * Returns the dictionary; NULL when n is out of its range, keys or values is NULL while n
 * is not 0, or there is no memory, or 4096 objects.
 * Realtime: no. Threads: any. Source: Core Foundation, CFDictionaryCreate.
 */
RTM_API rtm_cf_dictionary_ref rtm_cf_dictionary(rtm_cf_allocator_ref allocator,
	const void **keys, const void **values, long n, const void *key_calls,
	const void *value_calls);

RTM_END_DECLS

#endif
