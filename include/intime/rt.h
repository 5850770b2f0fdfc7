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
 * E_MEM, and one line on standard error names what is missing. A single page without the
 * privilege, where its address cannot be asked for, is locked, and pinned where that is
 * allowed.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef INTIME_RT_H
#define INTIME_RT_H

#include <stdint.h>

#include "../rtmem_decl.h"

#ifndef VOID
#define VOID void
#endif
typedef void *PVOID;
typedef void *LPVOID;
typedef char *LPSTR;
typedef uint8_t BYTE;
typedef uint8_t BOOLEAN;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef uint64_t QWORD;
typedef uint16_t
	RTHANDLE; /* names an object: memory that is shared, a thread, a process */

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#define NULL_RTHANDLE ((RTHANDLE)0)	 /* as a process: the calling one */
#define BAD_RTHANDLE  ((RTHANDLE)0xFFFF) /* what calls return when there is none */

/* Milliseconds of a wait. */
#define NO_WAIT	     0u
#define WAIT_FOREVER 0xFFFFFFFFu

/* What GetLastRtError() tells. Those without a remark are never set here. */
#define E_OK		       0x0000 /* no exceptional conditions occurred */
#define E_TIME		       0x0001 /* nothing of that name came in time */
#define E_MEM		       0x0002 /* there is not that much physical memory that lies so */
#define E_BUSY		       0x0003
#define E_LIMIT		       0x0004 /* the directory is full */
#define E_CONTEXT	       0x0005 /* the name is there already; or is not there */
#define E_EXIST		       0x0006 /* there is no such object */
#define E_STATE		       0x0007
#define E_NOT_CONFIGURED       0x0008
#define E_INTERRUPT_SATURATION 0x0009
#define E_INTERRUPT_OVERFLOW   0x000A
#define E_TRANSMISSION	       0x000B
#define E_SLOT		       0x000C /* there are as many objects as can be */
#define E_INVALID_ADDRESS      0x00E2
#define E_VMEM		       0x00F0 /* the process has no room in its address space */
#define E_ZERO_DIVIDE	       0x8000
#define E_OVERFLOW	       0x8001
#define E_TYPE		       0x8002 /* the object is of another type */
#define E_PARAM		       0x8004 /* an argument is wrong */
#define E_BAD_CALL	       0x8005
#define E_ARRAY_BOUNDS	       0x8006
#define E_NDP_ERROR	       0x8007
#define E_ILLEGAL_OPCODE       0x8008
#define E_EMULATOR_TRAP	       0x8009
#define E_CHECK_EXCEPTION      0x800A
#define E_CPUXFER_DATA_LIMIT   0x800B
#define E_PROTECTION	       0x800D
#define E_NOT_PRESENT	       0x800E
#define E_BAD_ADDR	       0x800F /* the name is NULL */

/* Types of objects: GetRtHandleType(). */
#define INVALID_TYPE   0
#define PROCESS_TYPE   1
#define THREAD_TYPE    2
#define MAILBOX_TYPE   3 /* there are none of these three here */
#define SEMAPHORE_TYPE 4
#define REGION_TYPE    5
#define SEGMENT_TYPE   6

/* GetRtThreadHandles(): whose handle. */
#define THIS_THREAD	 0
#define THIS_PROCESS	 1
#define PARAMETER_OBJECT 2 /* there is none */
#define ROOT_PROCESS	 3

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
 *            for an address, so what is free is looked at), or it may not be locked,
 * pinned or looked up E_VMEM   the address space of the process has no room E_PARAM
 * cbSize is 0, qwLowFilter is above qwHighFilter, or cbAlignment is not a multiple of
 * 4096 Realtime: no; up to seconds for tens of MiB. Threads: any. Source: INtime SDK,
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
 * Frees what AllocateRtMemoryEx() returned, or ends a mapping of MapRtSharedMemory(): of
 * as many calls as there were of these two with the same address, the last one frees.
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

/*
 * Names memory, so that another thread can have it by its handle. INtime shares it with
 * other processes, too; here an object is one process's: what was several is threads of
 * one program.
 *
 * pMemory  any memory, usually AllocateRtMemory()'s; not NULL.
 * cbSize   bytes, 1 or more.
 *
 * Returns the handle, a new one each time; BAD_RTHANDLE on failure, and GetLastRtError()
 *   E_PARAM  pMemory is NULL, or cbSize is 0
 *   E_SLOT   there are 1022 objects
 * Realtime: no. Threads: any. Source: INtime SDK, CreateRtMemoryHandle.
 */
