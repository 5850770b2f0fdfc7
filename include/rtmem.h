/* SPDX-License-Identifier: MIT */
/*
 * rtmem.h - what BeOS lacked: attributes of a pool, more ways to allocate, whole sections
 * of code that allocate from a pool, and figures
 *
 * Builds on <media/RealtimeAlloc.h>, whose pools, blocks and status codes these are.
 *
 * A program that wants pools when they can be had and runs as ever when not:
 *
 *	#define RTM_WEAK
 *	#include <rtmem.h>
 *	...
 *	void *p = rtm_loaded() ? rtm_alloc(pool, n) : malloc(n);
 *	...
 *	free(p);			 // right in both cases
 *
 * It is linked with nothing; `rtmem run program` brings the library. A program that
 * insists links -lrtpreload and does not define RTM_WEAK.
 *
 * See rtmem_api(3). Every comment has the order described in <media/RealtimeAlloc.h>.
 */
#ifndef RTMEM_H
#define RTMEM_H

#include "media/RealtimeAlloc.h"

RTM_BEGIN_DECLS

/*
 * The version of the library, "major.minor.patch".
 * Realtime: yes. Threads: any.
 */
RTM_API const char *rtm_version(void);

/*
 * Is the library there? Only ever 0 under RTM_WEAK; nothing else may be called then.
 * Realtime: yes. Threads: any.
 */
static inline int rtm_loaded(void)
{
#ifdef RTM_WEAK
	return rtm_version != NULL;
#else
	return 1;
#endif
}

/* How a pool is locked in RAM. */
enum rtm_lock {
	RTM_LOCK_POLICY,  /* as `allocator` in section [realtime] says: try, or no */
	RTM_LOCK_TRY,	  /* as much as the limits allow; the rest is reported */
	RTM_LOCK_REQUIRE, /* all, or the pool is not made */
	RTM_LOCK_NO
};

/* What malloc() does on a thread that entered the pool when the pool is full. */
enum rtm_full {
	RTM_FULL_MALLOC, /* takes ordinary memory, counted in rtm_stats.full_events */
	RTM_FULL_FAIL	 /* returns NULL, ENOMEM */
};

/* What a fork() elsewhere in the program costs the pool. */
enum rtm_fork {
	RTM_FORK_AUTO, /* no page fault: pages are pinned, or copied before the fork */
	RTM_FORK_COW   /* as ordinary memory: one fault for each page written after it */
};

/* What other processes may do with the pool; see rtm_pool_descriptor(). */
enum rtm_share {
	RTM_SHARE_NO,
	RTM_SHARE_READ, /* map it and read */
	RTM_SHARE_WRITE /* map it, read and write */
};

/*
 * Attributes of a pool. Start from RTM_POOL_ATTR_INIT: fields left at zero are defaults,
 * and a program stays right when later versions add fields at the end.
 */
struct rtm_pool_attr {
	size_t attr_size; /* sizeof(struct rtm_pool_attr) */
	size_t size;	  /* bytes, 1 .. 4 GiB - 64 KiB: locked and touched at once; one
			   * block of this size fits in the fresh pool */
	size_t max;	  /* bytes it may grow to, and never more, ahead of need, by the
			   * library's own thread; up to 4 GiB - 64 KiB. 0, or below size: does
			   * not grow */
	const char *name; /* copied, cut after 63 bytes; NULL: no name */
	void *address; /* where the pool shall begin, a multiple of 4096; NULL: anywhere.
			* The first block lies at most 64 KiB behind it */
	enum rtm_lock lock;
	enum rtm_full when_full;
	enum rtm_fork fork;
	int huge_pages; /* not 0: of huge pages, where they can be had */
	enum rtm_share share;
	int contiguous; /* not 0: in one piece of RAM, locked and pinned there; not with
			 * share, RTM_LOCK_NO, or a max above size */
	uint64_t phys_low, phys_high; /* contiguous: all of it at or above low and below
				       * high; high 0: anywhere above low */
	uint64_t phys_align; /* contiguous: physical alignment, a multiple of 4096; 0:
				4096 */
};

#define RTM_POOL_ATTR_INIT                                                          \
	{                                                                           \
		sizeof(struct rtm_pool_attr), 0, 0, NULL, NULL, RTM_LOCK_POLICY,    \
			RTM_FULL_MALLOC, RTM_FORK_AUTO, 0, RTM_SHARE_NO, 0, 0, 0, 0 \
	}

