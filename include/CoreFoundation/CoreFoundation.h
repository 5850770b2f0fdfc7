/* SPDX-License-Identifier: MIT */
/*
 * CoreFoundation.h - of Core Foundation, what clients of memory pools and block buffers
 * need: reference counts, allocators, and the numbers, strings, data and dictionaries
 * that options are made of, on Linux
 *
 * These are functions of ours under macros of the well-known names, so that programs with
 * a real Core Foundation keep that; where its headers are included, define RTM_NO_CF and
 * use the rtm_cf_ names.
 *
 * Objects begin with one reference; there can be 4096 at a time. allocator, where a call
 * that makes an object has one, is ignored for the object itself, and says where the
 * bytes of strings and data are.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef COREFOUNDATION_COREFOUNDATION_H
#define COREFOUNDATION_COREFOUNDATION_H

#include <stddef.h>
#include <stdint.h>

#include "../rtmem_decl.h"

typedef const void *rtm_cf_type;
typedef const struct rtm_cf_string *rtm_cf_string_ref;
typedef const struct rtm_cf_number *rtm_cf_number_ref;
typedef const struct rtm_cf_data *rtm_cf_data_ref;
typedef const struct rtm_cf_dictionary *rtm_cf_dictionary_ref;
typedef struct rtm_cf_dictionary *rtm_cf_mutable_dictionary_ref;
typedef const struct rtm_cf_allocator *rtm_cf_allocator_ref;

/* Part of something: `length` from `location` on. */
struct rtm_cf_range {
	long location, length;
};

/* Types of numbers. */
enum {
	RTM_CF_INT8 = 1,
	RTM_CF_INT16 = 2,
	RTM_CF_INT32 = 3,
	RTM_CF_INT64 = 4,
	RTM_CF_FLOAT32 = 5,
	RTM_CF_FLOAT64 = 6,
	RTM_CF_CHAR = 7,
	RTM_CF_SHORT = 8,
	RTM_CF_INT = 9,
	RTM_CF_LONG = 10,
	RTM_CF_LONG_LONG = 11,
	RTM_CF_FLOAT = 12,
	RTM_CF_DOUBLE = 13,
	RTM_CF_INDEX = 14
};

/* A string that is there from the beginning to the end of the object it is written in. */
#define RTM_CF_CONSTANT	    "\177CFSTR\177"
#define RTM_CF_STRING(text) ((rtm_cf_string_ref)(const void *)(RTM_CF_CONSTANT text))

/* Allocators without memory: the first hands nothing out and frees nothing, the second is
 * malloc() and free(), as is NULL. Neither is counted. */
#define RTM_CF_ALLOCATOR_NULL	((rtm_cf_allocator_ref)(const void *)-0x43460001L)
#define RTM_CF_ALLOCATOR_MALLOC ((rtm_cf_allocator_ref)(const void *)-0x43460002L)

#ifndef RTM_NO_CF
typedef rtm_cf_type CFTypeRef;
typedef rtm_cf_type CFPropertyListRef;
typedef rtm_cf_string_ref CFStringRef;
typedef rtm_cf_number_ref CFNumberRef;
typedef rtm_cf_data_ref CFDataRef;
typedef rtm_cf_dictionary_ref CFDictionaryRef;
typedef rtm_cf_mutable_dictionary_ref CFMutableDictionaryRef;
typedef rtm_cf_allocator_ref CFAllocatorRef;
typedef struct rtm_cf_range CFRange;
typedef long CFIndex;
typedef unsigned long CFTypeID;
typedef unsigned long CFOptionFlags;
typedef unsigned long CFHashCode;
typedef int CFNumberType;
typedef uint32_t CFStringEncoding;
typedef unsigned char Boolean;
typedef unsigned char UInt8;
typedef uint32_t UInt32;
typedef int32_t SInt32;
typedef int32_t OSStatus;

#ifndef noErr
#define noErr 0
#endif

