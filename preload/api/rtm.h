/* SPDX-License-Identifier: MIT */
/*
 * rtm.h - what the files of the native API share
 *
 * rtm.c blocks · rtm_extensions.c what BeOS lacked · rtm_tag.c tags · rtm_pool.c pools
 * and the default pool · rtm_limit.c their size is a limit · rtm_attr.c pools by
 * attributes · rtm_debug.c MALLOC_DEBUG · rtm_media.c threads and objects. All of them
 * are a boundary: arguments are checked, the work is done below, and what leaves is a
 * documented status.
 */
#ifndef RTM_H
#define RTM_H

#include <stdbool.h>

#include "policy/model/policy.h"
#include "engine/pools.h"
#include "rtmem.h"

/* A pool cannot be larger: the engine counts a block in 28 bits of 16 bytes. */
#define RTM_TOTAL_MAX ((4UL << 30) - (64UL << 10))

/* Call it before an object of the API is made. The library handles forks from then on.
 * child: repairs the state of the caller's file in the child of a fork; NULL: there is
 * none. */
void rtm_begin(void (*child)(void));

/* Section [realtime], or its defaults. */
const struct policy_realtime *rtm_realtime(void);

/*
 * The pool a handle stands for: itself; NULL: the default pool, or NULL when there is
 * none; after a fork, in the child, the pool that took its place (made now if there is
 * none). NULL when the handle is no pool, or its replacement could not be made. Realtime:
 * yes, but for the first use after a fork.
 */
struct pool *rtm_pool_use(rtm_pool *handle);
/* As above, and the default pool is made when there is none. */
struct pool *rtm_pool_need(rtm_pool *handle);

/* A block of size bytes, 0 included. NULL when the pool is full; errno untouched.
 * Realtime: yes. align: power of two, 0: natural. */
void *rtm_take(struct pool *p, size_t size, size_t align);
/* The same, booked on a tag that exists. */
struct tag;
void *rtm_take_tagged(struct pool *p, size_t size, struct tag *tag);

/* A block of size or 1 bytes, only if nobody is inside the pool; errno as
 * rtm_alloc_nowait(). Realtime: yes. */
void *rtm_take_nowait(rtm_pool *pool, size_t size);

/* *size becomes what to ask the engine for, so that never more bytes are handed out of
 * the pool than it was made for. False: more than that. Realtime: yes (these three). */
bool rtm_limit(const struct pool *p, size_t *size);
/* The most bytes that can be asked for where the engine has a block of `room`. */
size_t rtm_limit_most(const struct pool *p, size_t room);
/* Free bytes, less the header of the block they could be. */
size_t rtm_limit_available(struct pool *p);

/* Makes a pool of the native API; 0 or a status. */
status_t rtm_pool_make(const struct pool_attr *attr, struct pool **out);

/* enum area_flags of a pool that shall be locked so. */
unsigned rtm_lock_flags(enum rtm_lock lock);

/* Contiguous memory (phys.h), remembered until it is dropped. 0 or a negative errno, and
 * phys_why(). Not on the realtime path. */
struct phys_want;
int rtm_contiguous_make(const struct phys_want *want, void **out);
/* False: it is not the start of such memory of this process. */
bool rtm_contiguous_drop(const void *block);

/* The pool of this index is about to go: its descriptor with it. */
void rtm_share_forget(int index);

/* What MALLOC_DEBUG asks for at each event; each does nothing at level 0. */
void rtm_debug_pool_made(struct pool *p);
void rtm_debug_allocated(struct pool *p, void *block, size_t from, size_t to);
void rtm_debug_freeing(struct pool *p, void *block);
void rtm_debug_check(struct pool *p); /* level 2: the whole pool; aborts if broken */

#endif
