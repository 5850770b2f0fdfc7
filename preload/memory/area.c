/* SPDX-License-Identifier: MIT */
/*
 * area.c - reserve, commit, lock again, give back
 *
 * The order of one chunk's system calls is the contract (area.h): each prevents a way in
 * which locked memory still faults. What the kernel does not know or a filter forbids is
 * left out; only mprotect and touching the pages must succeed. Nothing here runs on a
 * realtime thread. Bound: AREA_MAX areas.
 */
#include "area.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <sys/mman.h>

#include "os/child.h"
#include "os/fd_table.h"
#include "os/mutex.h"
#include "os/sys.h"
#include "area_private.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

struct area *area_all[AREA_MAX];

CHILD_DATA static struct mutex area_mutex;

void area_acquire(uint64_t *signals)
{
	uint64_t all = ~0ULL;

	sys_sigprocmask(SIG_SETMASK, &all, signals);
	mutex_acquire(&area_mutex);
}

void area_release_lock(const uint64_t *signals)
{
	mutex_release(&area_mutex);
	sys_sigprocmask(SIG_SETMASK, signals, NULL);
}

void area_lock_child(void)
{
	mutex_child(&area_mutex);
}

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/* ---- reserve ---- */

static int registry_add(struct area *a)
{
	for (int i = 0; i < AREA_MAX; i++) {
		if (area_all[i] == NULL) {
			area_all[i] = a;
			return 0;
		}
	}
	return -ENOMEM;
}

static void registry_remove(const struct area *a)
{
	for (int i = 0; i < AREA_MAX; i++)
		if (area_all[i] == a)
			area_all[i] = NULL;
}

bool area_contains(const void *p)
{
	uint64_t signals;
	bool found = false;

	area_acquire(&signals);
	for (int i = 0; i < AREA_MAX; i++)
		found |= area_all[i] && (uintptr_t)p - (uintptr_t)area_all[i]->base <
						area_all[i]->reserved;
	area_release_lock(&signals);
	return found;
}