/*
 * Makes a pool as described.
 *
 * out   where the pool is stored; untouched on failure.
 * attr  see above; copied.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   out or attr is NULL, attr_size is not that of any version of the
 *                 structure, a field this version does not know is not zero, size is 0,
 *                 address is misaligned, an enumeration is out of range
 *   B_NO_MEMORY   size or max is above the range; no room; the address is taken;
 *                 RTM_LOCK_REQUIRE and the system would not lock all of it; contiguous
 * and no such memory was found, or the process may not look for it (one line on standard
 * error says which privilege is missing) Realtime: no; contiguous, up to seconds.
 * Threads: any.
 */
RTM_API RTM_CHECKED status_t rtm_pool_create(
	rtm_pool **out, const struct rtm_pool_attr *attr);

/*
 * A pool by its name: one that the policy defines ([pool NAME]), or one that was made
 * with that name. Of several, the one made first.
 *
 * Returns the pool, or NULL: there is none of this name (yet: the pools of the policy
 * with `commit = match` are made when the first thread matches). Realtime: no. Threads:
 * any.
 */
RTM_API rtm_pool *rtm_pool_named(const char *name);

/*
 * A descriptor of a shared pool's memory, for mmap(2) here or in another process: it
 * survives exec and is the caller's to close. The file is as large as the pool's address
 * space; a block lies at rtm_offset_of() in it. Writing where only reading was granted is
 * refused by the kernel. The memory exists as long as a mapping or descriptor of it does.
 *
 * Returns the descriptor;
 *   B_BAD_VALUE   pool is not a pool, not shared, or its descriptor was closed by the
 *                 program
 *   B_NO_MEMORY   the process has no free descriptor
 * Realtime: no. Threads: any.
 */
RTM_API int rtm_pool_descriptor(rtm_pool *pool);

/*
 * Where a block lies in its pool's memory, in bytes from its beginning: the address it
 * has in another mapping of the pool, less that mapping's address.
 *
 * Returns bytes; B_BAD_VALUE: it is no block of a pool.
 * Realtime: yes. Threads: any.
 */
RTM_API ssize_t rtm_offset_of(const void *block);

/*
 * Memory in one piece of RAM, without a pool: locked, pinned, zeroed, on pages of its
 * own, and where it lies looked up before it is returned. (A pool that lies so:
 * `contiguous` above.) A fork leaves it where it is; a child has a copy, or nothing, in
 * its place.
 *
 * size   bytes, 1 or more; rounded up to a multiple of 4096.
 * low    physical address at or above which all of it lies.
 * high   physical address below which all of it lies, not below low; 0: anywhere above
 *        low.
 * align  physical alignment, a multiple of 4096; 0: 4096.
 *
 * Returns the memory, to be given to rtm_contiguous_free(); NULL and errno
 *   EINVAL   size is 0, low is above high, or align is no multiple of 4096
 *   EPERM    it takes a privilege (CAP_SYS_ADMIN: filters, and more than 2 MiB) or a
 *            setting; one line on standard error says which
 *   ENOMEM   no memory that lies so was found, it may not be locked or pinned (then with
 *            such a line), or the address space has no room
 * Realtime: no; up to seconds for tens of MiB, or where the memory lies low: then most
 * of the free memory above is held for a moment. Threads: any.
 */
RTM_API void *rtm_contiguous_alloc(
	size_t size, uint64_t low, uint64_t high, uint64_t align);

/*
 * Frees it.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   block is not the start of such memory, was freed already, or belongs to
 *                 the parent of this process
 * Realtime: no. Threads: any.
 */
RTM_API status_t rtm_contiguous_free(void *block);

/*
 * The physical address of a byte. It stays that only in memory that is pinned (contiguous
 * memory and pools, and others as far as rtm_stats.pinned goes).
 *
 * Returns B_OK;
 *   B_BAD_VALUE   nothing is at p, or out is NULL
 *   -EPERM        the kernel does not tell without CAP_SYS_ADMIN
 * Realtime: no. Threads: any.
 */
RTM_API RTM_CHECKED status_t rtm_physical_address(const void *p, uint64_t *out);

