/* SPDX-License-Identifier: MIT */
/*
 * rtm_pool.c - pools of the native API: made, deleted, found; the default pool
 *
 * A handle is the pool itself. After a fork the child's pools are heritage that can only
 * be read (pools.h); a handle then stands for an HEIR, an empty pool with the same
 * attributes, made at its first use. Nothing here is on the realtime path but
 * rtm_pool_use() and rtm_pool_need() with a pool that exists: no lock, no system call.
 */
#include "rtm.h"

#include <errno.h>
#include <string.h>

#include "engine/tag_block.h"
#include "decide/helper.h"
#include "decide/reload.h"
#include "entry/init.h"

static struct pool *rtm_default;	 /* atomic: release once made, acquire by users */
static struct pool *rtm_heir[POOLS_MAX]; /* by index of the heritage; as rtm_default */

/* Without a policy: what a policy of no files says. Made once, kept. */
static const struct policy *rtm_no_policy_slow(void)
{
	static const struct policy *kept;
	const struct find_list no_files = {.none = true};
	/* acquire: pairs with the release below */
	const struct policy *p = __atomic_load_n(&kept, __ATOMIC_ACQUIRE);
	struct policy *made;

	if (p)
		return p;
	made = policy_load(&no_files);
	/* release: the policy before its address; acquire: the other one's */
	if (__atomic_compare_exchange_n(
		    &kept, &p, made, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
		return made;
	policy_free(made);
	return p;
}

const struct policy_realtime *rtm_realtime(void)
{
	const struct policy_realtime *r = reload_realtime();

	return r ? r : &rtm_no_policy_slow()->realtime;
}

unsigned rtm_lock_flags(enum rtm_lock lock)
{
	switch (lock) {
	case RTM_LOCK_NO:
		return 0;
	case RTM_LOCK_REQUIRE:
		return AREA_LOCK | AREA_REQUIRE | AREA_PIN;
	case RTM_LOCK_TRY:
		return AREA_LOCK | AREA_PIN;
	case RTM_LOCK_POLICY:
		break;
	}
	return rtm_realtime()->allocator ? AREA_LOCK | AREA_PIN : 0;
}

void rtm_begin(void (*child)(void))
{
	if (child)
		init_child_also(child);
	init_native();
}

status_t rtm_pool_make(const struct pool_attr *attr, struct pool **out)
{
	int saved = errno, error = 0;
	struct pool *p;

	if (attr->size == 0)
		return B_BAD_VALUE;
	if (attr->size > RTM_TOTAL_MAX || attr->max > RTM_TOTAL_MAX)
		return B_NO_MEMORY;
	rtm_begin(NULL);
	p = pools_create(attr, &error);
	if (p && attr->at && p->area.base != attr->at) {
		pools_delete(p); /* the kernel takes a wish as a hint */
		p = NULL;
	}
	if (p) {
		if (p->area.lock_error)
			area_lock_advice(&p->area, p->name);
		if (p->max > p->size)
			helper_start_growing();
		rtm_debug_pool_made(p);
		*out = p;
	}
	errno = saved;
	return p ? B_OK : B_NO_MEMORY;
}

/* Of two that make it at once, the second gives its own back. */
static status_t rtm_publish(struct pool **where, struct pool *p)
{
	struct pool *none = NULL;

	/* release: the pool before its address; pairs with the acquire of every user */
	if (__atomic_compare_exchange_n(
		    where, &none, p, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		return B_OK;
	pools_delete(p);
	return -EALREADY;
}

static struct pool *rtm_heir_of(struct pool *was)
{
	struct pool **where = &rtm_heir[was->index];
	/* acquire: pairs with the release in rtm_publish() */
	struct pool *p = __atomic_load_n(where, __ATOMIC_ACQUIRE);
	const struct pool_attr attr = {
		.name = was->name,
		.size = was->size,
		.max = was->max,
		.area_flags = was->area.flags,
		.when_full = was->when_full,
		.native = true,
	};

	if (p && !pools_inherited(p))
		return p;
	/* a fork of a fork: the heir is heritage by now; relaxed: see the acquire above
	 */
	__atomic_compare_exchange_n(
		where, &p, NULL, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (rtm_pool_make(&attr, &p) != B_OK)
		return NULL;
	rtm_publish(where, p);
	return __atomic_load_n(where, __ATOMIC_ACQUIRE); /* acquire: as above */
}

struct pool *rtm_pool_use(rtm_pool *handle)
{
	struct pool *p = (struct pool *)(void *)handle;

	if (!p) {
		/* acquire: pairs with the release in rtm_publish() */
		p = __atomic_load_n(&rtm_default, __ATOMIC_ACQUIRE);
		if (!p)
			return NULL;
	} else if (!pools_valid(p)) {
		return NULL;
	}
	/* acquire: pairs with the release at the end of the commit; a pool of the policy
	 * may only be reserved yet */
	if (__builtin_expect(!__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE), 0))
		return NULL;
	return __builtin_expect(pools_inherited(p), 0) ? rtm_heir_of(p) : p;
}

static status_t rtm_default_make(const struct pool_attr *attr)
{
	struct pool *p;
	status_t s;

	if (__atomic_load_n(&rtm_default, __ATOMIC_ACQUIRE)) /* acquire: as above */
		return -EALREADY;
	s = rtm_pool_make(attr, &p);
	return s == B_OK ? rtm_publish(&rtm_default, p) : s;
}

struct pool *rtm_pool_need(rtm_pool *handle)
{
	struct pool *p = rtm_pool_use(handle);

	if (__builtin_expect(!p && !handle, 0)) {
		const struct pool_attr attr = {
			.name = "default",
			.size = rtm_realtime()->default_pool,
			.area_flags = rtm_lock_flags(RTM_LOCK_POLICY),
			.native = true,
		};

		rtm_default_make(&attr);
		p = rtm_pool_use(NULL);
	}
	return p;
}

status_t rtm_create_pool_etc(
	rtm_pool **out_pool, size_t total_size, const char *name, uint32 flags, ...)
{
	static const enum rtm_lock lock[] = {
		[0] = RTM_LOCK_POLICY,
		[B_RTM_FORCE_LOCKED] = RTM_LOCK_REQUIRE,
		[B_RTM_FORCE_UNLOCKED] = RTM_LOCK_NO,
	};
	struct pool_attr attr = {.name = name, .size = total_size, .native = true};
	struct pool *p;
	status_t s;

	if (flags >= sizeof(lock) / sizeof(*lock))
		return B_BAD_VALUE;
	attr.area_flags = rtm_lock_flags(lock[flags]);
	if (!out_pool)
		return rtm_default_make(&attr);
	s = rtm_pool_make(&attr, &p);
	if (s == B_OK)
		*out_pool = (rtm_pool *)(void *)p;
	return s;
}

status_t rtm_create_pool(rtm_pool **out_pool, size_t total_size, const char *name)
{
	return rtm_create_pool_etc(out_pool, total_size, name, 0);
}

/* Its blocks are booked no more; a child's heritage never was. */
static void rtm_pool_gone(struct pool *p)
{
	if (!pools_inherited(p))
		pool_each_live(p, tag_leave);
	pools_delete(p);
}

status_t rtm_delete_pool(rtm_pool *pool)
{
	struct pool *p = (struct pool *)(void *)pool, *heir;

	if (!p || !pools_valid(p) || !p->native ||
		/* acquire: pairs with the release in rtm_publish() */
		p == __atomic_load_n(&rtm_default, __ATOMIC_ACQUIRE))
		return B_BAD_VALUE;
	rtm_debug_check(p);
	/* acquire: as above */
	heir = __atomic_exchange_n(&rtm_heir[p->index], NULL, __ATOMIC_ACQUIRE);
	if (heir)
		rtm_pool_gone(heir);
	rtm_share_forget(p->index);
	rtm_pool_gone(p);
	return B_OK;
}

rtm_pool *rtm_default_pool(void)
{
	/* acquire: pairs with the release in rtm_publish() */
	return (rtm_pool *)(void *)__atomic_load_n(&rtm_default, __ATOMIC_ACQUIRE);
}

struct rtm_naming {
	const char *name;
	struct pool *found;
};

static void rtm_pool_has_name(struct pool *p, void *arg)
{
	struct rtm_naming *n = arg;

	/* acquire: as in rtm_pool_use() */
	if (!n->found && __atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) &&
		!pools_inherited(p) && !strcmp(p->name, n->name))
		n->found = p;
}

rtm_pool *rtm_pool_named(const char *name)
{
	struct rtm_naming n = {.name = name};

	if (name)
		pools_each(rtm_pool_has_name, &n);
	return (rtm_pool *)(void *)n.found;
}

const char *rtm_pool_name(const rtm_pool *pool)
{
	const struct pool *p = (const struct pool *)(const void *)pool;

	return pools_valid(p) ? p->name : NULL;
}

static void rtm_each_one(struct pool *p, void *arg)
{
	void **call = arg;
	void (*fn)(rtm_pool *, void *);

	memcpy(&fn, call[0], sizeof(fn));
	fn((rtm_pool *)(void *)p, call[1]);
}

void rtm_each_pool(void (*fn)(rtm_pool *pool, void *arg), void *arg)
{
	void *call[] = {&fn, arg};

	if (fn)
		pools_each(rtm_each_one, call);
}
