/* SPDX-License-Identifier: MIT */
/*
 * phys_find.c - populate units, sort them by where they lie, move neighbours together
 *
 * mremap(2) moves whole units without copying them, so units that are neighbours in RAM
 * become neighbours in the address space wherever the kernel had put them. Units outside
 * of the range that is wanted are held, so that the kernel gives others, and not sorted.
 *
 * Never locks or pins. Bound: n units are populated, sorted in n log n steps and moved.
 */
#include "phys_find.h"

#include <errno.h>
#include <sys/mman.h>

#include "os/sys.h"
#include "area_private.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

static const struct {
	size_t unit;
	int map_flags;
} phys_sources[] = {
	[PHYS_PAGES] = {AREA_PAGE, MAP_NORESERVE},
	[PHYS_THP] = {PHYS_HUGE, MAP_NORESERVE},
	[PHYS_HUGETLB] = {PHYS_HUGE, MAP_HUGETLB | 21 << MAP_HUGE_SHIFT},
	[PHYS_GIGANTIC] = {1UL << 30, MAP_HUGETLB | 30 << MAP_HUGE_SHIFT},
};

/* ---- mapping ---- */

static long phys_map(const struct phys_units *u, size_t bytes, int prot, int flags)
{
	size_t align = u->source == PHYS_THP ? PHYS_HUGE : AREA_PAGE;

	return area_map_aligned(NULL, bytes, align, prot, flags);
}

static int phys_populate(const struct phys_units *u, unsigned char *from, size_t n)
{
	size_t bytes = n * u->unit;

	sys_madvise(from, bytes, MADV_UNMERGEABLE);
	if (u->source == PHYS_THP)
		sys_madvise(from, bytes, MADV_HUGEPAGE);
	else if (u->source == PHYS_PAGES)
		sys_madvise(from, bytes, MADV_NOHUGEPAGE);
	return area_populate(from, bytes);
}

/* ---- looking ---- */

/* Frame of a unit whose pages are present and follow each other; 0 otherwise. */
static uint64_t phys_unit_frame(const uint64_t *entry, size_t pages)
{
	uint64_t first = PHYS_PFN(entry[0]);

	for (size_t i = 0; i < pages; i++)
		if (!(entry[i] & PHYS_PRESENT) || PHYS_PFN(entry[i]) != first + i)
			return 0;
	return first;
}

#define PHYS_BATCH 4096UL /* entries of the page map read at once */

/* Looks at units [i, to). */
static int phys_look(struct phys_units *u, size_t i, size_t to)
{
	uint64_t *entry = (uint64_t *)u->work;
	size_t pages = u->unit / AREA_PAGE, batch;
	int ret;

	/* of a gigantic page the first entry says enough: it cannot lie otherwise */
	if (pages > PHYS_BATCH)
		pages = 1;
	batch = pages == 1 && u->unit > AREA_PAGE ? 1 : PHYS_BATCH / pages;
	while (i < to) {
		if (batch > to - i)
			batch = to - i;
		ret = phys_entries(u->map + i * u->unit, batch * pages, entry);
		if (ret < 0)
			return ret;
		for (size_t k = 0; k < batch; k++, i++)
			u->pfn[i] = phys_unit_frame(entry + k * pages, pages);
	}
	return 0;
}

/* A unit that did not come as a huge page is made one, if the kernel can. */
static int phys_collapse(struct phys_units *u, size_t from, size_t to)
{
	int ret = 0;

	for (size_t i = from; i < to && ret == 0; i++)
		if (u->pfn[i] == 0 &&
			sys_madvise(u->map + i * u->unit, u->unit, MADV_COLLAPSE) == 0)
			ret = phys_look(u, i, i + 1);
	return ret;
}

/* ---- sorting: heap sort, for its bound and because it needs no memory ---- */

static void phys_sift(uint32_t *v, const uint64_t *key, size_t at, size_t n)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		uint32_t t = v[at];

		if (child + 1 < n && key[v[child + 1]] > key[v[child]])
			child++;
		if (key[t] >= key[v[child]])
			return;
		v[at] = v[child];
		v[child] = t;
	}
}

static void phys_sort(uint32_t *v, const uint64_t *key, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		phys_sift(v, key, i, n);
	while (n > 1) {
		uint32_t t = v[0];

		v[0] = v[--n];
		v[n] = t;
		phys_sift(v, key, 0, n);
	}
}

/* ---- together ---- */

void phys_units_drop(struct phys_units *u)
{
	if (u->map)
		sys_munmap(u->map, u->room * u->unit);
	if (u->work)
		sys_munmap(u->work, u->work_size);
	*u = (struct phys_units){0};
}

static int phys_units_map(struct phys_units *u)
{
	long got = phys_map(u, u->room * u->unit, PROT_READ | PROT_WRITE,
		phys_sources[u->source].map_flags);

	if (sys_is_error(got))
		return (int)got;
	u->map = (unsigned char *)got;
	return 0;
}

