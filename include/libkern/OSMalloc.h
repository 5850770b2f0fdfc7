/* SPDX-License-Identifier: MIT */
/*
 * OSMalloc.h - tagged memory with the calls of the Mac OS X kernel, on Linux
 *
 * Every block belongs to a tag, which has a name and counts its blocks and bytes (see
 * rtm_each_tag() in <rtmem.h>). Wired memory comes from pools that are locked in RAM and
 * touched, pageable memory from pools that are not.
 *
 * A caller's bug is a panic here as there: one line on standard error, then abort().
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef LIBKERN_OSMALLOC_H
#define LIBKERN_OSMALLOC_H

#include <stdint.h>

#include "../rtmem_decl.h"

typedef struct __OSMallocTag__ *OSMallocTag;
typedef struct __OSMallocTag__ *OSMallocTag_t;

#define OSMT_DEFAULT  0x00 /* all blocks in wired memory */
#define OSMT_PAGEABLE 0x01 /* blocks of a page or more in pageable memory */

RTM_BEGIN_DECLS

/*
 * Creates a tag. Two tags may have the same name. With the first come the first pool, and
 * the library's own thread.
 *
 * name   copied, cut after 63 bytes; NULL: no name.
 * flags  OSMT_DEFAULT or OSMT_PAGEABLE.
 *
 * Returns the tag; NULL when flags has other bits, or there is no memory.
 * Realtime: no. Threads: any. Source: Mac OS X Reference Library, OSMalloc.h.
 */
RTM_API OSMallocTag OSMalloc_Tagalloc(const char *name, uint32_t flags);

/*
 * Frees a tag. Panics when blocks of it exist, and when tag is no tag.
 * Realtime: no. Threads: any. Source: as above.
 */
RTM_API void OSMalloc_Tagfree(OSMallocTag tag);

/*
 * Allocates a block.
 *
 * size  bytes, not 0.
 * tag   the tag it is counted on; its flags decide which memory. Panics when it is no
 * tag.
 *
 * Returns the block, aligned to 16 bytes, its content undefined; NULL when size is 0,
 * there is no memory, or it may not be locked (one line says so, once). Realtime: no; may
 * make another pool. Threads: any. Source: as above.
 */
RTM_API void *OSMalloc(uint32_t size, OSMallocTag tag);

/*
 * As OSMalloc(), but NULL also when it would have to wait for another thread or to ask
 * the system for memory. What was refused for lack of memory, the library's own thread
 * makes a pool for within some 50 ms, as far as the limits allow: a later call finds it.
 * Both names are the same call.
 * Realtime: yes; no system call but gettid(2) at a thread's first. Threads: any. Source:
 * as above.
 */
RTM_API void *OSMalloc_noblock(uint32_t size, OSMallocTag tag);
RTM_API void *OSMalloc_nowait(uint32_t size, OSMallocTag tag);

/*
 * Frees a block. Panics when addr is not such a block, was freed already, or was not
 * allocated with this size and this tag.
 * Realtime: yes; waits for nobody. Threads: any. Source: as above.
 */
RTM_API void OSFree(void *addr, uint32_t size, OSMallocTag tag);

RTM_END_DECLS

#endif