long area_map_aligned(void *at, size_t size, size_t align, int prot, int flags)
{
	size_t extra = align > AREA_PAGE ? align : 0;
	long got = sys_mmap(
		at, size + extra, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	size_t head;

	if (sys_is_error(got) || extra == 0)
		return got;
	head = round_up((size_t)got, align) - (size_t)got;
	if (head > 0)
		sys_munmap((void *)got, head);
	if (head < extra)
		sys_munmap((void *)(got + (long)(head + size)), extra - head);
	return got + (long)head;
}

int area_reserve(struct area *a, void *at, size_t size, unsigned flags)
{
	size_t align = flags & AREA_HUGE ? AREA_HUGE_CHUNK : AREA_PAGE;
	uint64_t signals;
	long got;
	int ret;

	*a = (struct area){.flags = flags};
	if (size == 0 || size > SIZE_MAX / 2)
		return size == 0 ? -EINVAL : -ENOMEM;
	size = round_up(size, align);
	if (size > area_limits_leave())
		return -ENOMEM;
	got = area_map_aligned(at, size, align, PROT_NONE, MAP_NORESERVE);
	if (sys_is_error(got)) /* EAGAIN: the program's mlockall(MCL_FUTURE), no room */
		return got == -EAGAIN ? -ENOMEM : (int)got;
	a->base = (unsigned char *)got;
	a->reserved = size;
	if (!sys_restricted())
		sys_madvise(a->base, size, MADV_DONTDUMP);
	area_acquire(&signals);
	ret = registry_add(a);
	area_release_lock(&signals);
	if (ret < 0) {
		sys_munmap(a->base, size);
		*a = (struct area){0};
	}
	return ret;
}

/* ---- commit ---- */

static void touch(unsigned char *start, size_t len)
{
	for (size_t at = 0; at < len; at += AREA_PAGE)
		/* relaxed: a write fault that changes nothing, also beside other writers */
		__atomic_fetch_or(start + at, 0, __ATOMIC_RELAXED);
}

int area_populate(unsigned char *start, size_t len)
{
	int ret = -EPERM;

	for (int tries = 0; !sys_restricted() && tries < 64; tries++) {
		ret = sys_madvise(start, len, MADV_POPULATE_WRITE);
		if (ret != -EINTR && ret != -EAGAIN)
			break;
	}
	/* before Linux 5.14, or a system call filter: the way without a report */
	if (ret == -EINVAL || ret == -EPERM || ret == -ENOSYS || ret == -EACCES)
		ret = 0;
	/* in a virtual machine the first access to a page that is there may cost, too */
	if (ret == 0)
		touch(start, len);
	return ret;
}

size_t area_lock_pages(unsigned char *start, size_t len, int *error)
{
	size_t done = 0, step = len;
	int ret = sys_restricted() ? -EPERM : 0;

	/* ENOMEM is the limit: halve, so that the limit is used to its last page */
	while (ret == 0 && done < len && step > 0) {
		if (step > len - done)
			step = len - done;
		ret = sys_mlock(start + done, step);
		if (ret == 0) {
			done += step;
		} else if (ret == -ENOMEM || ret == -EAGAIN) {
			step = step / 2 & ~(AREA_PAGE - 1);
			if (step > 0)
				ret = 0;
		}
	}
	*error = done == len ? 0 : ret < 0 ? -ret : ENOMEM;
	return done;
}

/* Advice that keeps locked pages where they are; none of it is a condition. */
static void advise(const struct area *a, unsigned char *start, size_t len)
{
	if (sys_restricted())
		return;
	sys_madvise(start, len, MADV_UNMERGEABLE);
	sys_madvise(start, len, a->flags & AREA_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	/* an explicit "where the thread runs": NUMA balancing leaves such ranges alone */
	sys_mbind(start, len, MPOL_PREFERRED, NULL, 0, 0);
}

/* A chunk that nobody has seen yet goes back to being reserved. */
static void uncommit(unsigned char *start, size_t len)
{
	sys_munlock(start, len);
	sys_madvise(start, len, MADV_DONTNEED);
	sys_mprotect(start, len, PROT_NONE);
}

static int commit_chunk(struct area *a, unsigned char *start, size_t len, int *lock_error)
{
	int ret = sys_mprotect(start, len, PROT_READ | PROT_WRITE);
	size_t locked = 0;

	if (ret < 0)
		return ret;
	advise(a, start, len);
	ret = area_populate(start, len);
	if (ret == 0 && a->flags & AREA_LOCK && *lock_error == 0)
		locked = area_lock_pages(start, len, lock_error);
	if (ret == 0 && a->flags & AREA_REQUIRE && *lock_error != 0)
		ret = -*lock_error;
	if (ret < 0) {
		uncommit(start, len);
		return ret;
	}
	a->locked += locked;
	if (!sys_restricted())
		sys_madvise(start, len, MADV_DODUMP);
	/* release: who reads committed without the lock may touch what it covers */
	__atomic_store_n(&a->committed, a->committed + len, __ATOMIC_RELEASE);
	return 0;
}

int area_commit(struct area *a, size_t bytes)
{
	size_t chunk = a->flags & AREA_HUGE ? AREA_HUGE_CHUNK : AREA_CHUNK;
	size_t left = a->reserved - a->committed, before = a->committed;
	int lock_error = 0, ret;
	uint64_t signals;

	if (bytes < left)
		left = round_up(bytes, AREA_PAGE);
	ret = area_check_memory(left);
	while (ret == 0 && left > 0) {
		size_t len = left < chunk ? left : chunk;

		/* chunk by chunk: a fork waits for one chunk at most */
		area_acquire(&signals);
		ret = commit_chunk(a, a->base + a->committed, len, &lock_error);
		area_release_lock(&signals);
		left -= len;
		sys_breathe();
	}
	if (a->flags & AREA_PIN) {
		area_acquire(&signals);
		area_pin(a, a->base + before, a->committed - before);
		area_release_lock(&signals);
	}
	if (lock_error != 0 && a->lock_error == 0)
		a->lock_error = lock_error;
	return ret;
}

/* ---- later ---- */

int area_relock(struct area *a)
{
	int error = 0;
	uint64_t signals;

	if (!(a->flags & AREA_LOCK))
		return 0;
	area_acquire(&signals);
	a->locked = area_lock_pages(a->base, a->committed, &error);
	a->lock_error = error;
	area_release_lock(&signals);
	return -error;
}

void area_release(struct area *a)
{
	uint64_t signals;

	if (a->base == NULL)
		return;
	area_acquire(&signals);
	registry_remove(a);
	area_unpin(a);
	sys_munmap(a->base, a->reserved);
	*a = (struct area){0};
	area_release_lock(&signals);
}

int area_lock_foreign(void *start, size_t len)
{
	uintptr_t lo = (uintptr_t)start & ~(AREA_PAGE - 1);
	size_t size = round_up((uintptr_t)start + len - lo, AREA_PAGE);
	int error = 0;

	if (len == 0)
		return 0;
	if (sys_restricted())
		return -EPERM;
	area_lock_pages((unsigned char *)lo, size, &error);
	if (error != 0)
		sys_madvise((void *)lo, size, MADV_POPULATE_READ);
	return -error;
}