#define kCFNumberSInt8Type     ((CFNumberType)RTM_CF_INT8)
#define kCFNumberSInt16Type    ((CFNumberType)RTM_CF_INT16)
#define kCFNumberSInt32Type    ((CFNumberType)RTM_CF_INT32)
#define kCFNumberSInt64Type    ((CFNumberType)RTM_CF_INT64)
#define kCFNumberFloat32Type   ((CFNumberType)RTM_CF_FLOAT32)
#define kCFNumberFloat64Type   ((CFNumberType)RTM_CF_FLOAT64)
#define kCFNumberCharType      ((CFNumberType)RTM_CF_CHAR)
#define kCFNumberShortType     ((CFNumberType)RTM_CF_SHORT)
#define kCFNumberIntType       ((CFNumberType)RTM_CF_INT)
#define kCFNumberLongType      ((CFNumberType)RTM_CF_LONG)
#define kCFNumberLongLongType  ((CFNumberType)RTM_CF_LONG_LONG)
#define kCFNumberFloatType     ((CFNumberType)RTM_CF_FLOAT)
#define kCFNumberDoubleType    ((CFNumberType)RTM_CF_DOUBLE)
#define kCFNumberCFIndexType   ((CFNumberType)RTM_CF_INDEX)
#define kCFStringEncodingASCII ((CFStringEncoding)0x0600)
#define kCFStringEncodingUTF8  ((CFStringEncoding)0x08000100)

#define kCFAllocatorDefault	  ((CFAllocatorRef)NULL)
#define kCFAllocatorSystemDefault RTM_CF_ALLOCATOR_MALLOC
#define kCFAllocatorMalloc	  RTM_CF_ALLOCATOR_MALLOC
#define kCFAllocatorNull	  RTM_CF_ALLOCATOR_NULL
/* Accepted where Core Foundation wants call-backs; objects are always retained. */
#define kCFTypeDictionaryKeyCallBacks	    (*(const char *)"")
#define kCFTypeDictionaryValueCallBacks	    (*(const char *)"")
#define kCFCopyStringDictionaryKeyCallBacks (*(const char *)"")

#define CFSTR				   RTM_CF_STRING
#define CFRetain			   rtm_cf_retain
#define CFRelease			   rtm_cf_release
#define CFGetRetainCount		   rtm_cf_count
#define CFGetTypeID			   rtm_cf_type_id
#define CFEqual				   rtm_cf_equal
#define CFNumberCreate			   rtm_cf_number
#define CFNumberGetValue		   rtm_cf_number_value
#define CFStringCreateWithCString	   rtm_cf_string
#define CFStringGetLength		   rtm_cf_string_length
#define CFStringGetCString		   rtm_cf_string_copy
#define CFStringGetCStringPtr		   rtm_cf_string_text
#define CFDataCreate			   rtm_cf_data
#define CFDataCreateWithBytesNoCopy	   rtm_cf_data_no_copy
#define CFDataGetLength			   rtm_cf_data_length
#define CFDataGetBytePtr		   rtm_cf_data_bytes
#define CFDataGetBytes			   rtm_cf_data_copy
#define CFDictionaryCreate		   rtm_cf_dictionary
#define CFDictionaryCreateMutable	   rtm_cf_dictionary_mutable
#define CFDictionaryGetCount		   rtm_cf_dictionary_count
#define CFDictionaryGetValue		   rtm_cf_dictionary_value
#define CFDictionaryContainsKey		   rtm_cf_dictionary_contains
#define CFDictionarySetValue		   rtm_cf_dictionary_set
#define CFDictionaryRemoveValue		   rtm_cf_dictionary_remove
#define CFAllocatorAllocate		   rtm_cf_allocate
#define CFAllocatorReallocate		   rtm_cf_reallocate
#define CFAllocatorDeallocate		   rtm_cf_deallocate
#define CFAllocatorGetPreferredSizeForSize rtm_cf_preferred_size

static inline CFRange CFRangeMake(CFIndex location, CFIndex length)
{
	CFRange r;

	r.location = location;
	r.length = length;
	return r;
}
#endif