static int phys_units_work(struct phys_units *u)
{
	long got;

	u->work_size = u->room * (sizeof(*u->pfn) + sizeof(*u->order)) +
		       PHYS_BATCH * sizeof(uint64_t);
	got = sys_mmap(NULL, u->work_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_is_error(got))
		return (int)got;
	u->work = (unsigned char *)got;
	u->pfn = (uint64_t *)got + PHYS_BATCH;
	u->order = (uint32_t *)(u->pfn + u->room);
	return 0;
}

/* Limits of the address space, and of what is reserved of huge pages, leave less. */
int phys_units_open(struct phys_units *u, enum phys_source source, size_t n, size_t need)
{
	int ret;

	*u = (struct phys_units){.source = source, .unit = phys_sources[source].unit};
	for (u->room = n; (ret = phys_units_map(u)) < 0 && u->room > need;)
		u->room = u->room / 2 > need ? u->room / 2 : need;
	if (ret == 0)
		ret = phys_units_work(u);
	if (ret < 0)
		phys_units_drop(u);
	return ret;
}

int phys_units_more(
	struct phys_units *u, size_t n, const struct phys_want *w, bool collapse)
{
	size_t from = u->n, to = n < u->room - from ? from + n : u->room;
	int ret = phys_populate(u, u->map + from * u->unit, to - from);

	if (ret == 0)
		ret = phys_look(u, from, to);
	if (ret == 0 && collapse && u->source == PHYS_THP)
		ret = phys_collapse(u, from, to);
	if (ret < 0)
		return ret;
	for (size_t i = from; i < to; i++) {
		uint64_t at = u->pfn[i] << PHYS_PAGE_SHIFT;

		u->whole += at != 0;
		if (at && at < w->high && at + u->unit > w->low)
			u->order[u->inside++] = (uint32_t)i;
	}
	u->n = to;
	phys_sort(u->order, u->pfn, u->inside);
	return 0;
}

int phys_unit_make(struct phys_units *u, enum phys_source source)
{
	int ret;

	*u = (struct phys_units){
		.source = source, .unit = phys_sources[source].unit, .room = 1};
	ret = phys_units_map(u);
	if (ret == 0)
		ret = phys_populate(u, u->map, 1);
	if (ret < 0)
		phys_units_drop(u);
	else if (source == PHYS_THP && phys_is_huge(u->map, PHYS_HUGE) != 1)
		sys_madvise(u->map, PHYS_HUGE, MADV_COLLAPSE);
	return ret;
}

/* Where in [lo, hi) of RAM what is wanted fits, or PHYS_UNKNOWN. */
static uint64_t phys_fit(const struct phys_want *w, uint64_t lo, uint64_t hi)
{
	if (lo < w->low)
		lo = w->low;
	if (hi > w->high)
		hi = w->high;
	lo = lo % w->align ? lo + w->align - lo % w->align : lo;
	return lo < hi && hi - lo >= w->size ? lo : PHYS_UNKNOWN;
}

bool phys_units_find(
	const struct phys_units *u, const struct phys_want *w, struct phys_found *f)
{
	size_t pages = u->unit / AREA_PAGE, i = 0, end;
	uint64_t lo, at;

	for (; i < u->inside; i = end) {
		for (end = i + 1; end < u->inside; end++)
			if (u->pfn[u->order[end]] != u->pfn[u->order[end - 1]] + pages)
				break;
		lo = u->pfn[u->order[i]] << PHYS_PAGE_SHIFT;
		at = phys_fit(w, lo, lo + (end - i) * u->unit);
		if (at == PHYS_UNKNOWN)
			continue;
		f->first = i + (at - lo) / u->unit;
		f->offset = (at - lo) % u->unit;
		f->count = (f->offset + w->size + u->unit - 1) / u->unit;
		f->phys = at;
		return true;
	}
	return false;
}

long phys_units_gather(struct phys_units *u, const struct phys_found *f)
{
	size_t done = 0, together;
	long to = phys_map(u, f->count * u->unit, PROT_NONE,
		phys_sources[u->source].map_flags | MAP_NORESERVE);
	long ret;

	if (sys_is_error(to))
		return to;
	for (; done < f->count; done += together) {
		const uint32_t *from = u->order + f->first + done;

		/* units that already follow each other move in one call */
		for (together = 1; done + together < f->count; together++)
			if (from[together] != from[0] + together)
				break;
		ret = sys_mremap(u->map + from[0] * u->unit, together * u->unit,
			together * u->unit, MREMAP_MAYMOVE | MREMAP_FIXED,
			(void *)(to + (long)(done * u->unit)));
		if (sys_is_error(ret)) {
			sys_munmap((void *)to, f->count * u->unit);
			return ret;
		}
	}
	return to;
}
