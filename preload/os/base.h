/* SPDX-License-Identifier: MIT */
/*
 * base.h - jemalloc, as a private hidden copy: memory for everybody who is not realtime
 *
 * The only file that knows jemalloc is base.c. je_* are jemalloc's own functions under
 * the names objcopy gave them; the rest of the library calls these and never libc's
 * malloc. Never called on the realtime path.
 */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *je_malloc(size_t size);
void *je_calloc(size_t n, size_t size);
void *je_realloc(void *p, size_t size);
void je_free(void *p);
int je_posix_memalign(void **out, size_t align, size_t size);
void *je_aligned_alloc(size_t align, size_t size);
void *je_memalign(size_t align, size_t size);
void *je_valloc(size_t size);
size_t je_malloc_usable_size(const void *p);
void *je_mallocx(size_t size, int flags);
void *je_rallocx(void *p, size_t size, int flags);
size_t je_xallocx(void *p, size_t size, size_t extra, int flags);
size_t je_sallocx(const void *p, int flags);
void je_dallocx(void *p, int flags);
void je_sdallocx(void *p, size_t size, int flags);
size_t je_nallocx(size_t size, int flags);
int je_mallctl(const char *name, void *oldp, size_t *oldlen, void *newp, size_t newlen);
int je_mallctlnametomib(const char *name, size_t *mib, size_t *miblen);
int je_mallctlbymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlen,
	void *newp, size_t newlen);
void je_malloc_stats_print(
	void (*write)(void *, const char *), void *arg, const char *opts);

/*
 * First allocation of the process: initialises jemalloc and makes its smallest class 16
 * bytes, so that every block is 16-byte aligned. Idempotent; any thread.
 */
void base_init(void);

/* Around a fork: jemalloc's locks are held, let go, and made new in the child. */
void base_fork_prepare(void);
void base_fork_parent(void);
void base_fork_child(void);

/*
 * The calling thread forks, and the program has no other: of jemalloc's locks those that
 * do not get free are left as they are. False: no longer.
 */
void base_fork_alone(bool alone);
bool base_fork_is_alone(void);
/* Waits a moment; true once there were enough `tries`: the lock is left. */
bool base_fork_leaves(const void *lock, unsigned tries);
/* Was it left, and so is not to be let go? Says so once. */
bool base_fork_left(const void *lock);

/* System calls that jemalloc made in the calling thread; only differences mean something.
 */
extern __attribute__((tls_model("initial-exec"))) __thread uint32_t base_system_calls;

/* The calling thread's jemalloc state, made now rather than at its first malloc. */
void base_thread_warm(void);

/*
 * The program tunes itself for realtime (mallopt, mlockall): stop giving pages back, so
 * that what it warmed stays warm.
 */
void base_keep_pages(void);

/* All pages that jemalloc keeps for later go back: where it has no memory. */
void base_purge(void);

#endif
