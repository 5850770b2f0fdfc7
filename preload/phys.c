/* SPDX-License-Identifier: MIT */
/*
 * phys.c - contiguous memory: which sources are tried, and what is done to keep it so
 *
 * The sources, in this order: a few pages for what is small; huge pages that were
 * reserved (2 MiB, 1 GiB); transparent huge pages, collapsed where they did not come by
 * themselves, ever more of them; then ordinary pages. Bound: see PHYS_BUDGET; 4 GiB take
 * some five seconds.
 */
#include "phys.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "area_private.h"
#include "phys_find.h"
#include "sys.h"

/* Populated at most, of a source: this, or PHYS_FACTOR times what is wanted up to
 * PHYS_BUDGET_MAX, and never more than half of what the machine can give. */
#define PHYS_BUDGET	  (1UL << 30)
#define PHYS_BUDGET_PAGES (64UL << 20)
#define PHYS_FACTOR	  256
#define PHYS_BUDGET_MAX	  (4UL << 30)
#define PHYS_BLOCK	  (4UL << 20)  /* the largest block of the kernel's allocator */
#define PHYS_SMALL	  (64UL << 10) /* up to this, no huge page is used up */
#define PHYS_PINS	  10	       /* attempts at a pin, 20 ms apart */
#define PHYS_TRIES	  3	       /* pages that moved between looking and pinning */

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

