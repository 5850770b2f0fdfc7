/* SPDX-License-Identifier: MIT */
/*
 * phys.c - contiguous memory: what is done to keep it where it was found
 *
 * Where it is looked for stands in phys_search.c. Without frame numbers there are two
 * things that can be told without: one page is in one piece, and so is a huge one.
 */
#include "phys.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "os/sys.h"
#include "area_private.h"
#include "phys_find.h"

#define PHYS_PINS  10 /* attempts at a pin, 20 ms apart */
#define PHYS_MOVED 3  /* huge pages that were split between looking and pinning */

static __thread const char *phys_missing;

const char *phys_why(void)
{
	return phys_missing;
}

static int phys_fail(int error, const char *why)
{
	phys_missing = why;
	return error;
}

/* ---- keeping it where it is ---- */

void phys_free(struct phys_run *run)
{
	if (run->area)
		area_release(run->area);
	*run = (struct phys_run){0};
}

static void phys_mark(unsigned char *from, const unsigned char *to, unsigned char mark)
{
	for (; from < to; from += AREA_PAGE)
		*(volatile unsigned char *)from = mark;
}

/* Unless it is split, the kernel keeps a huge page as long as any page of it is used.
 * When it is, pages that hold nothing but zeroes become the shared page of zeroes. */
static void phys_split_one(unsigned char *from, unsigned char *to)
{
	phys_mark(from, to, 1);
	sys_madvise(from, AREA_PAGE, MADV_COLD);
	phys_mark(from, to, 0);
}

/* The first and the last huge page of the run, where not all of it is used. */
static void phys_split(const struct phys_run *run)
{
	unsigned char *end = run->base + run->size;
	size_t head = (uintptr_t)run->base % PHYS_HUGE, tail = (uintptr_t)end % PHYS_HUGE;
	size_t left = PHYS_HUGE - head;

	if (left >= run->size && (head || tail)) {
		phys_split_one(run->base, end);
	} else {
		if (head)
			phys_split_one(run->base, run->base + left);
		if (tail)
			phys_split_one(end - tail, end);
	}
}

/* A huge page stays whole where that is the only proof of what it is. */
static void phys_trim(struct phys_run *run)
{
	unsigned char *end = run->area->base + run->area->reserved;

	if (run->source >= PHYS_HUGETLB || run->phys == PHYS_UNKNOWN)
		return;
	if (run->source == PHYS_THP)
		phys_split(run);
	if (run->base > run->area->base)
		sys_munmap(run->area->base, (size_t)(run->base - run->area->base));
	if (end > run->base + run->size)
		sys_munmap(run->base + run->size, (size_t)(end - run->base) - run->size);
	run->area->base = run->base;
	run->area->reserved = run->size;
}

/* Pins are charged to the user, and what a process gave back is so only a little later.
 */
static bool phys_pin(struct area *a, bool again)
{
	static const struct timespec pause = {0, 20000000};
	uint64_t signals;

	if (again)
		sys_call3(SYS_nanosleep, (long)&pause, 0, 0);
	area_acquire(&signals);
	if (again)
		area_unpin(a);
	a->pinned = 0;
	area_pin(a, a->base, a->reserved);
	area_release_lock(&signals);
	return a->pinned == a->reserved;
}

bool phys_can_pin(void)
{
	if (!area_pin_forbidden())
		return true;
	phys_fail(-ENOSPC, "it cannot be pinned: io_uring is forbidden "
			   "(kernel.io_uring_disabled)");
	return false;
}

/* Alone, and without an address that anybody could be told, a page may move. */
static bool phys_may_move(const struct phys_run *run)
{
	return run->phys == PHYS_UNKNOWN && run->source == PHYS_PAGES;
}

static int phys_keep(struct phys_run *run)
{
	int attempts = phys_may_move(run) ? 1 : PHYS_PINS, error = 0;
	uint64_t signals;

	phys_trim(run);
	run->area->committed = run->area->reserved;
	run->area->flags = AREA_LOCK | AREA_REQUIRE | AREA_PIN;
	area_acquire(&signals);
	run->area->locked = area_lock_pages(run->area->base, run->area->reserved, &error);
	area_release_lock(&signals);
	if (error != 0)
		return phys_fail(-ENOSPC, "RLIMIT_MEMLOCK is too small to lock it");
	for (int i = 0; i < attempts && !area_pin_forbidden(); i++)
		if (phys_pin(run->area, i > 0))
			break;
	/* the kernel moves no page of hugetlbfs by itself; of others, any that is not
	 * pinned */
	if (run->source < PHYS_HUGETLB && !phys_may_move(run) &&
		run->area->pinned < run->area->reserved)
		return phys_can_pin() ? phys_fail(-ENOSPC,
						"it cannot be pinned: RLIMIT_MEMLOCK is "
						"too small, or a filter forbids io_uring")
				      : -ENOSPC;
	/* for each pinned huge page a fork would need another one for the child, or fail
	 */
	if (run->source >= PHYS_HUGETLB &&
		sys_madvise(run->area->base, run->area->reserved, MADV_DONTFORK) < 0)
		return phys_fail(-ENOSPC, "the kernel refuses MADV_DONTFORK");
	return 0;
}

