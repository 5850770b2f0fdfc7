// SPDX-License-Identifier: MIT
/*
 * site_table.c - the table from return address to what is known about it
 *
 * Lock-free, open-addressing, linear probing over SITE_PROBES entries. A full
 * neighbourhood is not an error: the address is then resolved again each time.
 *
 * A key is never taken back, so an entry can be read without a lock and without a
 * sequence count: any value beside a key was stored for that key. When a
 * module goes away its values become 0; dead keys are left behind by copying what is
 * alive into a new set (site_compiled_renew), off the realtime path.
 */
#include "site_private.h"

enum { SITE_PROBES = 16 };

struct site_compiled *site_compiled;
uint64_t site_generation = 1;

uint64_t site_table_get(const struct site_compiled *w, uintptr_t ret)
{
	uint32_t at = site_hash(ret);

	for (unsigned i = 0; i < SITE_PROBES; i++, at = (at + 1) & (SITE_ENTRIES - 1)) {
		/* acquire, both: pair with the releases in site_table_put() */
		uint64_t key = __atomic_load_n(&w->entry[at].key, __ATOMIC_ACQUIRE);

		if (key == ret)
			return __atomic_load_n(&w->entry[at].value, __ATOMIC_ACQUIRE);
		if (key == 0)
			return 0;
	}
	return 0;
}

/* The entry of ret, claimed now if there is room. */
static struct site_entry *claim(struct site_compiled *w, uintptr_t ret)
{
	uint32_t at = site_hash(ret);

	for (unsigned i = 0; i < SITE_PROBES; i++, at = (at + 1) & (SITE_ENTRIES - 1)) {
		struct site_entry *e = &w->entry[at];
		uint64_t key = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);

		/* acq_rel: publishes the key to site_table_get(), sees who came first */
		if (key == 0 && __atomic_compare_exchange_n(&e->key, &key, ret, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			__atomic_fetch_add(&w->nkey, 1, __ATOMIC_RELAXED);
			return e;
		}
		if (key == ret)
			return e;
	}
	return NULL;
}

void site_table_put(
	struct site_compiled *w, uintptr_t ret, uint64_t value, uint64_t generation)
{
	struct site_entry *e = claim(w, ret);

	if (!e)
		return;
	/* seq_cst, both: either this load sees the generation that site_table_forget()'s
	 * caller has bumped, or its scan sees this store */
	__atomic_store_n(&e->value, value, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&site_generation, __ATOMIC_SEQ_CST) != generation)
		__atomic_store_n(&e->value, 0, __ATOMIC_SEQ_CST);
}

void site_table_forget(struct site_compiled *w, uintptr_t lo, uintptr_t hi)
{
	for (uint32_t i = 0; i < SITE_ENTRIES; i++) {
		struct site_entry *e = &w->entry[i];
		uint64_t key = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);

		/* a return address may stand just past a module's last byte */
		if (key - 1 >= lo && key - 1 < hi)
			__atomic_store_n(&e->value, 0, __ATOMIC_SEQ_CST);
	}
}

bool site_table_crowded(const struct site_compiled *w, uint32_t *alive)
{
	uint32_t used = __atomic_load_n(&w->nkey, __ATOMIC_RELAXED);

	*alive = 0;
	if (used < SITE_ENTRIES / 2)
		return false;
	for (uint32_t i = 0; i < SITE_ENTRIES; i++)
		*alive += __atomic_load_n(&w->entry[i].value, __ATOMIC_RELAXED) != 0;
	return *alive < used / 2;
}