/* A huge page stays whole where that is the only proof of what it is. */
static void phys_trim(struct phys_run *run)
{
	unsigned char *end = run->area->base + run->area->reserved;

	if (run->source >= PHYS_HUGETLB || run->phys == PHYS_UNKNOWN)
		return;
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

static int phys_keep(struct phys_run *run)
{
	uint64_t signals;
	int error = 0;

	phys_trim(run);
	run->area->committed = run->area->reserved;
	run->area->flags = AREA_LOCK | AREA_REQUIRE | AREA_PIN;
	area_acquire(&signals);
	run->area->locked = area_lock_pages(run->area->base, run->area->reserved, &error);
	area_release_lock(&signals);
	for (int i = 0; error == 0 && i < PHYS_PINS; i++)
		if (phys_pin(run->area, i > 0))
			break;
	if (error != 0)
		return phys_fail(-ENOSPC, "RLIMIT_MEMLOCK is too small to lock it");
	/* the kernel moves no page of hugetlbfs by itself; of others, any that is not
	 * pinned */
	if (run->source < PHYS_HUGETLB && run->area->pinned < run->area->reserved)
		return phys_fail(-ENOSPC,
			"it cannot be pinned: io_uring is forbidden "
			"(kernel.io_uring_disabled) or RLIMIT_MEMLOCK is "
			"too small");
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

static int phys_finish(struct phys_run *run)
{
	int ret = phys_keep(run);

	if (ret == 0)
		ret = phys_verify(run);
	if (ret < 0)
		area_release(run->area);
	return ret;
}

/* ---- sources ---- */

/* n units of one source. 0, -ENOSPC when nothing fits, or another negative errno. */
static int phys_try(enum phys_source source, size_t n, const struct phys_want *w,
	struct phys_run *run)
{
	struct phys_units u;
	struct phys_found f;
	int ret = phys_units_make(&u, source, n);
	long at;

	if (ret < 0)
		return ret == -ENOMEM || ret == -EFAULT ? -ENOSPC : ret;
	if (!phys_units_find(&u, w, &f)) {
		phys_units_drop(&u);
		return -ENOSPC;
	}
	at = phys_units_gather(&u, &f);
	run->source = source;
	run->size = w->size;
	run->phys = f.phys;
	if (!sys_is_error(at)) {
		run->area->base = (unsigned char *)at;
		run->area->reserved = f.count * u.unit;
		run->base = run->area->base + f.offset;
	}
	phys_units_drop(&u);
	return sys_is_error(at) ? (int)at : phys_finish(run);
}

/* How much of a source may be populated to find w->size bytes in it. */
static size_t phys_budget(size_t unit, const struct phys_want *w)
{
	size_t most = unit == AREA_PAGE ? PHYS_BUDGET_PAGES : PHYS_BUDGET;
	size_t have = area_memory_available() / 2;

	if (unit > AREA_PAGE && w->size > most / PHYS_FACTOR)
		most = w->size > PHYS_BUDGET_MAX / PHYS_FACTOR ? PHYS_BUDGET_MAX
							       : w->size * PHYS_FACTOR;
	return most < have ? most : have;
}

/* Ever more units, as long as the budget lasts. */
static int phys_try_more(enum phys_source source, size_t unit, const struct phys_want *w,
	struct phys_run *run)
{
	size_t need = (w->size + unit - 1) / unit, n = need;
	size_t most = phys_budget(unit, w) / unit;
	int ret = -ENOSPC, moved = 0;

	if (unit == AREA_PAGE && n < PHYS_SMALL / AREA_PAGE)
		n = PHYS_SMALL / AREA_PAGE;
	/* what does not fit one block of the kernel's allocator is found among many */
	if (w->size > PHYS_BLOCK && source == PHYS_THP)
		n *= 8;
	while (need <= most) {
		n = n < most ? n : most;
		ret = phys_try(source, n, w, run);
		if (ret == -EAGAIN && ++moved < PHYS_TRIES)
			continue;
		if (ret != -ENOSPC || phys_missing || n == most)
			break;
		n *= 4;
	}
	return ret == -EAGAIN ? -ENOSPC : ret;
}

static int phys_privileged(const struct phys_want *w, struct phys_run *run)
{
	static const struct {
		enum phys_source source;
		size_t unit;
	} order[] = {
		{PHYS_HUGETLB, PHYS_HUGE},
		{PHYS_GIGANTIC, 1UL << 30},
		{PHYS_THP, PHYS_HUGE},
		{PHYS_PAGES, AREA_PAGE},
	};
	int ret = -ENOSPC;

	if (w->size <= PHYS_SMALL)
		ret = phys_try_more(PHYS_PAGES, AREA_PAGE, w, run);
	for (size_t i = 0; ret == -ENOSPC && !phys_missing && i < 4; i++)
		if (!w->inherit || order[i].source < PHYS_HUGETLB)
			ret = phys_try_more(order[i].source, order[i].unit, w, run);
	return ret;
}

static int phys_one_huge(const struct phys_want *w, struct phys_run *run)
{
	struct phys_units u = {.source = PHYS_THP, .unit = PHYS_HUGE, .n = 1};
	int ret = phys_units_map(&u);

	if (ret < 0) {
		phys_units_drop(&u);
		return ret;
	}
	run->area->base = run->base = u.map;
	run->area->reserved = PHYS_HUGE;
	run->size = w->size;
	run->phys = PHYS_UNKNOWN;
	run->source = PHYS_THP;
	return phys_finish(run);
}

/* Without frame numbers: one transparent huge page, if that is all that was asked. */
static int phys_unprivileged(const struct phys_want *w, struct phys_run *run)
{
	int ret = -EAGAIN;

	if (w->size > PHYS_HUGE || PHYS_HUGE % w->align || w->low > 0 ||
		w->high < 1ULL << 52)
		return phys_fail(-EPERM,
			"physical addresses, and more than 2 MiB in one "
			"piece, take CAP_SYS_ADMIN (AmbientCapabilities=)");
	for (int i = 0; ret == -EAGAIN && i < PHYS_TRIES; i++)
		ret = phys_one_huge(w, run);
	if (ret == -ENOTTY || ret == -EINVAL)
		return phys_fail(-EPERM,
			"the kernel does not tell huge pages (Linux 6.7); "
			"CAP_SYS_ADMIN would do");
	if (ret == -EAGAIN && !phys_missing)
		phys_fail(ret, "the kernel gives no transparent huge pages "
			       "(/sys/kernel/mm/transparent_hugepage/enabled)");
	return ret == -EAGAIN ? -ENOSPC : ret;
}

/* An empty mapping, exactly there if `at` is not NULL. */
static long phys_hold(void *at, size_t size)
{
	int fixed = at ? MAP_FIXED_NOREPLACE : 0;
	long got = sys_mmap(at, size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);

	if (sys_is_error(got) || !at || got == (long)at)
		return sys_is_error(got) ? -ENOMEM : got;
	sys_munmap((void *)got, size); /* before Linux 4.17 it is only a wish */
	return -ENOMEM;
}

/* Is there room in the address space, whatever there is in RAM? */
static int phys_room(void *at, size_t size)
{
	long got = phys_hold(at, size);

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
	long got = phys_hold(at, a->reserved);

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
	if (w.size > w.high - w.low || area_check_memory(w.size) < 0)
		return -ENOSPC;
	if (phys_room(w.exactly ? w.at : NULL, w.size) < 0)
		return -ENOMEM;
	/* the stack is present: does the kernel show us its frame? */
	ret = phys_address(&self, &self);
	ret = ret == 0 ? phys_privileged(&w, run) : phys_unprivileged(&w, run);
	if (ret == 0 && w.at && phys_place(run, w.at) < 0 && w.exactly) {
		area_release(area);
		ret = -ENOMEM;
	}
	if (ret < 0)
		*run = (struct phys_run){0};
	return ret;
}
