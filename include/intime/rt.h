/* SPDX-License-Identifier: MIT */
/*
 * rt.h - physically contiguous memory, with the calls of the INtime SDK, on Linux
 *
 * AllocateRtMemoryEx() gives pages that lie side by side in RAM, between two physical
 * addresses, aligned there. Where they lie was looked up, not hoped for: the memory is
 * locked and pinned, and looked at again, before it is returned. A fork leaves it
 * where it is; a child has a copy, or nothing, in its place.
 *
 * Physical addresses are the kernel's to tell: it tells them to CAP_SYS_ADMIN. Without
 * that, at most 2 MiB can be had and no filter can be satisfied; the call then fails with
 * E_MEM, and one line on standard error names what is missing.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef INTIME_RT_H
#define INTIME_RT_H

#include <stdint.h>

#include "../rtmem_decl.h"

typedef void *PVOID;
typedef void *LPVOID;
typedef uint8_t BOOLEAN;
typedef uint32_t DWORD;
typedef uint64_t QWORD;

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#define E_OK	0x0000 /* no exceptional conditions occurred */
#define E_MEM	0x0002 /* there is not that much physical memory that lies so */
#define E_VMEM	0x00F0 /* the process has no room in its address space */
#define E_PARAM 0x8004 /* an argument is wrong */

/* What the calls that return an address return when there is none. */
#define BAD_RTPHYSADDR	 0xFFFFFFFFu
#define BAD_RTPHYSADDREX 0xFFFFFFFFFFFFFFFFull

RTM_BEGIN_DECLS

/*
 * Allocates contiguous memory.
 *
 * cbSize        bytes, not 0; rounded up to a multiple of 4096.
 * qwLowFilter   physical address at or above which all of it lies.
 * qwHighFilter  physical address below which all of it lies, not below qwLowFilter; all
 *               bits set: anywhere.
 * cbAlignment   physical alignment, a multiple of 4096; 0: 4096.
 *
 * Returns the memory, on a page of its own, zeroed; NULL on failure, and GetLastRtError()
 *   E_MEM    no such memory was found (the filters only filter: nobody can ask the kernel
 *            for an address), or it may not be locked, pinned or looked up
 *   E_VMEM   the address space of the process has no room
 *   E_PARAM  cbSize is 0, qwLowFilter is above qwHighFilter, or cbAlignment is not a
 *            multiple of 4096
 * Realtime: no; up to seconds for tens of MiB. Threads: any. Source: INtime SDK,
 * AllocateRtMemoryEx.
 */
RTM_API PVOID AllocateRtMemoryEx(
	DWORD cbSize, QWORD qwLowFilter, QWORD qwHighFilter, DWORD cbAlignment);

/*
 * As AllocateRtMemoryEx(cbSize, 0, all bits set, 0).
 * Realtime: no. Threads: any. Source: INtime SDK, AllocateRtMemory.
 */
RTM_API PVOID AllocateRtMemory(DWORD cbSize);

/*
 * Frees what AllocateRtMemoryEx() returned.
 *
 * Returns TRUE; FALSE on failure, and GetLastRtError()
 *   E_PARAM  pMemory is not the start of such memory, was freed already, or belongs to
 *            the parent of this process
 *
 * Realtime: no. Threads: any. Source: INtime SDK, FreeRtMemory.
 */
RTM_API BOOLEAN FreeRtMemory(PVOID pMemory);

/*
 * The physical address of a byte, also inside a block, and of any other memory that is
 * present (where it may be another the next moment).
 *
 * Returns the address; BAD_RTPHYSADDREX on failure, and GetLastRtError()
 *   E_PARAM  nothing is there
 *   E_MEM    the kernel does not tell without CAP_SYS_ADMIN
 * Realtime: no. Threads: any. Source: INtime SDK, GetRtPhysicalAddressEx.
 */
RTM_API QWORD GetRtPhysicalAddressEx(PVOID pMemory);

/*
 * The same in 32 bits: BAD_RTPHYSADDR and E_PARAM also when the address has more.
 * Realtime: no. Threads: any. Source: INtime SDK, GetRtPhysicalAddress.
 */
RTM_API DWORD GetRtPhysicalAddress(PVOID pMemory);

/*
 * The status of the calling thread's last call above; each call sets it, E_OK included.
 * Realtime: yes. Threads: any; speaks of the calling one. Source: INtime SDK.
 */
RTM_API DWORD GetLastRtError(void);

RTM_END_DECLS

#endif