/* The name of a pool; "" when it has none, NULL when it is no pool. Realtime: yes. */
RTM_API const char *rtm_pool_name(const rtm_pool *pool);

/*
 * As rtm_alloc(), with an alignment.
 *
 * align  bytes, a power of two; 16 and less are the natural alignment.
 *
 * Returns also NULL and errno EINVAL when align is no power of two.
 * Realtime: yes. Threads: any.
 */
RTM_API void *rtm_memalign(rtm_pool *pool, size_t align, size_t size);

/*
 * As rtm_alloc(), of n times size bytes, all zero. A product that overflows is ENOMEM.
 * Realtime: yes, but for the time it takes to zero the block. Threads: any.
 */
RTM_API void *rtm_calloc(rtm_pool *pool, size_t n, size_t size);

/*
 * As rtm_alloc(), but waits for no other thread, not even for the few hundred
 * instructions another may be inside the pool, and never makes the default pool.
 *
 * Returns also NULL and errno
 *   EAGAIN   another thread was inside the pool
 *   ENOMEM   pool is NULL and there is no default pool
 * Realtime: yes; no system call. Threads: any. (rtm_free() never waits either.)
 */
RTM_API void *rtm_alloc_nowait(rtm_pool *pool, size_t size);

/*
 * From here to rtm_leave(), every malloc() and kin of the calling thread takes from this
 * pool. That includes code that was never recompiled, and it overrides the policy. Calls
 * nest, up to 8 deep; the innermost pool counts. free() needs no entering.
 *
 * pool  a pool; NULL: the default pool, made if there is none yet.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   pool is not a pool
 *   B_NO_MEMORY   nested too deep; the default pool could not be made; or the thread's
 *                 record could not be
 * Realtime: yes, from the second time on a thread. Threads: any; speaks of the calling
 * one.
 */
RTM_API RTM_CHECKED status_t rtm_enter(rtm_pool *pool);

/*
 * Ends the innermost rtm_enter() of the calling thread.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   the thread is in no pool
 * Realtime: yes. Threads: any; speaks of the calling one.
 */
RTM_API status_t rtm_leave(void);

/* Figures of a pool; bytes where nothing else is said. */
struct rtm_stats {
	size_t size;	  /* as asked for, e.g. 4194304 */
	size_t max;	  /* may grow to */
	size_t committed; /* readable, writable and touched now */
	size_t locked; /* of those, locked in RAM; less than committed: see lock_error */
	size_t pinned; /* of those, pinned: neither fork nor compaction moves them */
	size_t used;   /* in blocks, their headers and what threads keep for reuse */
	size_t peak;   /* highest `used` */
	size_t available;     /* as rtm_available() */
	size_t largest_free;  /* a block of this size could be had now */
	uint64_t full_events; /* how often an allocation found no room */
	uint64_t growths;     /* how often it grew */
	int lock_error;	      /* errno of the first lock that was refused, 0: none */
};

/*
 * Fills in the figures of a pool; they are of one moment as far as used, peak and
 * largest_free go.
 *
 * pool        a pool; NULL: the default pool.
 * out         filled in.
 * stats_size  sizeof(struct rtm_stats), as the caller was compiled.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   there is no such pool, out is NULL, or stats_size is 0
 * Realtime: no. Threads: any.
 */
RTM_API status_t rtm_get_stats(rtm_pool *pool, struct rtm_stats *out, size_t stats_size);

/*
 * Calls fn once for each pool of the process, in no particular order. fn may allocate,
 * and may not create or delete pools. Realtime: no. Threads: any.
 */
RTM_API void rtm_each_pool(void (*fn)(rtm_pool *pool, void *arg), void *arg);

/*
 * A TAG is a name on which blocks of pools are counted: how many there are, of how many
 * bytes. Every block of a pool is booked on one, and rtmem stat shows all of them. There
 * are three kinds:
 *
 *   of a rule       what malloc() and kin gave a thread from a pool, by which rule of the
 *                   policy; the rule's name is the tag's. Rules of one name, also of the
 *                   policy as it was before it was read again, have one tag.
 *   of the program  made by rtm_tag_create(); the same thing as an OSMallocTag of
 *                   <libkern/OSMalloc.h>: the calls here take those, and OSMalloc() takes
 *                   these. A block of it takes 8 bytes more of the pool.
 *   "(untagged)"    blocks of rtm_alloc() and others that name neither.
 *
 * Blocks of all tags are alike. rtm_free() and free() of any thread count a freed block
 * off its tag. Resized by rtm_realloc() it stays on its tag; by
 * realloc(), too, as long as it does not move: then one of a rule is malloc()'s again, on
 * the tag of the rule that serves the caller, while one of the program stays on its tag
 * (but where its pool has no room takes ordinary memory, which has none). In the child of
 * a fork, tags begin with no blocks: those of the parent's pools do not count there.
 *
 * A process can have 254 tags of rules; blocks of rules beyond those are untagged.
 */
