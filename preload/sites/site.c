// SPDX-License-Identifier: MIT
/*
 * site.c - which call-site rules hold, and how that follows reloads, dlopen and dlclose
 *
 * The realtime side is site_match(): a hit is one look-up (site_fast), everything else is
 * site_resolve.c and site_walk.c. The rest of this file runs under the site lock.
 */
#include "site.h"

#include "os/child.h"
#include "site_lock.h"
#include "site_private.h"
#include "site_thread.h"

static struct match_process policy; /* whose rules the world answers for */
bool site_every;

/* --- realtime side ------------------------------------------------------- */

/* As site_fast(), for an address that may be new. Cold: a hit does not come here. */
static bool first_frame(uintptr_t ret, uint64_t want, uint64_t *holds)
{
	/* acquire: pairs with the store in site_init() and renew_if_crowded() */
	struct site_world *w = __atomic_load_n(&site_world, __ATOMIC_ACQUIRE);
	uint64_t value = site_table_get(w, ret);
	const struct site_class *c;

	if (!value)
		value = site_resolve(w, ret);
	c = &w->class[SITE_CLASS(value)];
	*holds = want & c->holds;
	return !(want & ~c->decided);
}

/* What site_fast() could not say: from the cache, the first frame, or a walk. */
static uint64_t match(
	const struct site_frame *f, uintptr_t from, uint64_t want, struct site_walked **e)
{
	uint64_t holds;

	*e = site_walk_remembered(f, from, want, &holds);
	if (*e || first_frame(from ? from : f->ret, want, &holds))
		return holds;
	return site_walk(
		__atomic_load_n(&site_world, __ATOMIC_ACQUIRE), f, from, want, e);
}

uint64_t site_match_walked(
	const struct site_frame *f, uint64_t want, struct site_walked **e)
{
	return match(f, 0, want, e);
}

uint64_t site_match(const struct site_frame *f, uint64_t want)
{
	struct site_walked *e;

	return want ? match(f, 0, want, &e) : 0;
}

__attribute__((noinline)) uint64_t site_match_here(uintptr_t ret, uint64_t want)
{
	struct site_walked *e;
	struct site_frame f;
	uint64_t holds;

	if (!want)
		return 0;
	if (site_fast(ret, want, &holds))
		return holds;
	/* one instruction stream: all four belong to this very point of this function */
	__asm__ volatile("lea 0(%%rip), %0\n\t"
			 "mov %%rsp, %1\n\t"
			 "mov %%rbp, %2\n\t"
			 "mov %%rbx, %3"
			 : "=&r"(f.ret), "=&r"(f.cfa), "=&r"(f.rbp), "=&r"(f.rbx));
	return match(&f, ret, want, &e);
}

/* --- slow side ----------------------------------------------------------- */

void site_walk_everything(void)
{
	site_every = true;
}

uint64_t site_init(const struct match_process *m)
{
	struct site_world *w, *old;
	uint64_t rules = 0;
	bool any = site_every;

	for (int i = 0; i < m->nrule; i++)
		any |= m->rule[i]->callsite.n > 0;
	site_lock();
	old = site_world;
	w = any || old ? site_world_new(m) : NULL;
	if (w && site_modules_first(w, m, old)) {
		rules = w->rules;
		policy = *m;
		/* seq_cst: the world is complete; walks of the old one are stale; who
		 * resolves in the old one from here on finds out (site_resolve) */
		__atomic_store_n(&site_world, w, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
		if (old) {
			site_modules_drop(old);
			site_world_give(old);
		}
	} else if (w) {
		site_world_give(w);
	}
	site_unlock();
	return rules;
}

void site_edit_rules(void (*fn)(struct match_process *, const struct match_process *),
	const struct match_process *m)
{
	site_lock();
	fn(&policy, m);
	site_unlock();
}

/* Leaves dead keys behind when they crowd the table. */
static void renew_if_crowded(void)
{
	struct site_world *w;
	uint32_t alive;

	if (!site_table_crowded(site_world, &alive))
		return;
	w = site_world_renew(site_world);
	if (!w)
		return;
	/* seq_cst: as in site_init(); who still reads the old world loses nothing: what
	 * it knows of the frames on a live stack stays true while they are there */
	__atomic_store_n(&site_world, w, __ATOMIC_SEQ_CST);
}

static void refresh(void)
{
	if (site_world)
		site_modules_refresh(site_world, &policy);
}

void site_modules_changed(void)
{
	if (!site_world)
		return;
	site_lock();
	refresh();
	site_unlock();
}

void site_module_closing(void *handle)
{
	const struct site_modules *l;

	if (!site_world)
		return;
	site_lock();
	/* seq_cst, all: first nobody remembers, then nobody believes, then all is cleared
	 */
	__atomic_fetch_add(&site_closing, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
	l = site_world->modules;
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->module[i]->dynamic)
			site_table_forget(site_world, l->module[i]->lo, l->module[i]->hi);
	}
	site_unlock();
}

void site_module_closed(void)
{
	if (!site_world)
		return;
	site_lock();
	refresh();
	renew_if_crowded();
	/* walks remembered meanwhile passed modules that were not to be remembered */
	__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&site_closing, __ATOMIC_SEQ_CST) > 0)
		__atomic_fetch_sub(&site_closing, 1, __ATOMIC_SEQ_CST);
	site_unlock();
}

void site_poll(void)
{
	uintptr_t addr;
	bool due = false;

	if (!site_world)
		return;
	site_lock();
	while ((addr = site_pending_take()))
		due = true;
	if (due || site_modules_stale())
		refresh();
	site_modules_reap();
	renew_if_crowded();
	site_unlock();
}

void site_child(void)
{
	site_lock_child();
	site_thread_child();
	/* resolves and closes of threads that do not exist here */
	CHILD_SET(site_active, 0);
	CHILD_SET(site_closing, 0);
}