RTM_API RTHANDLE CreateRtMemoryHandle(PVOID pMemory, DWORD cbSize);

/*
 * Takes the handle away. The memory and its mappings stay, and so do its names, which
 * name nothing from then on.
 *
 * Returns TRUE; FALSE on failure, and GetLastRtError()
 *   E_EXIST  there is no such object
 *   E_TYPE   it is not of CreateRtMemoryHandle()
 * Realtime: no. Threads: any. Source: INtime SDK, DeleteRtMemoryHandle.
 */
RTM_API BOOLEAN DeleteRtMemoryHandle(RTHANDLE hMemory);

/*
 * Maps memory by its handle: at the address it has, as there is one address space. The
 * memory of AllocateRtMemory() lives until each mapping was given to FreeRtMemory(), too.
 *
 * Returns the address; NULL on failure, and GetLastRtError()
 *   E_EXIST  there is no such object
 *   E_TYPE   it is no memory
 *   E_VMEM   256 addresses are mapped
 * Realtime: no. Threads: any. Source: INtime SDK, MapRtSharedMemory.
 */
RTM_API PVOID MapRtSharedMemory(RTHANDLE hMemory);

/*
 * The bytes CreateRtMemoryHandle() was told; 0 on failure, and GetLastRtError() E_EXIST
 * or E_TYPE. Realtime: no. Threads: any. Source: INtime SDK.
 */
RTM_API DWORD GetRtSize(RTHANDLE hMemory);

/*
 * What an object is: one of the types above; INVALID_TYPE when there is no such object
 * (any more; a thread that has ended, too), and GetLastRtError() E_EXIST.
 * Realtime: no. Threads: any. Source: INtime SDK, GetRtHandleType.
 */
RTM_API WORD GetRtHandleType(RTHANDLE hObject);

/*
 * The handle of the calling thread, of its process, or of the root process, which here is
 * only another directory of names.
 *
 * bySelection  THIS_THREAD, THIS_PROCESS or ROOT_PROCESS.
 *
 * Returns the handle; NULL_RTHANDLE for PARAMETER_OBJECT; BAD_RTHANDLE on failure, and
 * GetLastRtError()
 *   E_PARAM  bySelection is another value
 *   E_SLOT   there are 1022 objects
 * Realtime: no. Threads: any. Source: INtime SDK, GetRtThreadHandles.
 */
RTM_API RTHANDLE GetRtThreadHandles(BYTE bySelection);

/*
 * Gives an object a name in the directory of a process. It may have several.
 *
 * hProcess  the process's handle, the root's, or NULL_RTHANDLE.
 * hObject   an object, or NULL_RTHANDLE.
 * lpszName  1 .. 14 bytes (INtime's book says 12, its callers 14); copied.
 *
 * Returns TRUE; FALSE on failure, and GetLastRtError()
 *   E_BAD_ADDR  lpszName is NULL
 *   E_PARAM     it has not 1 .. 14 bytes
 *   E_EXIST     hProcess or hObject is no object
 *   E_TYPE      hProcess is no process
 *   E_CONTEXT   the directory has that name already
 *   E_LIMIT     there are 256 names
 * Realtime: no. Threads: any. Source: INtime SDK, CatalogRtHandle.
 */
RTM_API BOOLEAN CatalogRtHandle(
	RTHANDLE hProcess, RTHANDLE hObject, const char *lpszName);

/*
 * Takes the name away.
 *
 * Returns TRUE; FALSE on failure, and GetLastRtError() as above, but
 *   E_CONTEXT   the directory has no such name
 * Realtime: no. Threads: any. Source: INtime SDK, UncatalogRtHandle.
 */
RTM_API BOOLEAN UncatalogRtHandle(RTHANDLE hProcess, const char *lpszName);

/*
 * The object of that name, which may not be there any more: GetRtHandleType() tells.
 *
 * dwMilliseconds  how long to wait for somebody to catalog it; NO_WAIT, WAIT_FOREVER.
 *
 * Returns the handle; BAD_RTHANDLE on failure, and GetLastRtError() as above, but
 *   E_TIME      nothing of that name came in time
 * Realtime: no. Threads: any. Source: INtime SDK, LookupRtHandle.
 */
RTM_API RTHANDLE LookupRtHandle(
	RTHANDLE hProcess, const char *lpszName, DWORD dwMilliseconds);

RTM_END_DECLS

#endif
