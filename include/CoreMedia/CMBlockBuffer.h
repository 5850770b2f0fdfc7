/* SPDX-License-Identifier: MIT */
/*
 * CMBlockBuffer.h - Core Media's blocks of memory with a length and a life of their own,
 * on Linux: as far as the allocator of a memory pool needs them
 *
 * A block buffer has one block of memory, or is a part of another block buffer: its bytes
 * are always in one piece. The block comes from an allocator, or from two functions of
 * the program's, and goes back there with the last reference, CFRelease(). An allocator
 * of a CMMemoryPool lives until then, also when its pool is gone.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef COREMEDIA_CMBLOCKBUFFER_H
#define COREMEDIA_CMBLOCKBUFFER_H

#include "../CoreFoundation/CoreFoundation.h"

typedef struct OpaqueCMBlockBuffer *CMBlockBufferRef;
typedef uint32_t CMBlockBufferFlags;

#define kCMBlockBufferAssureMemoryNowFlag (1u << 0) /* allocate now, not when needed */
#define kCMBlockBufferAlwaysCopyDataFlag  (1u << 1) /* CMBlockBufferCreateContiguous() */
#define kCMBlockBufferDontOptimizeDepthFlag \
	(1u << 2) /* ignored: it is always one deep \
		   */
#define kCMBlockBufferPermitEmptyReferenceFlag (1u << 3) /* ignored: none is empty */

/* What the calls return. */
#define kCMBlockBufferNoErr 0
#define kCMBlockBufferStructureAllocationFailedErr \
	(-12700)					/* no memory, 4096 objects \
							 */
#define kCMBlockBufferBlockAllocationFailedErr (-12701) /* the allocator gave none */
#define kCMBlockBufferBadCustomBlockSourceErr  (-12702) /* its version, or no function */
#define kCMBlockBufferBadOffsetParameterErr    (-12703) /* beyond the end */
#define kCMBlockBufferBadLengthParameterErr    (-12704) /* 0, or beyond the end */
#define kCMBlockBufferBadPointerParameterErr   (-12705) /* NULL, or no block buffer */
#define kCMBlockBufferEmptyBBufErr	       (-12706) /* never here: none is empty */
#define kCMBlockBufferUnallocatedBlockErr      (-12707) /* it has no memory yet */
#define kCMBlockBufferInsufficientSpaceErr     (-12708) /* never here */

#define kCMBlockBufferCustomBlockSourceVersion 0u

/* Functions of the program's that make and free a block. FreeBlock may be NULL. */
typedef struct CMBlockBufferCustomBlockSource {
	uint32_t version; /* kCMBlockBufferCustomBlockSourceVersion */
	void *(*AllocateBlock)(void *refCon, size_t sizeInBytes);
	void (*FreeBlock)(void *refCon, void *doomedMemoryBlock, size_t sizeInBytes);
	void *refCon;
} CMBlockBufferCustomBlockSource;

RTM_BEGIN_DECLS

/*
 * Makes a block buffer of a block.
 *
 * structureAllocator  ignored.
 * memoryBlock         the block, which is the buffer's from now on; NULL: one is
 * allocated when it is needed. blockLength         bytes of the block, 1 or more.
 * blockAllocator      where it comes from and goes to; NULL: the program's malloc() and
 *                     free(); kCFAllocatorNull: memoryBlock stays the caller's.
 * customBlockSource   instead of the allocator; NULL: none. Copied.
 * offsetToData        where in the block the buffer begins, below blockLength.
 * dataLength          its bytes; with the offset, not beyond blockLength. 0: the rest.
 * flags               kCMBlockBufferAssureMemoryNowFlag; others are ignored.
 * newBBufOut          where it is stored; untouched on failure, and memoryBlock is the
 *                     caller's.
 *
 * Returns kCMBlockBufferNoErr or one of the above.
 * Realtime: no. Threads: any. Source: Core Media, CMBlockBufferCreateWithMemoryBlock.
 */
RTM_API int32_t CMBlockBufferCreateWithMemoryBlock(
	rtm_cf_allocator_ref structureAllocator, void *memoryBlock, size_t blockLength,
	rtm_cf_allocator_ref blockAllocator,
	const CMBlockBufferCustomBlockSource *customBlockSource, size_t offsetToData,
	size_t dataLength, CMBlockBufferFlags flags, CMBlockBufferRef *newBBufOut);

/*
 * Makes one that is a part of another, which lives as long.
 *
 * targetBuffer  the other.
 * offsetToData, dataLength, flags, newBBufOut  as above, of its data.
 *
 * Returns as above. Realtime: no. Threads: any. Source: Core Media,
 * CMBlockBufferCreateWithBufferReference.
 */
