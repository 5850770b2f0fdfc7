/* SPDX-License-Identifier: MIT */
/* Core Foundation's values and Core Media's block buffers, as far as there are any: what
 * is documented, and what cannot be. */
/* libs: -Lbuild -lrtpreload */
#include <CoreMedia/CoreMedia.h>
#include <limits.h>
#include <rtmem.h>
#include <stdlib.h>
#include <string.h>

#include "api_check.h"

#define UTF8 kCFStringEncodingUTF8

static const CFStringRef everywhere = CFSTR("a constant");

static void strings(void)
{
	CFStringRef made = CFStringCreateWithCString(NULL, "a constant", UTF8);
	CFStringRef wide = CFStringCreateWithCString(
		kCFAllocatorDefault, "g\xc3\xbcr\xf0\x9d\x84\x9e", UTF8);
	char text[20] = "";

	CHECK(made && CFGetTypeID(made) == CFGetTypeID(everywhere));
	CHECK(CFEqual(made, everywhere) && CFEqual(everywhere, CFSTR("a constant")));
	CHECK(!CFEqual(made, wide) && !CFEqual(made, NULL) && !CFEqual(NULL, NULL));
	CHECK(CFStringGetLength(made) == 10 && CFStringGetLength(everywhere) == 10);
	CHECK(CFStringGetLength(wide) == 5);
	CHECK(!strcmp(CFStringGetCStringPtr(everywhere, UTF8), "a constant"));
	CHECK(!CFStringGetCString(made, text, 10, UTF8) && !text[0]);
	CHECK(CFStringGetCString(made, text, 11, UTF8) && !strcmp(text, "a constant"));
	CHECK(!CFStringGetCString(made, text, 20, 17) &&
		!CFStringGetCStringPtr(made, 17));
	CHECK(!CFStringGetCString(made, NULL, 20, UTF8));
	CHECK(!CFStringCreateWithCString(NULL, NULL, UTF8));
	CHECK(!CFStringCreateWithCString(NULL, "x", 17));
	/* constants are there for ever, however often they are let go */
	for (int i = 0; i < 3; i++)
		CFRelease(everywhere);
	CHECK(CFRetain(everywhere) == everywhere);
	CHECK(CFGetRetainCount(everywhere) == LONG_MAX);
	CFRelease(made);
	CHECK(CFStringGetLength(made) == 0 && !CFStringGetCStringPtr(made, UTF8));
	CFRelease(wide);
}

static void numbers(void)
{
	int64_t big = (1LL << 60) + 1, i64 = 0;
	double half = 0.5, d = 0;
	int8_t small = -3, i8 = 0;
	float f = 0;
	CFNumberRef n = CFNumberCreate(NULL, kCFNumberSInt64Type, &big);

	CHECK(CFNumberGetValue(n, kCFNumberLongLongType, &i64) && i64 == big);
	CHECK(!CFNumberGetValue(n, kCFNumberSInt8Type, &i8));
	CHECK(CFNumberGetValue(n, kCFNumberDoubleType, &d) && d == (double)big);
	CHECK(!CFNumberGetValue(n, 99, &d) && !CFNumberGetValue(n, 3, NULL));
	CFRelease(n);
	CHECK(!CFNumberGetValue(n, kCFNumberDoubleType, &d));
	n = CFNumberCreate(NULL, kCFNumberFloat64Type, &half);
	CHECK(!CFNumberGetValue(n, kCFNumberSInt64Type, &i64) && i64 == 0);
	CHECK(CFNumberGetValue(n, kCFNumberFloatType, &f) && f == 0.5f);
	CFRelease(n);
	n = CFNumberCreate(NULL, kCFNumberCharType, &small);
	CHECK(CFNumberGetValue(n, kCFNumberSInt64Type, &i64) && i64 == -3);
	CHECK(!CFNumberCreate(NULL, 0, &small) && !CFNumberCreate(NULL, 15, &small));
	CFRelease(n);
	half = 1e300;
	n = CFNumberCreate(NULL, kCFNumberDoubleType, &half);
	CHECK(!CFNumberGetValue(n, kCFNumberSInt64Type, &i64) && i64 == INT64_MAX);
	CFRelease(n);
}

