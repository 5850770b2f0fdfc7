/* SPDX-License-Identifier: MIT */
/*
 * RealtimeAlloc.h - the realtime allocator of the BeOS Media Kit, on Linux
 *
 * A POOL is memory that is locked in RAM and already touched when rtm_create_pool()
 * returns. Blocks of it are handed out and taken back in a bounded number of
 * instructions, without a system call and without a page fault.
 *
 * Every comment below has the same order: what it does; parameters with unit and range;
 * Returns; Realtime: may it be called where a deadline holds; Threads: who may call it at
 * once; Source: the document it follows. No function throws, and none changes errno
 * unless it says so. "Any pointer" is meant literally: what is not ours is refused, not
 * followed.
 *
 * The environment variable MALLOC_DEBUG is read once, at the first call (and ignored in
 * set-user-ID programs). Unset or 0: off. Anything else: memory of a fresh pool is filled
 * with 0x7b, a new block with 0x7f, a freed one with 0x7d. A number above 1: every call
 * also validates the pool, its heap and the block; a broken one is named on standard
 * error and the program is aborted. With MALLOC_DEBUG the calls are no longer bounded.
 *
 * See rtm_alloc(3). What BeOS did not have is in <rtmem.h>.
 */
#ifndef _REALTIME_ALLOC_H
#define _REALTIME_ALLOC_H

#include "../rtmem_decl.h"
#include "../support/SupportDefs.h"

/* The kind of media is not switched on in section [realtime] of the policy. */
#ifndef B_MEDIA_REALTIME_DISABLED
#define B_MEDIA_REALTIME_DISABLED (-EOPNOTSUPP)
#endif
/* The system would not lock the memory (RLIMIT_MEMLOCK, see rtmem.conf(5)). */
#ifndef B_MEDIA_REALTIME_UNAVAILABLE
#define B_MEDIA_REALTIME_UNAVAILABLE (-EAGAIN)
#endif

/* Kinds of realtime media: the switches of section [realtime] of the policy. */
enum {
	B_MEDIA_REALTIME_ALLOCATOR = 0x1, /* allocator: rtm pools are locked */
	B_MEDIA_REALTIME_AUDIO = 0x2,	  /* audio: threads and objects that play sound */
	B_MEDIA_REALTIME_VIDEO = 0x4,	  /* video: threads and objects that show film */
	B_MEDIA_REALTIME_ANYKIND = 0xffff
};

/* Flags of rtm_create_pool_etc(). */
enum {
	B_RTM_FORCE_LOCKED = 0x1,  /* lock all, or fail; overrides the policy */
	B_RTM_FORCE_UNLOCKED = 0x2 /* do not lock; overrides the policy */
};

RTM_BEGIN_DECLS

typedef struct rtm_pool rtm_pool;

/*
 * Makes a pool and touches all of it. It is locked when `allocator` is on in section
 * [realtime] of the policy (the default); what the limits do not allow to lock is left
 * unlocked, counted, and reported in one line that says what to change.
 *
 * out_pool    where the pool is stored; untouched on failure. NULL: the default pool is
 *             made, unless there is one.
 * total_size  bytes, 1 .. 4 GiB - 64 KiB: the most that can be allocated from the pool at
 *             a time, to the byte. One block of this size always fits in the fresh pool;
 *             of several, each takes 8 bytes and up to 15 for rounding off it, so they
 *             come to less.
 * name        for messages and statistics, cut after 63 bytes; copied. NULL: no name.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   total_size is 0
 *   B_NO_MEMORY   total_size is above the range, or the system has no room for it
 *   -EALREADY     out_pool is NULL and there is a default pool
 * Realtime: no. Threads: any. Source: BeOS R5, Real Time Functions.
 */
RTM_API status_t rtm_create_pool(
	rtm_pool **out_pool, size_t total_size, const char *name RTM_DEFAULT(NULL));

/*
 * As rtm_create_pool(), with flags: 0, or B_RTM_FORCE_LOCKED or B_RTM_FORCE_UNLOCKED,
 * which override the policy. A forced lock is all or nothing.
 * Arguments after the flags are ignored, as they were in BeOS.
 *
 * Returns also
 *   B_BAD_VALUE   an unknown flag, or both
 *   B_NO_MEMORY   B_RTM_FORCE_LOCKED, and the system would not lock all of it
 * Realtime: no. Threads: any. Source: private header of BeOS R5.
 */
RTM_API status_t rtm_create_pool_etc(
	rtm_pool **out_pool, size_t total_size, const char *name, uint32 flags, ...);

/*
 * Deletes a pool. All its blocks are gone; using one, or the pool, afterwards is refused
 * where it can be recognised. No other thread may be using the pool.
 *
 * pool  a pool that rtm_create_pool() or rtm_pool_create() made.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   pool is NULL, the default pool, a pool of the policy, or no pool at all
 * Realtime: no. Threads: any, but not while the pool is used. Source: BeOS R5, Real Time
 * Functions.
 */
RTM_API status_t rtm_delete_pool(rtm_pool *pool);

/*
 * Allocates a block.
 *
 * pool  the pool; NULL: the default pool, which is made if there is none yet (its size is
 *       `default_pool` in section [realtime] of the policy, 1 MiB by default).
 * size  bytes, any value. 0 gives a block of no bytes that can be freed and resized.
 *
 * Returns the block, aligned to 16 bytes, its content undefined. NULL, and errno is
 *   ENOMEM   the pool is full, or has no free piece of that size; or the default pool
 *            could not be made
 *   EINVAL   pool is not a pool
 * Realtime: yes, but for the call that makes the default pool. Threads: any. Source: BeOS
 * R5, Real Time Functions.
 */
