/* SPDX-License-Identifier: MIT */
/*
 * rtmem_stats.h - the statistics page of a process under librtpreload
 *
 * A process in which a thread of a rule may appear has one page: an unnamed file in
 * memory that its helper thread holds in a descriptor table of its own,
 *
 *	/proc/PID/task/TID/fd/N -> "/memfd:rtmem-stats (deleted)"
 *
 * where TID is the thread named "rtmem-helper". The same user and root can open it, and
 * nobody else; it is gone with the process, however that ends, unless a reader still
 * holds it. There is none under AT_SECURE.
 *
 * HOW TO READ IT. The page is untrusted input, and so is where a name leads: open it with
 * O_PATH and see that it is a regular file without a name, in memory, of the process's
 * user, then for reading; read() it, do not map it. Read `sequence`, then everything,
 * then `sequence` again: the copy is one moment's when both are the same and even.
 * Sections are found by their offsets; a later version of the layout may append fields to
 * a record and say so in its size, so step by the size that the page gives.
 *
 * The library writes the page from memory of its own and reads nothing of it back but
 * `watch`, `reload` and what readers write into `request`: all else that is written
 * there is gone with the next publication.
 *
 * WATCHING. Calls are counted and timed only while somebody watches: write any other
 * value than there is into `watch`, at least once a second. The helper sees it within
 * 50 ms, counts for three more seconds after the last change, and publishes each 100 ms
 * meanwhile (else each second). [realtime] report = yes counts always.
 *
 * AUDITS. One reader at a time, which holds flock(LOCK_EX) on the page, may ask for an
 * audit: see struct rtmem_stats_request.
 *
 * RELOADING. Write any other number than there is into `reload`: the helper sees it
 * within 50 ms, reads the policy files again, and answers by writing the number into
 * `reload_answered`, with what came of it in `reload_status` and `reload_message`.
 *
 * Fixed-width fields in the order of the machine; units stand with each. Time is
 * CLOCK_MONOTONIC in nanoseconds. Strings end with NUL.
 */
#ifndef RTMEM_STATS_H
#define RTMEM_STATS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RTMEM_STATS_FILE    "rtmem-stats" /* the name given to memfd_create() */
#define RTMEM_STATS_HELPER  "rtmem-helper"
#define RTMEM_STATS_MAGIC   0x73746174736d7472ULL
#define RTMEM_STATS_VERSION 3u
#define RTMEM_STATS_WATCHED 3000000000ULL /* ns that one change of `watch` lasts */
#define RTMEM_STATS_NAME    64		  /* bytes of a name, NUL included */
#define RTMEM_STATS_BUCKETS 496
#define RTMEM_STATS_SIZES   24 /* buckets of sizes: number b holds those below 16 << b */

/* One section: an array of `n` records of `size` bytes, `at` bytes from the start. */
struct rtmem_stats_section {
	uint32_t at, size, n, max;
};

/*
 * Readers ask, the helper answers; outside of `sequence`, each field by itself. An audit
 * begins when `audit` is a number that it was not before, and goes on while `beat`
 * changes at least each three seconds. Its figures are then in another file in memory
 * beside the page, "/memfd:rtmem-audit (deleted)" (policy/model/audit_file.h, which is no
 * interface).
 */
struct rtmem_stats_request {
	uint64_t audit;	  /* by the reader: the number of the audit, 0: none */
	uint64_t beat;	  /* by the reader: any other value than before */
	uint64_t going;	  /* by the helper: of the audit that goes on, 0: none */
	uint64_t refused; /* by the helper: the last one that could not be begun … */
	uint32_t error;	  /* … and its errno */
	uint32_t all;	  /* by the reader: 1: threads of every class */
};

#define RTMEM_STATS_AUDIT_FILE	"rtmem-audit"
#define RTMEM_STATS_AUDIT_START UINT64_MAX /* `going`: since the program's start */

struct rtmem_stats_head {
	uint64_t magic;
	uint32_t version, head_size; /* bytes of this struct */
	uint64_t size;		     /* bytes of the page */
	uint64_t sequence;	     /* odd while it is being written */
	uint64_t watch; /* written by readers, as are `reload` and parts of `request` */
	uint32_t pid;	/* as the process itself sees it */
	uint32_t watching;     /* 1: calls are counted and timed now */
	uint64_t started;      /* time the page was made */
	uint64_t published;    /* how many times it was written */
	uint64_t published_at; /* time of the last one */
	uint64_t watched;      /* ns during which calls were counted, in all */
	uint64_t tick_hz;      /* ticks a second, of every time in ticks; 0: unknown */
	/* jemalloc, whole process, bytes; as of the last publication while watched */
	uint64_t base_allocated, base_active, base_resident, base_mapped;
	uint32_t threads; /* known to the library, matched or not */
	uint32_t matched; /* of those, threads of a rule */
	uint32_t ended;	  /* matched threads that have ended; the last of them are kept */
	uint32_t files;	  /* policy files that were read */
	struct rtmem_stats_section pool, rule, tag, thread, gone;
	char policy[208]; /* the last of those files: what is read later wins */
	struct rtmem_stats_request request;
	uint64_t reload, reload_answered;
	uint64_t reloads;	  /* policies that took over since the start */
	uint64_t reload_failures; /* those that did not, for an error in them */
	uint64_t reloaded_at;	  /* time of the last that did; 0: none has */
	uint32_t reload_status;	  /* RTMEM_STATS_RELOAD_*, of the last answer */
	uint32_t reload_rules;	  /* rules of the policy in use that name this program */
	char reload_message[320]; /* of the last answer: an error, what has to wait; or ""
				   */
};