static void data(void)
{
	static const unsigned char bytes[] = "some bytes";
	CMMemoryPoolRef pool = CMMemoryPoolCreate(NULL);
	CFAllocatorRef its = CMMemoryPoolGetAllocator(pool);
	unsigned char part[8] = "", *own = (unsigned char *)malloc(100);
	CFDataRef copy = CFDataCreate(its, bytes, 10), same, none;

	CHECK(copy && CFDataGetLength(copy) == 10);
	CHECK((uintptr_t)CFDataGetBytePtr(copy) % 4096 == 0); /* the pool's */
	same = CFDataCreateWithBytesNoCopy(NULL, bytes, 10, kCFAllocatorNull);
	CHECK(CFDataGetBytePtr(same) == bytes && CFEqual(same, copy));
	CFDataGetBytes(same, CFRangeMake(5, 99), part);
	CHECK(!memcmp(part, "bytes\0\0\0", 8));
	CFDataGetBytes(same, CFRangeMake(10, 1), part);
	CFDataGetBytes(same, CFRangeMake(-1, 1), part);
	CFDataGetBytes(same, CFRangeMake(0, -1), part);
	CHECK(!memcmp(part, "bytes\0\0\0", 8));
	/* the pool goes first; the bytes and their allocator stay */
	CFRelease(pool);
	CHECK(!memcmp(CFDataGetBytePtr(copy), "some bytes", 10));
	CFRelease(copy);
	CHECK(CFDataGetLength(copy) == 0 && !CFDataGetBytePtr(copy));
	CFRelease(same);
	same = CFDataCreateWithBytesNoCopy(NULL, own, 100, kCFAllocatorMalloc);
	CHECK(same && CFDataGetBytePtr(same) == own);
	CFRelease(same); /* free(own) */
	none = CFDataCreate(NULL, NULL, 0);
	CHECK(none && CFDataGetLength(none) == 0);
	CFRelease(none);
	CHECK(!CFDataCreate(NULL, bytes, -1) && !CFDataCreate(NULL, NULL, 1));
	CHECK(!CFDataCreate((CFAllocatorRef)(const void *)bytes, bytes, 1));
	CHECK(!CFDataCreate(kCFAllocatorNull, bytes, 1));
	CHECK(!CFDataCreateWithBytesNoCopy(
		NULL, bytes, 1, (CFAllocatorRef)(const void *)part));
}

static void dictionaries(void)
{
	CFMutableDictionaryRef d = CFDictionaryCreateMutable(kCFAllocatorDefault, 0,
		&kCFTypeDictionaryKeyCallBacks, &kCFTypeDictionaryValueCallBacks);
	CFStringRef key = CFStringCreateWithCString(NULL, "AgeOutPeriod", UTF8);
	double age = 3;
	CFNumberRef n = CFNumberCreate(NULL, kCFNumberDoubleType, &age);
	const void *keys[65], *values[65];
	CFDictionaryRef fixed;
	CMMemoryPoolRef pool;
	int i;

	CFDictionarySetValue(d, key, n);
	CHECK(CFGetRetainCount(key) == 2 && CFGetRetainCount(n) == 2);
	CFDictionarySetValue(d, kCMMemoryPoolOption_AgeOutPeriod, n); /* the same key */
	CHECK(CFDictionaryGetCount(d) == 1 && CFGetRetainCount(key) == 1);
	CHECK(CFDictionaryGetValue(d, CFSTR("AgeOutPeriod")) == n);
	CHECK(CFDictionaryContainsKey(d, "AgeOutPeriod"));
	CHECK(!CFDictionaryContainsKey(d, CFSTR("other")));
	CHECK(!CFDictionaryGetValue(d, NULL));
	pool = CMMemoryPoolCreate(d);
	CHECK(pool != NULL);
	CFRelease(pool);
	CFDictionarySetValue(d, CFSTR("text"), CFSTR("value"));
	CFDictionarySetValue(d, NULL, n);
	CFDictionarySetValue(d, n, NULL);
	CHECK(CFEqual(CFDictionaryGetValue(d, CFSTR("text")), CFSTR("value")));
	CFDictionaryRemoveValue(d, key);
	CFDictionaryRemoveValue(d, key);
	CHECK(CFDictionaryGetCount(d) == 1 && CFGetRetainCount(n) == 1);
	CFDictionarySetValue(d, CFSTR("AgeOutPeriod"), CFSTR("soon"));
	CHECK(!CMMemoryPoolCreate(d) &&
		rtm_cm_last_error() == kCMMemoryPoolError_InvalidParameter);
	for (i = 0; i < 80; i++) {
		int64_t whole = i;
		CFNumberRef k = CFNumberCreate(NULL, kCFNumberSInt64Type, &whole);

		CFDictionarySetValue(d, k, n);
		CFRelease(k);
	}
	CHECK(CFDictionaryGetCount(d) == 64);
	CFRelease(d);
	CHECK(CFGetRetainCount(n) == 1 && CFDictionaryGetCount(d) == 0);
	for (i = 0; i < 65; i++)
		keys[i] = key, values[i] = n;
	CHECK(!CFDictionaryCreate(NULL, keys, values, 65, NULL, NULL));
	fixed = CFDictionaryCreate(NULL, keys, values, 64, NULL, NULL);
	CHECK(fixed && CFGetRetainCount(n) == 65);
	CFDictionarySetValue((CFMutableDictionaryRef)(uintptr_t)fixed, CFSTR("x"), n);
	CFDictionaryRemoveValue((CFMutableDictionaryRef)(uintptr_t)fixed, key);
	CHECK(CFDictionaryGetCount(fixed) == 64);
	CFRelease(fixed);
	CFRelease(n);
	CFRelease(key);
}

