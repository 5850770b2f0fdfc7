/* SPDX-License-Identifier: MIT */
/*
 * compat_cmbuffer.c - block buffers, as declared in CoreMedia/CMBlockBuffer.h
 *
 * A buffer has a block, or is a part of a buffer that has one; parts of parts refer to
 * that one, too. The buffer holds a reference to the block's allocator. Bound: that of
 * the allocator, and of a copy.
 */
#include <CoreMedia/CMBlockBuffer.h>
#include <string.h>

#include "compat_cf.h"

struct OpaqueCMBlockBuffer {
	struct cf_object object;
	CMBlockBufferRef
		whole; /* of which this is a part, retained; NULL: it has a block */
	size_t offset, length; /* in the block */
	/* of one that has a block */
	void *block; /* atomic: release once there, acquire by users; NULL: not yet */
	size_t size; /* bytes of the block */
	rtm_cf_allocator_ref allocator; /* retained */
	CMBlockBufferCustomBlockSource source;
	bool custom; /* the source, not the allocator */
};

static bool cmb_is(CMBlockBufferRef b)
{
	return cf_is(b, CF_BLOCK_BUFFER);
}

static CMBlockBufferRef cmb_whole(CMBlockBufferRef b)
{
	return b->whole ? b->whole : b;
}

/* Its first byte; NULL: it has no memory yet. */
static char *cmb_bytes(CMBlockBufferRef b)
{
	/* acquire: pairs with the release in cmb_assure() */
	char *block = __atomic_load_n(&cmb_whole(b)->block, __ATOMIC_ACQUIRE);

	return block ? block + b->offset : NULL;
}

/* ---- memory ---- */

static void cmb_drop(CMBlockBufferRef b, void *block)
{
	if (!b->custom)
		rtm_cf_deallocate(b->allocator, block);
	else if (block && b->source.FreeBlock)
		b->source.FreeBlock(b->source.refCon, block, b->size);
}