/* Looked at once more, now that nothing can move: 0, -EAGAIN when it is elsewhere. */
static int phys_verify(const struct phys_run *run)
{
	uint64_t entry[256], frame = run->phys >> PHYS_PAGE_SHIFT;
	size_t pages = run->size / AREA_PAGE, done = 0, n;
	int ret;

	if (phys_may_move(run))
		return 0;
	if (run->phys == PHYS_UNKNOWN) {
		ret = phys_is_huge(run->area->base, run->area->reserved);
		return ret < 0 ? ret : ret == 1 ? 0 : -EAGAIN;
	}
	for (; done < pages; done += n) {
		n = pages - done < 256 ? pages - done : 256;
		ret = phys_entries(run->base + done * AREA_PAGE, n, entry);
		if (ret < 0)
			return ret;
		for (size_t i = 0; i < n; i++)
			if (!(entry[i] & PHYS_PRESENT) ||
				PHYS_PFN(entry[i]) != frame + done + i)
				return -EAGAIN;
	}
	return 0;
}

int phys_finish(struct phys_run *run)
{
	int ret = phys_keep(run);

	if (ret == 0)
		ret = phys_verify(run);
	if (ret < 0)
		area_release(run->area);
	return ret;
}

/* ---- without frame numbers ---- */

static int phys_one(
	enum phys_source source, const struct phys_want *w, struct phys_run *run)
{
	struct phys_units u;
	int ret = phys_unit_make(&u, source);

	if (ret < 0)
		return -ENOSPC;
	run->area->base = run->base = u.map;
	run->area->reserved = u.unit;
	run->size = w->size;
	run->phys = PHYS_UNKNOWN;
	run->source = source;
	return phys_finish(run);
}

/* One page, or one transparent huge page, if that is all that was asked. */
static int phys_unprivileged(const struct phys_want *w, struct phys_run *run)
{
	int ret = -EAGAIN;

	if (w->size > PHYS_HUGE || PHYS_HUGE % w->align || w->low > 0 ||
		w->high < PHYS_TOP)
		return phys_fail(-EPERM,
			"physical addresses, and more than 2 MiB in one "
			"piece, take CAP_SYS_ADMIN (AmbientCapabilities=)");
	if (w->size == AREA_PAGE && w->align == AREA_PAGE)
		return phys_one(PHYS_PAGES, w, run);
	if (!phys_can_pin())
		return -ENOSPC;
	for (int i = 0; ret == -EAGAIN && i < PHYS_MOVED; i++)
		ret = phys_one(PHYS_THP, w, run);
	if (ret == -ENOTTY || ret == -EINVAL)
		return phys_fail(-EPERM,
			"the kernel does not tell huge pages (Linux 6.7); "
			"CAP_SYS_ADMIN would do");
	if (ret == -EAGAIN && !phys_missing)
		phys_fail(ret, "the kernel gives no transparent huge pages "
			       "(/sys/kernel/mm/transparent_hugepage/enabled)");
	return ret == 0 ? 0 : -ENOSPC;
}

/* An empty mapping, exactly there if `at` is not NULL. */
static long phys_room_at(void *at, size_t size)
{
	int fixed = at ? MAP_FIXED_NOREPLACE : 0;
	long got = sys_mmap(at, size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);

	if (sys_is_error(got) || !at || got == (long)at)
		return sys_is_error(got) ? -ENOMEM : got;
	sys_munmap((void *)got, size); /* before Linux 4.17 it is only a wish */
	return -ENOMEM;
}

/* Is there room in the address space? RAM is another question. */
static int phys_room(void *at, size_t size)
{
	long got = phys_room_at(at, size);

	if (sys_is_error(got))
		return -ENOMEM;
	sys_munmap((void *)got, size);
	return 0;
}

/* Pages keep their frames, locks and pins when their mapping moves. */
static int phys_place(struct phys_run *run, void *at)
{
	struct area *a = run->area;
	size_t offset = (size_t)(run->base - a->base);
	long got = phys_room_at(at, a->reserved);

	if (sys_is_error(got))
		return -ENOMEM;
	got = sys_mremap(
		a->base, a->reserved, a->reserved, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	if (sys_is_error(got)) {
		sys_munmap(at, a->reserved);
		return -ENOMEM;
	}
	a->base = at;
	run->base = a->base + offset;
	return 0;
}

int phys_alloc(const struct phys_want *want, struct area *area, struct phys_run *run)
{
	struct phys_want w = *want;
	uint64_t self = 0;
	int ret;

	phys_missing = NULL;
	*area = (struct area){0};
	*run = (struct phys_run){.area = area};
	if (w.align == 0)
		w.align = AREA_PAGE;
	if (w.size == 0 || w.align % AREA_PAGE || w.low > w.high)
		return -EINVAL;
	if (w.size > SIZE_MAX / 2)
		return -ENOSPC;
	w.size = (w.size + AREA_PAGE - 1) & ~(AREA_PAGE - 1);
	if (w.size > w.high - w.low)
		return -ENOSPC;
	if (phys_room(w.exactly ? w.at : NULL, w.size) < 0)
		return -ENOMEM;
	if (area_check_memory(w.size) < 0)
		return -ENOSPC;
	/* the stack is present: does the kernel show us its frame? */
	ret = phys_address(&self, &self);
	ret = ret == 0 ? phys_search(&w, run) : phys_unprivileged(&w, run);
	if (ret == 0 && w.at && phys_place(run, w.at) < 0 && w.exactly) {
		area_release(area);
		ret = -ENOMEM;
	}
	if (ret < 0)
		*run = (struct phys_run){0};
	return ret;
}