#define RTMEM_STATS_RELOAD_DONE	   0u /* the policy is as the files say */
#define RTMEM_STATS_RELOAD_REFUSED 1u /* the one before stays */

#define RTMEM_STATS_POOL_LOCK	1u /* its memory is to be locked */
#define RTMEM_STATS_POOL_NATIVE 2u /* made by rtm_create_pool() */
#define RTMEM_STATS_POOL_FAIL	4u /* when_full = fail */

/* Bytes, unless said otherwise. */
struct rtmem_stats_pool {
	char name[RTMEM_STATS_NAME], rule[RTMEM_STATS_NAME];
	uint64_t size;	       /* memory there is now, its own bookkeeping included */
	uint64_t max;	       /* what the policy lets it grow to */
	uint64_t used;	       /* in blocks, those in threads' caches included */
	uint64_t peak;	       /* highest `used` */
	uint64_t largest_free; /* a request of this many would succeed now */
	uint64_t growths;      /* times it was grown */
	uint64_t full;	       /* requests it could not serve */
	uint64_t locked, not_locked, pinned;
	uint32_t flags, lock_error; /* errno of the first mlock that failed, or 0 */
	/* pieces that threads take for themselves: in `size`, and of these nobody's; of
	 * a pool of rtm_create_pool() 0 */
	uint32_t parts, free_parts;
	uint64_t reserved[4];
};

/* Figures while calls are counted; what goes to jemalloc is not. */
struct rtmem_stats_rule {
	char name[RTMEM_STATS_NAME];
	char pool[RTMEM_STATS_NAME]; /* "jemalloc": exempt */
	uint64_t allocations, bytes; /* bytes as asked for */
	uint32_t threads;	     /* whose cache it fills, now */
	uint32_t index;
	uint64_t reserved[5];
	uint32_t sizes[RTMEM_STATS_SIZES]; /* of the allocations; the last holds the rest
					    */
};

#define RTMEM_STATS_TAG_PROGRAM 0 /* rtm_tag_create(), OSMalloc_Tagalloc() */
#define RTMEM_STATS_TAG_LIBRARY 1 /* what a family has mapped beside the pools */
#define RTMEM_STATS_TAG_RULE	2 /* of a rule's name, or of blocks without a tag */
struct rtmem_stats_tag {
	char name[RTMEM_STATS_NAME];
	uint64_t blocks, bytes, peak;
	uint64_t kind;
	uint64_t reserved[4];
};

struct rtmem_stats_thread {
	uint32_t tid;		 /* as the process itself sees it */
	int32_t sched, priority; /* SCHED_OTHER … SCHED_DEADLINE; 1..99 or 0 */
	uint32_t matched;	 /* 1: a rule names it */
	char name[16];
	char rule[RTMEM_STATS_NAME], pool[RTMEM_STATS_NAME];
	/* always counted */
	uint64_t deferred;  /* frees of jemalloc blocks left to the helper */
	uint64_t slow;	    /* operations that went past the thread's cache to the pool */
	uint64_t fallbacks; /* requests its pool was too full for */
	/* counted while somebody watches */
	uint64_t allocations, frees, bytes, largest; /* bytes as asked for */
	uint64_t worst_alloc, worst_free;	     /* ticks */
	/* page faults of the whole thread, inside the allocator or not, since counting */
	uint64_t minor_faults, major_faults;
	/* times the whole thread was made to wait although it could have gone on
	 * (nonvoluntary context switches), since counting */
	uint64_t waits;
	/* counted while somebody watches: calls during which the thread was scheduled out
	 * or a signal handler ran (always 0 where the kernel has no rseq); system calls
	 * within the calls, by jemalloc or for a pool's lock */
	uint64_t interrupted, system_calls;
	/* ticks of each call: the layout of HdrHistogram with 16 sub-buckets */
	uint32_t alloc_ticks[RTMEM_STATS_BUCKETS], free_ticks[RTMEM_STATS_BUCKETS];
	uint64_t lock_calls; /* of system_calls, those for a pool's lock */
};

static inline unsigned rtmem_stats_size_bucket(uint64_t size)
{
	unsigned b = size < 16 ? 0 : 60u - (unsigned)__builtin_clzll(size);

	return b < RTMEM_STATS_SIZES ? b : RTMEM_STATS_SIZES - 1;
}

/*
 * Values to 31 have a bucket each; above, 16 buckets per doubling, so that a bucket is at
 * most 1/16 of its value wide; what exceeds the last one is counted in it.
 */
static inline unsigned rtmem_stats_bucket(uint64_t value)
{
	unsigned shift;

	if (value < 32)
		return (unsigned)value;
	if (value >> 34)
		return RTMEM_STATS_BUCKETS - 1;
	shift = 59u - (unsigned)__builtin_clzll(value);
	return shift * 16 + (unsigned)(value >> shift);
}

/* Highest value of a bucket. */
static inline uint64_t rtmem_stats_bucket_top(unsigned bucket)
{
	unsigned shift = bucket < 32 ? 0 : bucket / 16 - 1;

	return ((uint64_t)(bucket - shift * 16 + 1) << shift) - 1;
}

#ifdef __cplusplus
}
#endif
#endif
