/* SPDX-License-Identifier: MIT */
/*
 * phys_search.c - contiguous memory: which sources are tried, and how far
 *
 * The sources: huge pages that were reserved (2 MiB, 1 GiB); transparent huge pages,
 * collapsed where they did not come by themselves; then ordinary pages. A small request
 * tries ordinary pages first and reserved huge pages last. A source that cannot serve,
 * for any reason (the processor has no 1 GiB pages, a filter forbids a call, a limit),
 * passes on to the next.
 *
 * The kernel hands out memory from the top, so low memory comes last. If no page lay in
 * the requested range, and memory is free there, pages from elsewhere are held until the
 * range is reached: whole zones above it (phys_hold.c), then huge pages, which leave the
 * small rest to other programs, then the remaining pages.
 *
 * Bound: PHYS_BUDGET, 4 GiB of it take some five seconds; for the range, the machine's
 * free memory but for PHYS_SPARE, once, at the speed at which the kernel clears it.
 */
#include "phys_find.h"

#include <errno.h>
#include <sys/mman.h>

/* Populated at most, of a source: this, or PHYS_FACTOR times what is wanted up to
 * PHYS_BUDGET_MAX, and never more than half of what the machine can give. */
#define PHYS_BUDGET	  (1UL << 30)
#define PHYS_BUDGET_PAGES (64UL << 20)
#define PHYS_FACTOR	  256
#define PHYS_BUDGET_MAX	  (4UL << 30)
#define PHYS_BLOCK	  (4UL << 20)	/* the largest block of the kernel's allocator */
#define PHYS_SMALL	  (64UL << 10)	/* up to this, no huge page is used up */
#define PHYS_STEP	  (256UL << 20) /* populated at once at most */
#define PHYS_TRIES	  3		/* pages that moved between looking and pinning */
/* Left to everybody else while a range is looked for: 1/16 of what there is, and */
#define PHYS_SPARE     (1UL << 30) /* at most */
#define PHYS_SPARE_MIN (256UL << 20)

/* How much of a source may be populated. */
struct phys_budget {
	size_t inside; /* bytes in the range that is wanted */
	size_t all;
	size_t spare; /* bytes that have to stay free; 0: none */
};

static struct phys_budget phys_budget_near(size_t unit, const struct phys_want *w)
{
	size_t most = unit == AREA_PAGE ? PHYS_BUDGET_PAGES : PHYS_BUDGET;
	size_t have = area_memory_available() / 2;

	if (unit > AREA_PAGE && w->size > most / PHYS_FACTOR)
		most = w->size > PHYS_BUDGET_MAX / PHYS_FACTOR ? PHYS_BUDGET_MAX
							       : w->size * PHYS_FACTOR;
	most = most < have ? most : have;
	return (struct phys_budget){most, most, 0};
}

static struct phys_budget phys_budget_far(size_t unit, const struct phys_want *w)
{
	struct phys_budget b = phys_budget_near(unit, w);
	size_t have = area_memory_available();

	if (have == SIZE_MAX) /* nobody said how far one may go */
		return b;
	b.spare = have / 16 < PHYS_SPARE ? have / 16 : PHYS_SPARE;
	if (b.spare < PHYS_SPARE_MIN)
		b.spare = PHYS_SPARE_MIN;
	b.all = have > b.spare ? have - b.spare : 0;
	return b;
}

/* Units of the first step. */
static size_t phys_first(
	const struct phys_units *u, size_t need, const struct phys_want *w)
{
	if (u->unit == AREA_PAGE && need < PHYS_SMALL / AREA_PAGE)
		return PHYS_SMALL / AREA_PAGE;
	/* what does not fit one block of the kernel's allocator is found among many */
	if (w->size > PHYS_BLOCK && u->source == PHYS_THP)
		return need * 8;
	return need;
}

/* No more memory comes in units, or others need what is left. */
static bool phys_dry(const struct phys_units *u, size_t whole, size_t step,
	const struct phys_budget *b)
{
	if (b->spare == 0)
		return false;
	return u->whole - whole < step / 2 || area_memory_available() < b->spare;
}

/* Populates ever more units, as long as the budget lasts. The units are the caller's to
 * drop, on failure, too. */
static int phys_look_for(struct phys_units *u, enum phys_source source, size_t unit,
	const struct phys_budget *b, const struct phys_want *w, struct phys_found *f)
{
	size_t need = (w->size + unit - 1) / unit, most = PHYS_STEP / unit + 1;
	size_t step, whole;
	int ret;

	*u = (struct phys_units){0};
	if (need > b->all / unit)
		return -ENOSPC;
	ret = phys_units_open(u, source, b->all / unit, need);
	for (step = phys_first(u, need, w); ret == 0; step *= 3) {
		step = step < most || step < need ? step : most;
		whole = u->whole;
		ret = phys_units_more(u, step, w, b->spare == 0);
		if (ret == 0 && phys_units_find(u, w, f))
			return 0;
		if (u->n == u->room || u->inside >= b->inside / unit ||
			phys_dry(u, whole, step, b))
			break;
	}
	return -ENOSPC;
}

