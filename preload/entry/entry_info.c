/* SPDX-License-Identifier: MIT */
/*
 * entry_info.c - the parts of malloc's family that tune and tell
 *
 * Figures are jemalloc's own plus the pools'. Never on the realtime path.
 */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "entry.h"

struct entry_figures {
	size_t allocated, active, mapped; /* jemalloc */
	size_t pool_used, pool_span;
};

static size_t entry_stat(const char *name)
{
	size_t value = 0, len = sizeof(value);

	je_mallctl(name, &value, &len, NULL, 0);
	return value;
}

static void entry_add_pool(struct pool *p, void *arg)
{
	struct entry_figures *f = arg;
	size_t available = pool_available(p);

	f->pool_span += p->area.committed;
	f->pool_used += p->area.committed > available ? p->area.committed - available : 0;
}

static void entry_figures(struct entry_figures *f)
{
	uint64_t epoch = 1;
	size_t len = sizeof(epoch);

	base_init();
	je_mallctl("epoch", &epoch, &len, &epoch, len);
	*f = (struct entry_figures){
		.allocated = entry_stat("stats.allocated"),
		.active = entry_stat("stats.active"),
		.mapped = entry_stat("stats.mapped"),
	};
	pools_each(entry_add_pool, f);
}

EXPORT struct mallinfo2 mallinfo2(void)
{
	struct entry_figures f;

	entry_figures(&f);
	return (struct mallinfo2){
		.arena = f.mapped + f.pool_span,
		.uordblks = f.allocated + f.pool_used,
		.fordblks = f.mapped - f.allocated + f.pool_span - f.pool_used,
		.keepcost = f.mapped - f.active,
	};
}

static int entry_clip(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = entry_clip(m.arena),
		.uordblks = entry_clip(m.uordblks),
		.fordblks = entry_clip(m.fordblks),
		.keepcost = entry_clip(m.keepcost),
	};
}

static void entry_info_pool(struct pool *p, void *arg)
{
	fprintf(arg,
		"<pool name=\"%s\" committed=\"%zu\" locked=\"%zu\" "
		"available=\"%zu\"/>\n",
		p->name, p->area.committed, p->area.locked, pool_available(p));
}

EXPORT int malloc_info(int options, FILE *out)
{
	struct entry_figures f;

	if (options != 0) {
		errno = EINVAL;
		return -1;
	}
	entry_figures(&f);
	fprintf(out,
		"<malloc version=\"rtmem-1\">\n"
		"<total type=\"allocated\" size=\"%zu\"/>\n"
		"<total type=\"active\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n",
		f.allocated, f.active, f.mapped);
	pools_each(entry_info_pool, out);
	fputs("</malloc>\n", out);
	return 0;
}

EXPORT void malloc_stats(void)
{
	je_malloc_stats_print(NULL, NULL, "mdablxe");
}

EXPORT int malloc_trim(size_t pad)
{
	base_init();
	/* 4096: jemalloc's name for all arenas */
	return je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0) == 0;
}

/*
 * Accepted, as programs expect. The usual realtime recipe (never trim, never mmap) means:
 * keep what is warm.
 */
EXPORT int mallopt(int param, int value)
{
	base_init();
	if ((param == M_TRIM_THRESHOLD && value < 0) ||
		(param == M_MMAP_MAX && value == 0))
		base_keep_pages();
	return 1;
}
