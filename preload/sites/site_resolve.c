// SPDX-License-Identifier: MIT
/*
 * site_resolve.c - a return address seen for the first time
 *
 * _dl_find_object(3) names the object in 4 ns without a lock; the object's compiled
 * record gives the verdict of the function by binary search, its .eh_frame the recipe.
 * The record must describe the object that is loaded now: same mapping, same link map,
 * same unwind data, same name. An object nobody has compiled is left for site_poll().
 *
 * Realtime: yes, all of it. Bound: a look-up by _dl_find_object, two binary searches, one
 * string compare, one run of site_cfi_recipe().
 */
#include <dlfcn.h>

#include "os/child.h"
#include "site_private.h"

enum { PENDING = 32, NAME_MAX_COMPARED = 4096 };

CHILD_DATA uint32_t site_closing;
CHILD_DATA uint32_t site_active;

/* Addresses in modules that are not compiled; lossy, each is seen again. Relaxed: the
 * number is all there is. */
static uintptr_t pending[PENDING];

static void pending_put(uintptr_t addr)
{
	__atomic_store_n(&pending[(addr >> 4) % PENDING], addr, __ATOMIC_RELAXED);
}

uintptr_t site_pending_take(void)
{
	for (unsigned i = 0; i < PENDING; i++) {
		if (__atomic_load_n(&pending[i], __ATOMIC_RELAXED))
			return __atomic_exchange_n(&pending[i], 0, __ATOMIC_RELAXED);
	}
	return 0;
}

const struct site_module *site_module_at(const struct site_modules *l, uintptr_t addr)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->module[mid]->hi <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->module[lo]->lo <= addr ? l->module[lo] : NULL;
}

static bool same_name(const char *a, const char *b)
{
	for (unsigned i = 0; i < NAME_MAX_COMPARED; i++) {
		if (a[i] != b[i])
			return false;
		if (a[i] == '\0')
			return true;
	}
	return false;
}

/* Is the record about the object that is loaded there now? */
static bool current(const struct site_module *m, const struct dl_find_object *o)
{
	return m->lo == (uintptr_t)o->dlfo_map_start &&
	       m->hi == (uintptr_t)o->dlfo_map_end && m->map == o->dlfo_link_map &&
	       m->eh_frame == o->dlfo_eh_frame &&
	       same_name(m->name, o->dlfo_link_map->l_name);
}

static uint32_t verdict_at(const struct site_module *m, uintptr_t addr)
{
	uint32_t off = (uint32_t)(addr - m->lo), lo = 0, hi = m->ninterval;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->interval[mid].start <= off)
			lo = mid;
		else
			hi = mid;
	}
	return m->interval[lo].verdict;
}

/* Under site_active: the value, and whether it may be remembered. */
static uint64_t resolve(const struct site_compiled *w, uintptr_t addr, bool *keep)
{
	const struct site_module *m;
	struct dl_find_object o;
	uint64_t value;

	if (_dl_find_object((void *)addr, &o) != 0)
		return SITE_CLASS_NOTHING;
	/* acquire: pairs with the release in site_modules.c; the records are complete */
	m = site_module_at(__atomic_load_n(&w->modules, __ATOMIC_ACQUIRE), addr);
	if (!m || !current(m, &o)) {
		pending_put(addr);
		return 0;
	}
	value = verdict_at(m, addr);
	if (m->walked)
		value |= site_cfi_recipe(&m->cfi, addr) << SITE_RECIPE_SHIFT;
	/* seq_cst: set before the generation is bumped (site_module_closing) */
	*keep = !m->dynamic || !__atomic_load_n(&site_closing, __ATOMIC_SEQ_CST);
	return value;
}

uint64_t site_resolve(struct site_compiled *w, uintptr_t ret)
{
	uint64_t generation, value;
	bool keep;

	/* seq_cst: pairs with the look at site_active before records are freed */
	__atomic_fetch_add(&site_active, 1, __ATOMIC_SEQ_CST);
	generation = __atomic_load_n(&site_generation, __ATOMIC_SEQ_CST);
	/* only the present set's module records are kept for us; a call that a reload
	 * or a renewal has overtaken is answered "not known yet" */
	keep = false;
	value = w == __atomic_load_n(&site_compiled, __ATOMIC_SEQ_CST)
			? resolve(w, ret - 1, &keep)
			: 0;
	if (keep && SITE_CLASS(value) != SITE_CLASS_UNKNOWN)
		site_table_put(w, ret, value, generation);
	__atomic_fetch_sub(&site_active, 1, __ATOMIC_SEQ_CST);
	return value;
}
