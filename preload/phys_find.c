/* SPDX-License-Identifier: MIT */
/*
 * phys_find.c - populate units, sort them by where they lie, move neighbours together
 *
 * mremap(2) moves whole units without copying them, so units that are neighbours in RAM
 * become neighbours in the address space wherever the kernel had put them.
 *
 * Never locks or pins. Bound: n units are populated, sorted in n log n steps and moved.
 */
#include "phys_find.h"

#include <errno.h>
#include <sys/mman.h>

#include "area_private.h"
#include "sys.h"

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
	size_t extra = u->source == PHYS_THP ? PHYS_HUGE : 0;
	long got = sys_mmap(
		NULL, bytes + extra, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	size_t head;

	if (sys_is_error(got) || !extra)
		return got;
	head = -(size_t)got & (extra - 1);
	if (head)
		sys_munmap((void *)got, head);
	if (head < extra)
		sys_munmap((char *)got + head + bytes, extra - head);
	return got + (long)head;
}

/* A unit that did not come as a huge page is made one, if the kernel can. */
static void phys_collapse(unsigned char *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (phys_is_huge(map + i * PHYS_HUGE, PHYS_HUGE) != 1)
			sys_madvise(map + i * PHYS_HUGE, PHYS_HUGE, MADV_COLLAPSE);
}

static int phys_populate(struct phys_units *u)
{
	size_t bytes = u->n * u->unit;
	int ret;

	sys_madvise(u->map, bytes, MADV_UNMERGEABLE);
	if (u->source == PHYS_THP)
		sys_madvise(u->map, bytes, MADV_HUGEPAGE);
	else if (u->source == PHYS_PAGES)
		sys_madvise(u->map, bytes, MADV_NOHUGEPAGE);
	ret = area_populate(u->map, bytes);
	if (ret == 0 && u->source == PHYS_THP)
		phys_collapse(u->map, u->n);
	return ret;
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

static int phys_look(struct phys_units *u, uint64_t *entry, size_t room)
{
	size_t pages = u->unit / AREA_PAGE, batch, i = 0;
	int ret;

	/* of a gigantic page the first entry says enough: it cannot lie otherwise */
	if (pages > room)
		pages = 1;
	batch = pages == 1 && u->unit > AREA_PAGE ? 1 : room / pages;
	while (i < u->n) {
		if (batch > u->n - i)
			batch = u->n - i;
		ret = phys_entries(u->map + i * u->unit, batch * pages, entry);
		if (ret < 0)
			return ret;
		for (size_t k = 0; k < batch; k++, i++)
			u->pfn[i] = phys_unit_frame(entry + k * pages, pages);
	}
	return 0;
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
		sys_munmap(u->map, u->n * u->unit);
	if (u->work)
		sys_munmap(u->work, u->work_size);
	*u = (struct phys_units){0};
}

int phys_units_map(struct phys_units *u)
{
	long got = phys_map(u, u->n * u->unit, PROT_READ | PROT_WRITE,
		phys_sources[u->source].map_flags);

	if (sys_is_error(got))
		return (int)got;
	u->map = (unsigned char *)got;
	return phys_populate(u);
}

#define PHYS_BATCH 4096UL /* entries of the page map read at once */

int phys_units_make(struct phys_units *u, enum phys_source source, size_t n)
{
	int ret;
	long got;

	*u = (struct phys_units){
		.source = source, .unit = phys_sources[source].unit, .n = n};
	u->work_size =
		n * (sizeof(*u->pfn) + sizeof(*u->order)) + PHYS_BATCH * sizeof(uint64_t);
	got = sys_mmap(NULL, u->work_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_is_error(got))
		return (int)got;
	u->work = (unsigned char *)got;
	u->pfn = (uint64_t *)got + PHYS_BATCH;
	u->order = (uint32_t *)(u->pfn + n);
	ret = phys_units_map(u);
	if (ret == 0)
		ret = phys_look(u, (uint64_t *)u->work, PHYS_BATCH);
	if (ret < 0) {
		phys_units_drop(u);
		return ret;
	}
	for (size_t i = 0; i < n; i++)
		if (u->pfn[i])
			u->order[u->usable++] = (uint32_t)i;
	phys_sort(u->order, u->pfn, u->usable);
	return 0;
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

	for (; i < u->usable; i = end) {
		for (end = i + 1; end < u->usable; end++)
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