typedef struct rtm_tag rtm_tag;

/*
 * Makes a tag. Two may have the same name.
 *
 * name  copied, cut after 63 bytes; NULL: no name.
 *
 * Returns the tag; NULL and errno
 *   ENOMEM   there is no memory, or there are 4096 tags
 * Realtime: no. Threads: any.
 */
RTM_API rtm_tag *rtm_tag_create(const char *name);

/*
 * Deletes a tag on which nothing is booked any more.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   it is no tag, was deleted already, or is not of the program's making
 *   -EBUSY        there are blocks of it
 * Realtime: no. Threads: any, but not while the tag is used.
 */
RTM_API status_t rtm_tag_delete(rtm_tag *tag);

/* The name of a tag, as long as it exists; "" when it has none, NULL when it is no tag.
 * Realtime: yes. Threads: any. */
RTM_API const char *rtm_tag_name(const rtm_tag *tag);

/*
 * As rtm_alloc(), and the block is booked on a tag.
 *
 * tag   of rtm_tag_create() or OSMalloc_Tagalloc(); OSMT_PAGEABLE has no meaning here.
 * pool  a pool; NULL: the default pool, made if there is none yet.
 * size  bytes, any value, 0 included.
 *
 * Returns the block, aligned to 16 bytes, its content undefined; NULL and errno
 *   ENOMEM   the pool is full, or the default pool could not be made
 *   EINVAL   tag is no tag of the program's, or pool is no pool
 * Realtime: yes, but for the call that makes the default pool. Threads: any.
 */
RTM_API void *rtm_tag_alloc(rtm_tag *tag, rtm_pool *pool, size_t size);

/*
 * As rtm_tag_alloc(), but waits for no other thread and never makes the default pool:
 * errno also as for rtm_alloc_nowait(). Realtime: yes; no system call. Threads: any.
 */
RTM_API void *rtm_tag_alloc_nowait(rtm_tag *tag, rtm_pool *pool, size_t size);

/*
 * The tag a block is booked on.
 *
 * block  any pointer.
 *
 * Returns the tag, an OSMallocTag as it may be; NULL: it is no live block of a pool.
 * Realtime: yes. Threads: any.
 */
RTM_API rtm_tag *rtm_tag_of(const void *block);

/* Figures of a tag. Bytes are those asked for; on a rule's tag and on "(untagged)", what
 * the blocks take of their pools, 8 bytes before each included. */
struct rtm_tag_stats {
	const char *name; /* as rtm_tag_name() */
	uint64_t blocks, bytes;
	/* highest `bytes`; of a rule's tag and of "(untagged)": of those ever looked at,
	 * by a call here or for the statistics page, which is once a second at least */
	uint64_t peak;
};

/*
 * Fills in the figures of a tag.
 *
 * tag         a tag.
 * out         filled in.
 * stats_size  sizeof(struct rtm_tag_stats), as the caller was compiled.
 *
 * Returns B_OK;
 *   B_BAD_VALUE   tag is no tag, out is NULL, or stats_size is 0
 * Realtime: yes for tags of the program; of others the threads are asked, which is as
 * long as there are threads. Threads: any; what they do meanwhile may be counted or not.
 */
RTM_API status_t rtm_get_tag_stats(
	const rtm_tag *tag, struct rtm_tag_stats *out, size_t stats_size);

/*
 * Calls fn once for each tag of the process, in no particular order: all those above, and
 * the library's own for memory that is not of pools (each CMMemoryPool has one). stats
 * stands until fn returns; fields may be added at its end. Realtime: no. Threads: any.
 */
RTM_API void rtm_each_tag(
	void (*fn)(const struct rtm_tag_stats *stats, void *arg), void *arg);

RTM_END_DECLS

#endif