RTM_BEGIN_DECLS

/*
 * Allocates with an allocator of a pool; NULL: the program's malloc().
 *
 * size  bytes, 1 or more; rounded up to pages.
 * hint  ignored.
 *
 * Returns the block, at the beginning of a page; NULL on failure, and rtm_cm_last_error()
 *   kCMMemoryPoolError_InvalidParameter  size is below 1, or it is no allocator
 *   kCMMemoryPoolError_AllocationFailed  there is no memory, or it is kCFAllocatorNull
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
 * Frees a block of this allocator; NULL does nothing, kCFAllocatorNull neither. Anything
 * else is the caller's bug: one line on standard error, then abort().
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
 * Reference counts of all objects. Releasing the last reference destroys. NULL is the
 * caller's bug there and ignored here. Constant strings and the allocators that are none
 * are not counted: theirs is LONG_MAX. Releasing what is no object, or none any more, is
 * one line on standard error, then abort(); retaining it does nothing, its count and its
 * type are 0. Realtime: yes, but for the release of the last reference. Threads: any.
 * Source: Core Foundation, CFRetain, CFRelease, CFGetRetainCount, CFGetTypeID.
 */
RTM_API rtm_cf_type rtm_cf_retain(rtm_cf_type object);
RTM_API void rtm_cf_release(rtm_cf_type object);
RTM_API long rtm_cf_count(rtm_cf_type object);
RTM_API unsigned long rtm_cf_type_id(rtm_cf_type object);

/*
 * Are they the same object, or two strings, two data or two numbers that say the same? 1
 * or 0. Realtime: yes; looks at all bytes. Threads: any. Source: Core Foundation,
 * CFEqual.
 */
RTM_API unsigned char rtm_cf_equal(rtm_cf_type one, rtm_cf_type other);

/*
 * A number from *value.
 *
 * Returns the number; NULL when type is none of the above, value is NULL, or there is no
 * memory, or 4096 objects. Realtime: no. Threads: any. Source: Core Foundation,
 * CFNumberCreate.
 */
RTM_API rtm_cf_number_ref rtm_cf_number(
	rtm_cf_allocator_ref allocator, int type, const void *value);

/*
 * Stores a number as that type.
 *
 * Returns 1; 0 when it is no number, type is none of the above or value is NULL (then
 * nothing is stored), or when it does not fit and was cut.
 * Realtime: yes. Threads: any. Source: Core Foundation, CFNumberGetValue.
 */
RTM_API unsigned char rtm_cf_number_value(
	rtm_cf_number_ref number, int type, void *value);

/*
 * A string of text that ends with NUL; copied. Where a string is only to be read, CFSTR()
 * or RTM_CF_STRING() around a literal is one that is always there.
 *
 * encoding  ASCII or UTF-8 (0x0600, 0x08000100): what is there is kept as it is.
 *
 * Returns the string; NULL when text is NULL, encoding another, or there is no memory, or
 * 4096 objects. Realtime: no. Threads: any. Source: Core Foundation,
 * CFStringCreateWithCString.
 */
RTM_API rtm_cf_string_ref rtm_cf_string(
	rtm_cf_allocator_ref allocator, const char *text, uint32_t encoding);

/*
 * Its length in units of UTF-16, as there; its text, which ends with NUL and lives as
 * long as the string (NULL when it is no string or encoding another); and a copy of that.
 *
 * buffer  of `size` bytes, NUL included.
 *
 * rtm_cf_string_copy() returns 1; 0 when it does not fit, or for the reasons above.
 * Realtime: yes. Threads: any. Source: Core Foundation, CFStringGetLength,
 * CFStringGetCStringPtr, CFStringGetCString.
 */
RTM_API long rtm_cf_string_length(rtm_cf_string_ref string);
RTM_API const char *rtm_cf_string_text(rtm_cf_string_ref string, uint32_t encoding);
RTM_API unsigned char rtm_cf_string_copy(
	rtm_cf_string_ref string, char *buffer, long size, uint32_t encoding);