RTM_API void *rtm_alloc(rtm_pool *pool, size_t size);

/*
 * Frees a block of any pool, also one that an interposed malloc() took from a pool.
 * (free() of the C library takes blocks of pools just as well.)
 *
 * data  a block. Any pointer that lies in no pool is refused. Freeing a block twice, or a
 *       pointer into the middle of one, is reported in one line and aborts the program.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   data is NULL, or lies in no pool
 * Realtime: yes; waits for nobody. Threads: any, not only the one that allocated. Source:
 * BeOS R5, Real Time Functions.
 */
RTM_API status_t rtm_free(void *data);

/*
 * Resizes a block. It stays in its pool; it stays where it is while the new size is at
 * most rtm_phys_size_for(*data).
 *
 * data      where the pointer to the block stands; replaced if the block moves. *data
 * NULL: as rtm_alloc() on the default pool. new_size  bytes, any value. 0 frees the block
 * and stores NULL.
 *
 * Returns B_OK; on failure neither *data nor the block is touched:
 *   B_BAD_VALUE   data is NULL, or *data is not a block of a pool
 *   B_NO_MEMORY   the pool is full
 * Realtime: yes, but a block that moves is copied. Threads: any. Source: BeOS R5, Real
 * Time Functions (which prints status_t *; the header never had the asterisk).
 */
RTM_API status_t rtm_realloc(void **data, size_t new_size);

/*
 * The size of a block, exactly as it was last asked for; of a block of malloc() and
 * realloc(), what can be used of it.
 *
 * data  a block of a pool.
 *
 * Returns bytes, 0 or more;
 *   B_BAD_VALUE   data is NULL, or not a block of a pool
 * Realtime: yes. Threads: any. Source: BeOS R5, Real Time Functions, as ssize_t so that
 * sizes above 2 GiB are not errors.
 */
RTM_API ssize_t rtm_size_for(void *data);

/*
 * The physical size of a block: the most bytes it can have without rtm_realloc() moving
 * it. At least rtm_size_for(). The answer may be outdated at once when other threads use
 * the pool.
 *
 * Parameters, returns, realtime, threads, source: as rtm_size_for().
 */
RTM_API ssize_t rtm_phys_size_for(void *data);

/*
 * Free bytes of a pool: what one block could have of them if they lay in one piece, at
 * most the pool's size. The largest free piece may be smaller.
 *
 * pool  a pool; NULL: the default pool.
 *
 * Returns bytes; 0 when there is no such pool.
 * Realtime: yes. Threads: any. Source: Haiku, RealtimeAlloc.cpp.
 */
RTM_API size_t rtm_available(rtm_pool *pool);

/*
 * The default pool, or NULL before it exists.
 * Realtime: yes. Threads: any. Source: BeOS R5, Real Time Functions.
 */
RTM_API rtm_pool *rtm_default_pool(void);

/*
 * The pool a pointer lies in.
 *
 * head   ignored (BeOS: where its search began); may be NULL.
 * block  any pointer.
 *
 * Returns the pool, or NULL when it lies in none.
 * Realtime: yes. Threads: any. Source: private header of BeOS R5.
 */
RTM_API rtm_pool *rtm_get_pool(rtm_pool *head, void *block);

/*
 * Prepares a thread for realtime media: locks and touches its stack. The range is the
 * part in use and the bytes asked for, and nothing else that is mapped around it.
 *
 * thread      as gettid(2) names it, a thread of this process; 0: the calling thread.
 * stack_used  bytes of the stack to lock below what is in use now, as far as it goes; 0:
 *             all of it to its guard page, which for the main thread means what is mapped
 *             now, and which a stack of the program's own making may not have: say how
 *             much. At most 64 MiB count. Pass what profiling shows the thread to use,
 *             typically 32..64 KiB.
 * flags       what the thread is doing: B_MEDIA_REALTIME_AUDIO, _VIDEO or both
 * (_ANYKIND).
 *
 * Returns B_OK;
 *   B_BAD_VALUE                   no such thread
 *   B_MEDIA_REALTIME_DISABLED     no kind in flags is switched on in the policy
 *   B_MEDIA_REALTIME_UNAVAILABLE  the system would not lock all of it; or the stack of
 *                                 another thread was not found, because it never sleeps,
 *                                 is on a stack it made itself (a coroutine's), or is not
 *                                 a thread of libc
 * Realtime: no. Threads: any. Source: BeOS R5, MediaDefs.h.
 */
RTM_API status_t media_realtime_init_thread(
	thread_id thread, size_t stack_used, uint32 flags);

/*
 * Prepares a loaded object for realtime media: locks its code and its data and touches
 * them.
 *
 * image  the object: the address of any function or variable in it, cast to image_id; 0:
 *        the program itself.
 * flags  as above.
 *
 * Returns B_OK;
 *   B_BAD_VALUE                   there is no object at that address
 *   B_MEDIA_REALTIME_DISABLED, B_MEDIA_REALTIME_UNAVAILABLE   as above
 * Realtime: no. Threads: any. Source: BeOS R5, MediaDefs.h.
 */
RTM_API status_t media_realtime_init_image(image_id image, uint32 flags);

RTM_END_DECLS

#endif