/* ---- block buffers ---- */

static int allocated, freed;

static void *source_allocate(void *ref, size_t size)
{
	allocated++;
	return ref ? NULL : malloc(size);
}

static void source_free(void *ref, void *block, size_t size)
{
	CHECK(!ref && size == 1000);
	freed++;
	free(block);
}

static void custom_sources(void)
{
	CMBlockBufferCustomBlockSource s = {0, source_allocate, source_free, NULL};
	CMBlockBufferRef b = NULL;

	CHECK(!CMBlockBufferCreateWithMemoryBlock(
		NULL, NULL, 1000, NULL, &s, 0, 1000, 0, &b));
	CHECK(allocated == 0 && !CMBlockBufferAssureBlockMemory(b) && allocated == 1);
	CHECK(!CMBlockBufferAssureBlockMemory(b) && allocated == 1);
	CFRelease(b);
	CHECK(freed == 1);
	s.refCon = &s;
	b = NULL;
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 1000, NULL, &s, 0, 1000,
		      kCMBlockBufferAssureMemoryNowFlag,
		      &b) == kCMBlockBufferBlockAllocationFailedErr &&
		!b && freed == 1);
	s.version = 1;
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 1000, NULL, &s, 0, 1000, 0,
		      &b) == kCMBlockBufferBadCustomBlockSourceErr);
	s.version = 0;
	s.AllocateBlock = NULL;
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 1000, NULL, &s, 0, 1000, 0,
		      &b) == kCMBlockBufferBadCustomBlockSourceErr);
}

static void parts(CMBlockBufferRef whole, const char *bytes)
{
	CMBlockBufferRef part = NULL, deeper = NULL, copy = NULL;
	size_t at = 0, all = 0;
	char *p = NULL, out[8] = "";

	CHECK(!CMBlockBufferCreateWithBufferReference(NULL, whole, 100, 200, 0, &part));
	CHECK(!CMBlockBufferCreateContiguous(NULL, part, NULL, NULL, 50, 0, 0, &deeper));
	CHECK(CMBlockBufferGetDataLength(deeper) == 150);
	CHECK(!CMBlockBufferGetDataPointer(deeper, 10, &at, &all, &p));
	CHECK(p == bytes + 160 && at == 140 && all == 150);
	CHECK(!CMBlockBufferCreateContiguous(
		NULL, part, NULL, NULL, 0, 7, kCMBlockBufferAlwaysCopyDataFlag, &copy));
	CHECK(!CMBlockBufferFillDataBytes('y', part, 0, 3));
	CHECK(!CMBlockBufferCopyDataBytes(copy, 0, 7, out) && !strcmp(out, "xxxxxxx"));
	CHECK(!CMBlockBufferCopyDataBytes(part, 0, 7, out) && !strcmp(out, "yyyxxxx"));
	CHECK(CMBlockBufferIsRangeContiguous(part, 0, 200));
	CHECK(!CMBlockBufferIsRangeContiguous(part, 0, 201));
	CHECK(CMBlockBufferCreateWithBufferReference(NULL, whole, 900, 101, 0, &copy) ==
		kCMBlockBufferBadLengthParameterErr);
	CFRelease(part); /* of which the other is a part: the whole lives */
	CFRelease(copy);
	CHECK(!CMBlockBufferAccessDataBytes(deeper, 149, 1, out, &p) && *p == 'x');
	CHECK(CMBlockBufferAccessDataBytes(deeper, 149, 2, out, &p) ==
			kCMBlockBufferBadLengthParameterErr &&
		!p);
	CFRelease(deeper);
}