/*
 * Bytes: a copy, in memory of the allocator; or those there are, which the deallocator
 * frees with the last reference (NULL: the program's free(); kCFAllocatorNull: nobody).
 * An allocator of a pool lives until then.
 *
 * bytes   may be NULL when length is 0.
 * length  bytes, 0 or more.
 *
 * Returns the data; NULL when length is negative, bytes is NULL while it is not 0, it is
 * no allocator, or there is no memory, or 4096 objects; on failure bytes stay the
 * caller's. Realtime: no. Threads: any. Source: Core Foundation, CFDataCreate,
 * CFDataCreateWithBytesNoCopy.
 */
RTM_API rtm_cf_data_ref rtm_cf_data(
	rtm_cf_allocator_ref allocator, const unsigned char *bytes, long length);
RTM_API rtm_cf_data_ref rtm_cf_data_no_copy(rtm_cf_allocator_ref allocator,
	const unsigned char *bytes, long length, rtm_cf_allocator_ref deallocator);

/*
 * Its bytes: how many, where (NULL: it is no data), and a copy of a part of them: what of
 * the range does not lie in it is left out. Realtime: yes. Threads: any. Source: Core
 * Foundation, CFDataGetLength, CFDataGetBytePtr, CFDataGetBytes.
 */
RTM_API long rtm_cf_data_length(rtm_cf_data_ref data);
RTM_API const unsigned char *rtm_cf_data_bytes(rtm_cf_data_ref data);
RTM_API void rtm_cf_data_copy(
	rtm_cf_data_ref data, struct rtm_cf_range range, unsigned char *buffer);

/*
 * Pairs of a key and a value, objects of either kind, which are retained; a key may also
 * be plain text that ends with NUL and stays. Keys are compared by rtm_cf_equal().
 * allocator, capacity and the call-backs are ignored.
 *
 * n  pairs, 0 .. 64, which is also as many as a mutable one can have.
 *
 * Returns the dictionary; NULL when n is out of its range, keys or values is NULL while n
 * is not 0, or there is no memory, or 4096 objects.
 * Realtime: no. Threads: any. Source: Core Foundation, CFDictionaryCreate,
 * CFDictionaryCreateMutable.
 */
RTM_API rtm_cf_dictionary_ref rtm_cf_dictionary(rtm_cf_allocator_ref allocator,
	const void **keys, const void **values, long n, const void *key_calls,
	const void *value_calls);
RTM_API rtm_cf_mutable_dictionary_ref rtm_cf_dictionary_mutable(
	rtm_cf_allocator_ref allocator, long capacity, const void *key_calls,
	const void *value_calls);

/*
 * What is in it: how many pairs, the value of a key or NULL, 1 when there is one. What is
 * no dictionary is empty. Realtime: yes. Threads: any, while nobody changes it. Source:
 * Core Foundation, CFDictionaryGetCount, CFDictionaryGetValue, CFDictionaryContainsKey.
 */
RTM_API long rtm_cf_dictionary_count(rtm_cf_dictionary_ref dictionary);
RTM_API const void *rtm_cf_dictionary_value(
	rtm_cf_dictionary_ref dictionary, const void *key);
RTM_API unsigned char rtm_cf_dictionary_contains(
	rtm_cf_dictionary_ref dictionary, const void *key);

/*
 * Changes a mutable one: sets the value of a key, adding it (nothing when there are 64),
 * or removes it. What is no mutable dictionary, and a key or value of NULL, is ignored.
 * Realtime: no. Threads: one at a time. Source: Core Foundation, CFDictionarySetValue,
 * CFDictionaryRemoveValue.
 */
RTM_API void rtm_cf_dictionary_set(
	rtm_cf_mutable_dictionary_ref dictionary, const void *key, const void *value);
RTM_API void rtm_cf_dictionary_remove(
	rtm_cf_mutable_dictionary_ref dictionary, const void *key);

RTM_END_DECLS

#endif
