// SPDX-License-Identifier: MIT
/*
 * site.c - which call-site rules hold, and how that follows reloads, dlopen and dlclose
 *
 * The realtime side is site_match(): a hit is one look-up (site_fast), everything else is
 * site_resolve.c and site_walk.c. The rest of this file runs under the site lock.
 */
#include "site.h"

#include "os/child.h"
#include "site_private.h"
#include "site_thread.h"

static struct match_process policy; /* whose rules are compiled */
bool site_every;
CHILD_DATA struct mutex site_mutex;

/* --- realtime side ------------------------------------------------------- */

/* As site_fast(), for an address that may be new. Cold: a hit does not come here. */
static bool first_frame(uintptr_t ret, uint64_t want, uint64_t *holds)
{
	/* acquire: pairs with the store in site_init() and renew_if_crowded() */
	struct site_compiled *w = __atomic_load_n(&site_compiled, __ATOMIC_ACQUIRE);
	uint64_t value = site_table_get(w, ret);
	const struct site_class *c;

	if (!value)
		value = site_resolve(w, ret);
	c = &w->class[SITE_CLASS(value)];
	*holds = want & c->holds;
	return !(want & ~c->decided);
}

/* What site_fast() could not say: from the cache, the first frame, or a walk. */
static uint64_t match(const struct site_frame *f, uint64_t want, struct site_walked **e)
{
	uint64_t holds;

	*e = site_walk_remembered(f, want, &holds);
	if (*e || first_frame(f->ret, want, &holds))
		return holds;
	return site_walk(__atomic_load_n(&site_compiled, __ATOMIC_ACQUIRE), f, want, e);
}

uint64_t site_match_walked(
	const struct site_frame *f, uint64_t want, struct site_walked **e)
{
	return match(f, want, e);
}

uint64_t site_match(const struct site_frame *f, uint64_t want)
{
	struct site_walked *e;

	return want ? match(f, want, &e) : 0;
}

/* --- slow side ----------------------------------------------------------- */

void site_walk_everything(void)
{
	site_every = true;
}

uint64_t site_init(const struct match_process *m)
{
	struct site_compiled *w, *old;
	uint64_t rules = 0;
	bool any = site_every;

	for (int i = 0; i < m->nrule; i++)
		any |= m->rule[i]->callsite.n > 0;
	mutex_acquire(&site_mutex);
	old = site_compiled;
	w = any || old ? site_compiled_new(m) : NULL;
	if (w && site_modules_first(w, m, old)) {
		rules = w->rules;
		policy = *m;
		/* seq_cst: the set is complete; walks of the old one are stale; who
		 * resolves in the old one from here on finds out (site_resolve) */
		__atomic_store_n(&site_compiled, w, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
		if (old) {
			site_modules_drop(old);
			site_compiled_give(old);
		}
	} else if (w) {
		site_compiled_give(w);
	}
	mutex_release(&site_mutex);
	return rules;
}

void site_edit_rules(void (*fn)(struct match_process *, const struct match_process *),
	const struct match_process *m)
{
	mutex_acquire(&site_mutex);
	fn(&policy, m);
	mutex_release(&site_mutex);
}

/* Leaves dead keys behind when they crowd the table. */
static void renew_if_crowded(void)
{
	struct site_compiled *w;
	uint32_t alive;

	if (!site_table_crowded(site_compiled, &alive))
		return;
	w = site_compiled_renew(site_compiled);
	if (!w)
		return;
	/* seq_cst: as in site_init(); a reader of the old set loses nothing: what
	 * it knows of the frames on a live stack stays true while they are there */
	__atomic_store_n(&site_compiled, w, __ATOMIC_SEQ_CST);
}

static void refresh(void)
{
	if (site_compiled)
		site_modules_refresh(site_compiled, &policy);
}

void site_modules_changed(void)
{
	if (!site_compiled)
		return;
	mutex_acquire(&site_mutex);
	refresh();
	mutex_release(&site_mutex);
}

void site_module_closing(void *handle)
{
	const struct site_modules *l;

	if (!site_compiled)
		return;
	mutex_acquire(&site_mutex);
	/* seq_cst, all: first nobody remembers, then nobody believes, then all is cleared
	 */
	__atomic_fetch_add(&site_closing, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
	l = site_compiled->modules;
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->module[i]->dynamic)
			site_table_forget(
				site_compiled, l->module[i]->lo, l->module[i]->hi);
	}
	mutex_release(&site_mutex);
}

void site_module_closed(void)
{
	if (!site_compiled)
		return;
	mutex_acquire(&site_mutex);
	refresh();
	renew_if_crowded();
	/* walks remembered meanwhile passed modules that were not to be remembered */
	__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&site_closing, __ATOMIC_SEQ_CST) > 0)
		__atomic_fetch_sub(&site_closing, 1, __ATOMIC_SEQ_CST);
	mutex_release(&site_mutex);
}

void site_poll(void)
{
	uintptr_t addr;
	bool due = false;

	if (!site_compiled)
		return;
	mutex_acquire(&site_mutex);
	while ((addr = site_pending_take()))
		due = true;
	if (due || site_modules_stale())
		refresh();
	site_modules_reap();
	renew_if_crowded();
	mutex_release(&site_mutex);
}

void site_child(void)
{
	mutex_child(&site_mutex);
	site_thread_child();
	/* resolves and closes of threads that do not exist here */
	CHILD_SET(site_active, 0);
	CHILD_SET(site_closing, 0);
}