static void buffers(void)
{
	CMMemoryPoolRef pool = CMMemoryPoolCreate(NULL);
	CFAllocatorRef its = CMMemoryPoolGetAllocator(pool);
	CMBlockBufferRef b = NULL;
	char *p = NULL, out[1000];

	CHECK(!CMBlockBufferCreateWithMemoryBlock(
		kCFAllocatorDefault, NULL, 1000, its, NULL, 0, 1000, 0, &b));
	CHECK(CFGetTypeID(b) == CMBlockBufferGetTypeID() && !CMBlockBufferIsEmpty(b));
	CHECK(CMBlockBufferGetDataPointer(b, 0, NULL, NULL, &p) ==
		kCMBlockBufferUnallocatedBlockErr);
	CHECK(CMBlockBufferCopyDataBytes(b, 0, 1, out) ==
		kCMBlockBufferUnallocatedBlockErr);
	memset(out, 'x', sizeof(out));
	CHECK(!CMBlockBufferReplaceDataBytes(out, b, 0, 1000));
	CHECK(!CMBlockBufferGetDataPointer(b, 0, NULL, NULL, &p) && p);
	CHECK((uintptr_t)p % 4096 == 0 && !memcmp(p, out, 1000));
	parts(b, p);
	CHECK(CMBlockBufferGetDataPointer(b, 1000, NULL, NULL, &p) ==
		kCMBlockBufferBadOffsetParameterErr);
	CHECK(CMBlockBufferReplaceDataBytes(out, b, 1, 1000) ==
		kCMBlockBufferBadLengthParameterErr);
	CHECK(CMBlockBufferReplaceDataBytes(out, b, 1, 0) ==
		kCMBlockBufferBadLengthParameterErr);
	CHECK(CMBlockBufferFillDataBytes(0, b, 1001, 0) ==
		kCMBlockBufferBadOffsetParameterErr);
	CHECK(!CMBlockBufferFillDataBytes('z', b, 1, 0) && p[999] == 'z' && p[0] == 'x');
	CFRelease(pool); /* with the frame in flight */
	CHECK(p[999] == 'z');
	CFRelease(b);
}

static void bad_buffers(void)
{
	static char local[64];
	CMBlockBufferRef none[] = {NULL, (CMBlockBufferRef)(void *)local,
		(CMBlockBufferRef)(uintptr_t)CFSTR("x")};
	CMBlockBufferRef out = NULL;
	const int32_t bad = kCMBlockBufferBadPointerParameterErr;
	char *p;

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		CMBlockBufferRef b = none[i];

		CHECK(CMBlockBufferAssureBlockMemory(b) == bad);
		CHECK(CMBlockBufferGetDataPointer(b, 0, NULL, NULL, &p) == bad);
		CHECK(CMBlockBufferAccessDataBytes(b, 0, 1, local, &p) == bad);
		CHECK(CMBlockBufferCopyDataBytes(b, 0, 1, local) == bad);
		CHECK(CMBlockBufferReplaceDataBytes(local, b, 0, 1) == bad);
		CHECK(CMBlockBufferFillDataBytes(0, b, 0, 1) == bad);
		CHECK(CMBlockBufferGetDataLength(b) == 0 && CMBlockBufferIsEmpty(b));
		CHECK(!CMBlockBufferIsRangeContiguous(b, 0, 0));
		CHECK(CMBlockBufferCreateWithBufferReference(NULL, b, 0, 0, 0, &out) ==
			bad);
		CHECK(CMBlockBufferCreateContiguous(NULL, b, NULL, NULL, 0, 0,
			      kCMBlockBufferAlwaysCopyDataFlag, &out) == bad);
	}
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 0, NULL, NULL, 0, 0, 0,
		      &out) == kCMBlockBufferBadLengthParameterErr);
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 10, NULL, NULL, 10, 0, 0,
		      &out) == kCMBlockBufferBadOffsetParameterErr);
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 10, NULL, NULL, 5, 6, 0,
		      &out) == kCMBlockBufferBadLengthParameterErr);
	CHECK(CMBlockBufferCreateWithMemoryBlock(NULL, NULL, 10,
		      (CFAllocatorRef)(const void *)local, NULL, 0, 0, 0, &out) == bad);
	CHECK(CMBlockBufferCreateWithMemoryBlock(
		      NULL, local, 10, kCFAllocatorNull, NULL, 0, 0, 0, NULL) == bad);
	CHECK(!out);
	/* the caller's own memory stays the caller's */
	CHECK(!CMBlockBufferCreateWithMemoryBlock(
		NULL, local, sizeof(local), kCFAllocatorNull, NULL, 0, 0, 0, &out));
	CFRelease(out);
	CHECK(!CMBlockBufferCreateWithMemoryBlock(
		NULL, malloc(10), 10, kCFAllocatorDefault, NULL, 0, 10, 0, &out));
	CFRelease(out);
}

int main(void)
{
	strings();
	numbers();
	data();
	dictionaries();
	custom_sources();
	buffers();
	bad_buffers();
	return api_failed;
}