static int32_t cmb_assure(CMBlockBufferRef part)
{
	CMBlockBufferRef b = cmb_whole(part);
	void *block, *none = NULL;

	if (__atomic_load_n(&b->block, __ATOMIC_ACQUIRE)) /* acquire: see below */
		return kCMBlockBufferNoErr;
	block = b->custom ? b->source.AllocateBlock(b->source.refCon, b->size)
			  : rtm_cf_allocate(b->allocator, (long)b->size, 0);
	if (!block)
		return kCMBlockBufferBlockAllocationFailedErr;
	/* release: pairs with the acquire of users; of two at once, one gives its back */
	if (!__atomic_compare_exchange_n(
		    &b->block, &none, block, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		cmb_drop(b, block);
	return kCMBlockBufferNoErr;
}

int32_t CMBlockBufferAssureBlockMemory(CMBlockBufferRef theBuffer)
{
	return cmb_is(theBuffer) ? cmb_assure(theBuffer)
				 : kCMBlockBufferBadPointerParameterErr;
}

/* ---- making and destroying ---- */

static void cmb_destroy(struct cf_object *o)
{
	CMBlockBufferRef b = (CMBlockBufferRef)(void *)o;

	if (b->whole) {
		rtm_cf_release(b->whole);
	} else {
		cmb_drop(b, b->block);
		rtm_cf_release(b->allocator);
	}
	cf_free(o);
}

/* Part of `all` bytes; *length 0: to the end. */
static int32_t cmb_range(size_t all, size_t offset, size_t *length)
{
	if (offset >= all)
		return kCMBlockBufferBadOffsetParameterErr;
	if (*length == 0)
		*length = all - offset;
	return *length > all - offset ? kCMBlockBufferBadLengthParameterErr
				      : kCMBlockBufferNoErr;
}

static int32_t cmb_source_is_bad(
	const CMBlockBufferCustomBlockSource *s, const void *block)
{
	return s && (s->version != kCMBlockBufferCustomBlockSourceVersion ||
			    (!block && !s->AllocateBlock));
}

int32_t CMBlockBufferCreateWithMemoryBlock(rtm_cf_allocator_ref structureAllocator,
	void *memoryBlock, size_t blockLength, rtm_cf_allocator_ref blockAllocator,
	const CMBlockBufferCustomBlockSource *customBlockSource, size_t offsetToData,
	size_t dataLength, CMBlockBufferFlags flags, CMBlockBufferRef *newBBufOut)
{
	CMBlockBufferRef b;
	int32_t status;

	(void)structureAllocator;
	if (!newBBufOut || (!customBlockSource && !cf_is_allocator(blockAllocator)))
		return kCMBlockBufferBadPointerParameterErr;
	if (blockLength == 0 || blockLength > INT64_MAX)
		return kCMBlockBufferBadLengthParameterErr;
	if (cmb_source_is_bad(customBlockSource, memoryBlock))
		return kCMBlockBufferBadCustomBlockSourceErr;
	status = cmb_range(blockLength, offsetToData, &dataLength);
	if (status)
		return status;
	b = cf_make(CF_BLOCK_BUFFER, sizeof(*b), cmb_destroy);
	if (!b)
		return kCMBlockBufferStructureAllocationFailedErr;
	b->offset = offsetToData;
	b->length = dataLength;
	b->block = memoryBlock;
	b->size = blockLength;
	b->custom = customBlockSource != NULL;
	if (b->custom)
		b->source = *customBlockSource;
	else
		b->allocator = rtm_cf_retain(blockAllocator);
	if (flags & kCMBlockBufferAssureMemoryNowFlag)
		status = cmb_assure(b);
	if (status)
		rtm_cf_release(b);
	else
		*newBBufOut = b;
	return status;
}

int32_t CMBlockBufferCreateWithBufferReference(rtm_cf_allocator_ref structureAllocator,
	CMBlockBufferRef targetBuffer, size_t offsetToData, size_t dataLength,
	CMBlockBufferFlags flags, CMBlockBufferRef *newBBufOut)
{
	CMBlockBufferRef b;
	int32_t status;

	(void)structureAllocator;
	if (!newBBufOut || !cmb_is(targetBuffer))
		return kCMBlockBufferBadPointerParameterErr;
	status = cmb_range(targetBuffer->length, offsetToData, &dataLength);
	if (!status && flags & kCMBlockBufferAssureMemoryNowFlag)
		status = cmb_assure(targetBuffer);
	if (status)
		return status;
	b = cf_make(CF_BLOCK_BUFFER, sizeof(*b), cmb_destroy);
	if (!b)
		return kCMBlockBufferStructureAllocationFailedErr;
	b->whole = cmb_whole(targetBuffer);
	rtm_cf_retain(b->whole);
	b->offset = targetBuffer->offset + offsetToData;
	b->length = dataLength;
	*newBBufOut = b;
	return kCMBlockBufferNoErr;
}

int32_t CMBlockBufferCreateContiguous(rtm_cf_allocator_ref structureAllocator,
	CMBlockBufferRef sourceBuffer, rtm_cf_allocator_ref blockAllocator,
	const CMBlockBufferCustomBlockSource *customBlockSource, size_t offsetToData,
	size_t dataLength, CMBlockBufferFlags flags, CMBlockBufferRef *newBBufOut)
{
	CMBlockBufferRef b = NULL;
	int32_t status;

	if (!(flags & kCMBlockBufferAlwaysCopyDataFlag))
		return CMBlockBufferCreateWithBufferReference(structureAllocator,
			sourceBuffer, offsetToData, dataLength, flags, newBBufOut);
	if (!newBBufOut || !cmb_is(sourceBuffer))
		return kCMBlockBufferBadPointerParameterErr;
	status = cmb_range(sourceBuffer->length, offsetToData, &dataLength);
	if (status)
		return status;
	if (!cmb_bytes(sourceBuffer))
		return kCMBlockBufferUnallocatedBlockErr;
	status = CMBlockBufferCreateWithMemoryBlock(structureAllocator, NULL, dataLength,
		blockAllocator, customBlockSource, 0, 0,
		kCMBlockBufferAssureMemoryNowFlag, &b);
	if (status)
		return status;
	memcpy(cmb_bytes(b), cmb_bytes(sourceBuffer) + offsetToData, dataLength);
	*newBBufOut = b;
	return kCMBlockBufferNoErr;
}

/* ---- bytes ---- */

int32_t CMBlockBufferGetDataPointer(CMBlockBufferRef theBuffer, size_t offset,
	size_t *lengthAtOffset, size_t *totalLength, char **dataPointer)
{
	size_t rest = 0;
	int32_t status;
	char *bytes;

	if (!cmb_is(theBuffer))
		return kCMBlockBufferBadPointerParameterErr;
	status = cmb_range(theBuffer->length, offset, &rest);
	bytes = cmb_bytes(theBuffer);
	if (!status && !bytes)
		status = kCMBlockBufferUnallocatedBlockErr;
	if (status)
		return status;
	if (lengthAtOffset)
		*lengthAtOffset = rest;
	if (totalLength)
		*totalLength = theBuffer->length;
	if (dataPointer)
		*dataPointer = bytes + offset;
	return kCMBlockBufferNoErr;
}

/* The bytes of a part, which has memory if `assure` or else has to. length: not 0. */
static int32_t cmb_part(
	CMBlockBufferRef b, size_t offset, size_t length, bool assure, char **out)
{
	int32_t status;

	if (!cmb_is(b))
		return kCMBlockBufferBadPointerParameterErr;
	if (length == 0)
		return kCMBlockBufferBadLengthParameterErr;
	status = cmb_range(b->length, offset, &length);
	if (!status && assure)
		status = cmb_assure(b);
	if (status)
		return status;
	*out = cmb_bytes(b);
	if (!*out)
		return kCMBlockBufferUnallocatedBlockErr;
	*out += offset;
	return kCMBlockBufferNoErr;
}

int32_t CMBlockBufferAccessDataBytes(CMBlockBufferRef theBuffer, size_t offset,
	size_t length, void *temporaryBlock, char **returnedPointer)
{
	if (!returnedPointer || !temporaryBlock)
		return kCMBlockBufferBadPointerParameterErr;
	*returnedPointer = NULL;
	return cmb_part(theBuffer, offset, length, false, returnedPointer);
}

int32_t CMBlockBufferCopyDataBytes(CMBlockBufferRef theSourceBuffer, size_t offsetToData,
	size_t dataLength, void *destination)
{
	char *from = NULL;
	int32_t status = destination ? cmb_part(theSourceBuffer, offsetToData, dataLength,
					       false, &from)
				     : kCMBlockBufferBadPointerParameterErr;

	if (!status)
		memmove(destination, from, dataLength);
	return status;
}

int32_t CMBlockBufferReplaceDataBytes(const void *sourceBytes,
	CMBlockBufferRef destinationBuffer, size_t offsetIntoDestination,
	size_t dataLength)
{
	char *to = NULL;
	int32_t status = sourceBytes ? cmb_part(destinationBuffer, offsetIntoDestination,
					       dataLength, true, &to)
				     : kCMBlockBufferBadPointerParameterErr;

	if (!status)
		memmove(to, sourceBytes, dataLength);
	return status;
}

int32_t CMBlockBufferFillDataBytes(char fillByte, CMBlockBufferRef destinationBuffer,
	size_t offsetIntoDestination, size_t dataLength)
{
	char *to = NULL;
	int32_t status;

	if (!cmb_is(destinationBuffer))
		return kCMBlockBufferBadPointerParameterErr;
	status = cmb_range(destinationBuffer->length, offsetIntoDestination, &dataLength);
	if (!status)
		status = cmb_part(
			destinationBuffer, offsetIntoDestination, dataLength, true, &to);
	if (!status)
		memset(to, fillByte, dataLength);
	return status;
}

/* ---- what it is ---- */

size_t CMBlockBufferGetDataLength(CMBlockBufferRef theBuffer)
{
	return cmb_is(theBuffer) ? theBuffer->length : 0;
}

unsigned char CMBlockBufferIsRangeContiguous(
	CMBlockBufferRef theBuffer, size_t offset, size_t length)
{
	return cmb_is(theBuffer) &&
	       cmb_range(theBuffer->length, offset, &length) == kCMBlockBufferNoErr;
}

unsigned char CMBlockBufferIsEmpty(CMBlockBufferRef theBuffer)
{
	return !cmb_is(theBuffer);
}

unsigned long CMBlockBufferGetTypeID(void)
{
	return CF_BLOCK_BUFFER;
}
