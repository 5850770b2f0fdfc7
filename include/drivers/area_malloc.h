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

#include "../kernel/OS.h"
#include "module.h"

#define B_AREA_MALLOC_MODULE_NAME "generic/area_malloc/v1"

/*
 * create_pool  addressSpec, lockSpec and protection as in <kernel/OS.h>; of addressSpec
 *              those that name an address cannot be satisfied without one. size in bytes,
 *              1 .. 4 GiB - 64 KiB, rounded up to pages: the most that can be allocated;
 *              one block of that size fits. protection 0, which drivers pass, is what
 *              only the kernel may use: nobody but the maker. Returns the pool's
 *              identifier; NULL on failure. Realtime: no.
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
	module_info minfo;
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
 * read-only, or read-write if the protection had B_WRITE_AREA or B_KERNEL_WRITE_AREA. A
 * block lies at rtm_offset_of() in it.
 *
 * Returns the descriptor, the caller's to close;
 *   B_ERROR  it is no pool, or was made without B_CLONEABLE_AREA
 * Realtime: no. Threads: any.
 */
RTM_API int rtm_area_descriptor(const void *poolID);

RTM_END_DECLS

#endif