RTM_API int32_t CMBlockBufferCreateWithBufferReference(
	rtm_cf_allocator_ref structureAllocator, CMBlockBufferRef targetBuffer,
	size_t offsetToData, size_t dataLength, CMBlockBufferFlags flags,
	CMBlockBufferRef *newBBufOut);

/*
 * The same, of bytes in one piece, which they are: the two differ only with
 * kCMBlockBufferAlwaysCopyDataFlag, when the bytes are copied to a block of its own.
 * Parameters as of the other two. Returns as above; also
 * kCMBlockBufferUnallocatedBlockErr: there is nothing to copy yet. Realtime: no. Threads:
 * any. Source: Core Media, CMBlockBufferCreateContiguous.
 */
RTM_API int32_t CMBlockBufferCreateContiguous(rtm_cf_allocator_ref structureAllocator,
	CMBlockBufferRef sourceBuffer, rtm_cf_allocator_ref blockAllocator,
	const CMBlockBufferCustomBlockSource *customBlockSource, size_t offsetToData,
	size_t dataLength, CMBlockBufferFlags flags, CMBlockBufferRef *newBBufOut);

/*
 * Allocates its block now, if it has none.
 * Returns kCMBlockBufferNoErr; kCMBlockBufferBlockAllocationFailedErr,
 * kCMBlockBufferBadPointerParameterErr. Realtime: as the allocator's. Threads: any.
 * Source: Core Media, CMBlockBufferAssureBlockMemory.
 */
RTM_API int32_t CMBlockBufferAssureBlockMemory(CMBlockBufferRef theBuffer);

/*
 * Where its bytes are, from an offset on.
 *
 * offset            below the buffer's length.
 * lengthAtOffset    how many there are from there; may be NULL.
 * totalLength       how many there are in all; may be NULL.
 * dataPointer       where they are; may be NULL.
 *
 * Returns kCMBlockBufferNoErr; kCMBlockBufferBadOffsetParameterErr,
 * kCMBlockBufferUnallocatedBlockErr, kCMBlockBufferBadPointerParameterErr.
 * Realtime: yes. Threads: any. Source: Core Media, CMBlockBufferGetDataPointer.
 */
RTM_API int32_t CMBlockBufferGetDataPointer(CMBlockBufferRef theBuffer, size_t offset,
	size_t *lengthAtOffset, size_t *totalLength, char **dataPointer);

/*
 * The same, of `length` bytes; temporaryBlock is never needed, and may not be NULL.
 * Returns as above, and kCMBlockBufferBadLengthParameterErr. Realtime: yes. Threads: any.
 * Source: Core Media, CMBlockBufferAccessDataBytes.
 */
RTM_API int32_t CMBlockBufferAccessDataBytes(CMBlockBufferRef theBuffer, size_t offset,
	size_t length, void *temporaryBlock, char **returnedPointer);

/*
 * Copies bytes out of it; in (its memory is allocated, if it has none); or sets them to
 * one value.
 *
 * offset, dataLength  in bytes; together not beyond its end. dataLength 1 or more; 0 in
 *                     CMBlockBufferFillDataBytes(): the rest.
 *
 * Returns as above, and kCMBlockBufferBlockAllocationFailedErr.
 * Realtime: yes, when it has memory; copies. Threads: any, of one buffer as of memory.
 * Source: Core Media, CMBlockBufferCopyDataBytes, CMBlockBufferReplaceDataBytes,
 * CMBlockBufferFillDataBytes.
 */
RTM_API int32_t CMBlockBufferCopyDataBytes(CMBlockBufferRef theSourceBuffer,
	size_t offsetToData, size_t dataLength, void *destination);
RTM_API int32_t CMBlockBufferReplaceDataBytes(const void *sourceBytes,
	CMBlockBufferRef destinationBuffer, size_t offsetIntoDestination,
	size_t dataLength);
RTM_API int32_t CMBlockBufferFillDataBytes(char fillByte,
	CMBlockBufferRef destinationBuffer, size_t offsetIntoDestination,
	size_t dataLength);

/*
 * Its length in bytes, 0 when it is no block buffer; whether a range lies in it, and so
 * in one piece (length 0: to the end), 1 or 0; whether it has no bytes, which is only
 * true of what is none; and what CFGetTypeID() says of it. Realtime: yes. Threads: any.
 * Source: Core Media, CMBlockBufferGetDataLength, CMBlockBufferIsRangeContiguous,
 * CMBlockBufferIsEmpty, CMBlockBufferGetTypeID.
 */
RTM_API size_t CMBlockBufferGetDataLength(CMBlockBufferRef theBuffer);
RTM_API unsigned char CMBlockBufferIsRangeContiguous(
	CMBlockBufferRef theBuffer, size_t offset, size_t length);
RTM_API unsigned char CMBlockBufferIsEmpty(CMBlockBufferRef theBuffer);
RTM_API unsigned long CMBlockBufferGetTypeID(void);

RTM_END_DECLS

#endif
