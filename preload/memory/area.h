/* SPDX-License-Identifier: MIT */
/*
 * area.h - locked address space: the only file that maps, locks and advises pool memory
 *
 * An area is one reservation (PROT_NONE) of which a growing prefix is committed:
 * readable, writable, touched and, as far as the limits allow, locked and pinned. It is
 * never shrunk, unmapped or re-protected while a block may live in it.
 *
 * Never called on the realtime path. Every function returns 0 or a negative errno and
 * keeps the caller's errno.
 */
#ifndef AREA_H
#define AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AREA_PAGE 4096UL

enum area_flags {
	AREA_LOCK = 1,	  /* mlock; failure is counted in not_locked, see AREA_REQUIRE */
	AREA_REQUIRE = 2, /* with AREA_LOCK: failing to lock fails the commit */
	AREA_HUGE = 4,	  /* try huge pages; else MADV_NOHUGEPAGE */
	AREA_PIN = 8,	  /* fork = auto: pin through io_uring; where refused, snapshot at
			     fork */
};

struct area {
	unsigned char *base;
	size_t reserved;  /* bytes of address space */
	size_t committed; /* prefix that is readable, writable and touched */
	size_t locked;	  /* of those, bytes that mlock accepted */
	size_t pinned;	  /* of those, bytes that are pinned */
	unsigned flags;	  /* enum area_flags */
	int lock_error;	  /* errno of the first mlock that failed, 0 if none */
};

/* Reserve. at: wished address or NULL. -ENOMEM when the address space has no room. */
int area_reserve(struct area *a, void *at, size_t size, unsigned flags);

/*
 * Commit the next `bytes` (rounded up to pages, clipped to the reservation), chunk by
 * chunk: mprotect, MADV_UNMERGEABLE, MADV_NOHUGEPAGE, mbind, MADV_POPULATE_WRITE, mlock,
 * pin, DODUMP. Checks memory.max of all cgroup ancestors and MemAvailable first: -ENOMEM
 * rather than an OOM kill. What was committed before a failure stays.
 */
int area_commit(struct area *a, size_t bytes);

/* Lock again after the program called munlockall(); updates locked. */
int area_relock(struct area *a);

/* Give everything back. Nothing may live in it any more. */
void area_release(struct area *a);

/*
 * Lock and touch memory that is not ours (thread stacks, images), never beyond the
 * range's pages; what the limit allows is locked, the rest is reported.
 */
int area_lock_foreign(void *start, size_t len);

/*
 * Pin memory that is not ours until the process ends; mapped, private, writable. Returns
 * how many bytes from start are pinned.
 */
size_t area_pin_foreign(void *start, size_t len);
/* Does p lie in the reservation of an area? */
bool area_contains(const void *p);

/* Memory the host can give without killing anybody: min over cgroups and MemAvailable. */
size_t area_memory_available(void);
/* Half of what RLIMIT_AS and RLIMIT_DATA leave; SIZE_MAX: there are no such limits. */
size_t area_limits_leave(void);

/*
 * One line of advice when locking fell short: how much is locked, the limit, and what
 * raises it (limits.d, LimitMEMLOCK=, AmbientCapabilities=; never a file capability: it
 * makes the loader drop the preload).
 */
void area_lock_advice(const struct area *a, const char *pool_name);
/* The same for a pool that was not made. required: not without all of it locked. error:
 * positive errno. */
void area_refused_advice(size_t bytes, bool required, int error, const char *pool_name);

/*
 * atfork handlers. Areas with AREA_PIN that are not pinned to the last page are copied in
 * prepare and handed to the child (area_fork.c): the parent's pages do not fault, the
 * child finds its data at the same addresses, neither locked nor pinned. 0.3..0.45 ms per
 * MiB, pinned or copied. No lock that a realtime thread takes is held in them, but
 * libc's of the list of open streams, which fork() itself holds as well. child also
 * forgets what other threads of the parent held in this file and in fd_table.c.
 */
void area_fork_prepare(void);
void area_fork_parent(void);
void area_fork_child(void);

#endif
