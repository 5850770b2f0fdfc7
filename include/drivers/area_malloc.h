/* SPDX-License-Identifier: MIT */
/*
 * area_malloc.h - the area_malloc module of BeOS drivers, on Linux
 *
 * Pools as create_area() makes areas: where, locked how, shared how. The module is the
 * historical interface; the rtm_area_ functions are the same calls for those who want
 * no module, and what the module lacked.
 *
 * Comments have the order described in <media/RealtimeAlloc.h>. See rtmem_compat(3).
 */
#ifndef DRIVERS_AREA_MALLOC_H
#define DRIVERS_AREA_MALLOC_H

#include "../rtmem_decl.h"
#include "../support/SupportDefs.h"

#define B_AREA_MALLOC_MODULE_NAME "generic/area_malloc/v1"

#ifndef B_ENTRY_NOT_FOUND
#define B_ENTRY_NOT_FOUND (-ENOENT)
#endif

/* Where the area is to be. */
#define B_ANY_ADDRESS		   0 /* anywhere */
#define B_EXACT_ADDRESS		   1 /* exactly there */
#define B_BASE_ADDRESS		   2 /* there or higher */
#define B_CLONE_ADDRESS		   3 /* only for clone_area(): refused */
#define B_ANY_KERNEL_ADDRESS	   4 /* anywhere: there is no kernel space to be in */
#define B_ANY_KERNEL_BLOCK_ADDRESS 5 /* the same, of huge pages where they can be had */

/* How it is locked. */
#define B_NO_LOCK    0
#define B_LAZY_LOCK  1 /* as pages are touched: all are, so as far as the limits allow */
#define B_FULL_LOCK  2 /* all of it, or no pool */
#define B_CONTIGUOUS 3 /* all of it, in one piece of RAM, or no pool */
#define B_LOMEM	     4 /* B_CONTIGUOUS below 16 MiB, or no pool */

/* What others may do with it. The maker of a pool always reads and writes. */
#define B_READ_AREA	 1
#define B_WRITE_AREA	 2
#define B_CLONEABLE_AREA 0x100 /* others may have it at all: rtm_area_descriptor() */

typedef struct module_info {
	const char *name;
	uint32 flags;
	status_t (*std_ops)(int32 op, ...);
} module_info;

/*
 * create_pool  addressSpec B_ANY_ADDRESS and the kernel variants, or B_BASE_ADDRESS; the
 *              others cannot be satisfied without an address. size in bytes, 1 .. 4 GiB -
 *              64 KiB, rounded up to pages; one block of that size fits. lockSpec and
 *              protection as above. Returns the pool's identifier; NULL on failure.
 *              Realtime: no.
 * delete_pool  deletes a pool with all its blocks; no other call may be using it. B_OK;
 *              B_ERROR: it is no pool. Realtime: no.
 * malloc, calloc, realloc
 *              as in C, from that pool. NULL, and errno ENOMEM: no room in it; EINVAL:
 *              poolID is no pool. realloc() to 0 frees and returns NULL. Realtime: yes.
 * free         NULL does nothing. Realtime: yes.
 *
 * A block that is not of that pool is the caller's bug: one line on standard error, then
 * abort(). Threads: any, but delete_pool() as said. Source: Be Book, The area_malloc
 * Module.
 */
typedef struct area_malloc_module_info {
	module_info module;
	const void *(*create_pool)(
		uint32 addressSpec, size_t size, uint32 lockSpec, uint32 protection);
	status_t (*delete_pool)(const void *poolID);
	void *(*malloc)(const void *poolID, size_t size);
	void *(*calloc)(const void *poolID, size_t numMembers, size_t size);
	void *(*realloc)(const void *poolID, void *ptr, size_t size);
	void (*free)(const void *poolID, void *ptr);
} area_malloc_module_info;

RTM_BEGIN_DECLS

/*
 * Opens a module. The names are macros: a program may have functions so called.
 *
 * path    B_AREA_MALLOC_MODULE_NAME.
 * module  where the structure is stored; untouched on failure.
 *
 * Returns B_OK;
 *   B_BAD_VALUE        path or module is NULL
 *   B_ENTRY_NOT_FOUND  there is no such module
 * Realtime: no. Threads: any. Source: BeOS, module.h.
 */
RTM_API status_t rtm_get_module(const char *path, module_info **module);

/*
 * Puts it away. With the last user go all pools that were made through the module.
 *
 * Returns B_OK;
 *   B_BAD_VALUE        path is NULL
 *   B_ENTRY_NOT_FOUND  it is no module, or nobody has it open
 * Realtime: no. Threads: any. Source: BeOS, module.h.
 */
RTM_API status_t rtm_put_module(const char *path);

#ifndef RTM_NO_MODULE
#define get_module rtm_get_module
#define put_module rtm_put_module
#endif

/*
 * As the module's functions, but pools live until they are deleted, and have an address:
 * with B_EXACT_ADDRESS and B_BASE_ADDRESS, a multiple of 4096; else ignored. The first
 * block lies at most 64 KiB behind it. With B_EXACT_ADDRESS there is no pool where
 * something else is; with B_BASE_ADDRESS 64 places are tried, from there upwards, each
 * one pool further.
 *
 * Returns, Realtime, Threads: as above. Source: as above; the address is create_area()'s.
 */
RTM_API const void *rtm_area_create_pool(void *address, uint32 addressSpec, size_t size,
	uint32 lockSpec, uint32 protection);
RTM_API status_t rtm_area_delete_pool(const void *poolID);
RTM_API void *rtm_area_malloc(const void *poolID, size_t size);
RTM_API void *rtm_area_calloc(const void *poolID, size_t numMembers, size_t size);
RTM_API void *rtm_area_realloc(const void *poolID, void *ptr, size_t size);
RTM_API void rtm_area_free(const void *poolID, void *ptr);

/*
 * A descriptor of the pool's memory, as rtm_pool_descriptor() in <rtmem.h>: others map it
 * read-only, or read-write if the protection had B_WRITE_AREA. A block lies at
 * rtm_offset_of() in it.
 *
 * Returns the descriptor, the caller's to close;
 *   B_ERROR  it is no pool, or was made without B_CLONEABLE_AREA
 * Realtime: no. Threads: any.
 */
RTM_API int rtm_area_descriptor(const void *poolID);

RTM_END_DECLS

#endif
