/* SPDX-License-Identifier: MIT */
/*
 * compat.c - pools that are made as they fill, and what a fork leaves of the families
 *
 * Bound: COMPAT_CHAIN pools are asked, each for one bounded operation.
 */
#include "compat.h"

#include "rtm.h"
#include "tag_block.h"

/* Slot i is empty: fill it, unless somebody else just did. */
static int compat_make(struct compat_chain *c, int i, unsigned flags, size_t size)
{
	size_t most = 64UL << 20, start = rtm_realtime()->default_pool;
	struct pool_attr attr = {
		.name = c->name,
		.size = i < 8 ? start << i : most,
		.area_flags = flags,
		.native = true,
	};
	struct pool *p, *none = NULL;
	status_t s;

	if (attr.size > most)
		attr.size = most;
	if (attr.size < size)
		attr.size = size;
	s = rtm_pool_make(&attr, &p);
	if (s != B_OK)
		return s;
	/* release: the pool before its address; pairs with compat_take() */
	if (!__atomic_compare_exchange_n(
		    &c->pool[i], &none, p, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		pools_delete(p);
	return 0;
}

int compat_ready(struct compat_chain *c, unsigned flags)
{
	/* acquire: pairs with compat_make() */
	return __atomic_load_n(&c->pool[0], __ATOMIC_ACQUIRE)
		       ? 0
		       : compat_make(c, 0, flags, 0);
}

void *compat_take(
	struct compat_chain *c, unsigned flags, size_t size, struct tag *tag, bool wait)
{
	for (int i = 0; i < COMPAT_CHAIN; i++) {
		/* acquire: pairs with compat_make() */
		struct pool *p = __atomic_load_n(&c->pool[i], __ATOMIC_ACQUIRE);
		void *block = NULL;
		bool busy;

		if (!p) {
			if (!wait || compat_make(c, i, flags, size + TAG_TAIL) < 0)
				return NULL;
			p = __atomic_load_n(&c->pool[i], __ATOMIC_ACQUIRE);
		}
		/* in a child: the heir, made at its first use */
		if (p->inherited)
			p = wait ? rtm_pool_use((rtm_pool *)(void *)p) : NULL;
		if (p)
			block = wait ? pool_alloc(p, size + TAG_TAIL, 0)
				     : pool_try(p, size + TAG_TAIL, &busy);
		if (block) {
			tag_put(block, size, tag);
			return block;
		}
	}
	return NULL;
}

void compat_child(void)
{
	tag_child();
	rtm_contiguous_child();
	compat_cm_child();
	compat_area_child();
}