/* Moves together what was found, gives the rest back, and keeps it where it is. */
static int phys_take(struct phys_units *u, const struct phys_found *f,
	const struct phys_want *w, struct phys_run *run)
{
	long at = phys_units_gather(u, f);

	run->source = u->source;
	run->size = w->size;
	run->phys = f->phys;
	if (!(at < 0 && at > -4096)) {
		run->area->base = (unsigned char *)at;
		run->area->reserved = f->count * u->unit;
		run->base = run->area->base + f->offset;
	}
	phys_units_drop(u);
	return at < 0 && at > -4096 ? -ENOSPC : phys_finish(run);
}

static int phys_try(enum phys_source source, size_t unit, const struct phys_want *w,
	struct phys_run *run)
{
	struct phys_budget b = phys_budget_near(unit, w);
	struct phys_units u;
	struct phys_found f;
	int ret = -EAGAIN;

	for (int i = 0; i < PHYS_TRIES && ret == -EAGAIN; i++) {
		ret = phys_look_for(&u, source, unit, &b, w, &f);
		if (ret == 0)
			ret = phys_take(&u, &f, w, run);
		else
			phys_units_drop(&u);
	}
	return ret == 0 ? 0 : -ENOSPC;
}

/* Pages, while huge pages that lie elsewhere are held. */
static int phys_try_rest(const struct phys_want *w, struct phys_run *run)
{
	struct phys_budget b = phys_budget_far(AREA_PAGE, w);
	struct phys_units u;
	struct phys_found f;
	int ret = phys_look_for(&u, PHYS_PAGES, AREA_PAGE, &b, w, &f);

	if (ret == 0)
		return phys_take(&u, &f, w, run);
	phys_units_drop(&u);
	return ret;
}

static int phys_try_beyond(const struct phys_want *w, struct phys_run *run)
{
	struct phys_budget b = phys_budget_far(PHYS_HUGE, w);
	struct phys_units u;
	struct phys_found f;
	int ret = phys_look_for(&u, PHYS_THP, PHYS_HUGE, &b, w, &f);

	if (ret == 0)
		return phys_take(&u, &f, w, run);
	ret = phys_try_rest(w, run);
	phys_units_drop(&u);
	return ret;
}

/* What the kernel hands out as it is. */
static int phys_try_near(const struct phys_want *w, struct phys_run *run)
{
	bool small = w->size <= PHYS_SMALL;
	int ret = -ENOSPC;

	if (small)
		ret = phys_try(PHYS_PAGES, AREA_PAGE, w, run);
	if (ret < 0)
		ret = phys_try(PHYS_THP, PHYS_HUGE, w, run);
	if (ret < 0 && !small)
		ret = phys_try(PHYS_PAGES, AREA_PAGE, w, run);
	return ret;
}

static int phys_try_far(const struct phys_want *w, struct phys_run *run)
{
	struct phys_hold h;
	int ret;

	phys_hold(&h, w, phys_budget_far(PHYS_HUGE, w).spare);
	ret = phys_try_near(w, run);
	if (ret < 0)
		ret = phys_try_beyond(w, run);
	phys_hold_drop(&h);
	return ret;
}

static int phys_try_reserved(const struct phys_want *w, struct phys_run *run)
{
	int ret = phys_try(PHYS_HUGETLB, PHYS_HUGE, w, run);

	return ret == 0 ? 0 : phys_try(PHYS_GIGANTIC, 1UL << 30, w, run);
}

int phys_search(const struct phys_want *w, struct phys_run *run)
{
	bool anywhere = w->low == 0 && w->high >= PHYS_TOP, any;
	struct phys_free there = {SIZE_MAX, 0};
	int ret = -ENOSPC;

	if (!anywhere)
		phys_zone_free(w, &there);
	/* what cannot be pinned is of hugetlbfs, or not at all */
	any = phys_can_pin() && there.inside >= w->size;
	if (!w->inherit && w->size > PHYS_SMALL)
		ret = phys_try_reserved(w, run);
	if (ret < 0 && any && there.above < PHYS_BUDGET)
		ret = phys_try_near(w, run);
	if (ret < 0 && !w->inherit && w->size <= PHYS_SMALL)
		ret = phys_try_reserved(w, run);
	if (ret < 0 && any && !anywhere)
		ret = phys_try_far(w, run);
	return ret;
}
