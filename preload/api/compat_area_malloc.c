/* SPDX-License-Identifier: MIT */
/*
 * compat_area_malloc.c - the area_malloc module, as declared in drivers/area_malloc.h
 *
 * A boundary over rtm_pool_create() and rtm_alloc(): specifications of create_area()
 * become attributes. Which pools the module made is kept by index of the pool.
 */
#include <drivers/area_malloc.h>

#include <errno.h>
#include <string.h>

#include "os/child.h"
#include "os/log.h"
#include "compat.h"
#include "rtm.h"

#define AREA_LOMEM  (16ULL << 20)
#define AREA_32_BIT (4ULL << 30)
#define AREA_BASES  64 /* addresses tried for B_BASE_ADDRESS */

/* 0 nobody's, 1 made by a plain call, 2 by the module; atomic, relaxed: see the lock */
static uint8_t area_maker[POOLS_MAX];
static int area_users;			/* under the lock */
CHILD_DATA static struct lock area_use; /* held by get_module() and put_module() */

static struct pool *area_pool(const void *id)
{
	struct pool *p = (struct pool *)(uintptr_t)id;

	return p && pools_valid(p) &&
			       __atomic_load_n(&area_maker[p->index], __ATOMIC_RELAXED)
		       ? p
		       : NULL;
}

static rtm_pool *area_handle(struct pool *p)
{
	return (rtm_pool *)(void *)p;
}

/* ---- pools ---- */

/* Where all of it has to lie in RAM; 0: anywhere. */
static uint64_t area_below(uint32 lock)
{
	return lock == B_LOMEM ? AREA_LOMEM : lock > B_LOMEM ? AREA_32_BIT : 0;
}

static bool area_attr(
	uint32 where, uint32 lock, uint32 protection, struct rtm_pool_attr *attr)
{
	static const enum rtm_lock locks[] = {
		[B_NO_LOCK] = RTM_LOCK_NO,
		[B_LAZY_LOCK] = RTM_LOCK_TRY,
		[B_FULL_LOCK] = RTM_LOCK_REQUIRE,
		[B_CONTIGUOUS] = RTM_LOCK_REQUIRE,
		[B_LOMEM] = RTM_LOCK_REQUIRE,
		[B_32_BIT_FULL_LOCK] = RTM_LOCK_REQUIRE,
		[B_32_BIT_CONTIGUOUS] = RTM_LOCK_REQUIRE,
	};
	const uint32 write = B_WRITE_AREA | B_KERNEL_WRITE_AREA;

	if (where > B_RANDOMIZED_BASE_ADDRESS || where == B_CLONE_ADDRESS ||
		lock > B_32_BIT_CONTIGUOUS ||
		protection &
			~(write | B_READ_AREA | B_KERNEL_READ_AREA | B_CLONEABLE_AREA))
		return false;
	attr->name = "area_malloc";
	attr->lock = locks[lock];
	attr->huge_pages = where == B_ANY_KERNEL_BLOCK_ADDRESS;
	attr->contiguous = lock >= B_CONTIGUOUS;
	attr->phys_high = area_below(lock);
	if (protection & B_CLONEABLE_AREA)
		attr->share = protection & write ? RTM_SHARE_WRITE : RTM_SHARE_READ;
	return true;
}

static bool area_is_base(uint32 where)
{
	return where == B_BASE_ADDRESS || where == B_RANDOMIZED_BASE_ADDRESS;
}

/* Exactly there; with B_BASE_ADDRESS there or, in steps of the size, somewhat higher. */
static struct pool *area_make(
	uintptr_t at, uint32 where, struct rtm_pool_attr *attr, uint8_t maker)
{
	int tries = area_is_base(where) && at ? AREA_BASES : 1;
	size_t step = (attr->size + (4UL << 20)) & ~((2UL << 20) - 1);
	rtm_pool *made = NULL;
	struct pool *p;

	for (; tries > 0 && !made; tries--, at += step) {
		if (where == B_EXACT_ADDRESS || area_is_base(where))
			attr->address = (void *)at;
		if (rtm_pool_create(&made, attr) != B_OK)
			made = NULL;
	}
	p = (struct pool *)(void *)made;
	if (p)
		__atomic_store_n(&area_maker[p->index], maker, __ATOMIC_RELAXED);
	return p;
}

static const void *area_create(uintptr_t at, uint32 where, size_t size, uint32 lock,
	uint32 protection, uint8_t maker)
{
	struct rtm_pool_attr attr = RTM_POOL_ATTR_INIT;

	if (size == 0 || size > RTM_TOTAL_MAX || at % AREA_PAGE ||
		(where == B_EXACT_ADDRESS && !at) ||
		!area_attr(where, lock, protection, &attr))
		return NULL;
	attr.size = (size + AREA_PAGE - 1) & ~(AREA_PAGE - 1);
	return area_make(at, where, &attr, maker);
}

const void *rtm_area_create_pool(void *address, uint32 addressSpec, size_t size,
	uint32 lockSpec, uint32 protection)
{
	bool told = addressSpec == B_EXACT_ADDRESS || area_is_base(addressSpec);

	return area_create(told ? (uintptr_t)address : 0, addressSpec, size, lockSpec,
		protection, 1);
}

static const void *area_module_create(
	uint32 addressSpec, size_t size, uint32 lockSpec, uint32 protection)
{
	return area_create(0, addressSpec, size, lockSpec, protection, 2);
}

status_t rtm_area_delete_pool(const void *poolID)
{
	struct pool *p = area_pool(poolID);

	/* relaxed: of two that delete it at once, one does */
	if (!p || !__atomic_exchange_n(&area_maker[p->index], 0, __ATOMIC_RELAXED))
		return B_ERROR;
	return rtm_delete_pool(area_handle(p)) == B_OK ? B_OK : B_ERROR;
}

int rtm_area_descriptor(const void *poolID)
{
	struct pool *p = area_pool(poolID);
	int fd = p ? rtm_pool_descriptor(area_handle(p)) : B_ERROR;

	return fd < 0 ? B_ERROR : fd;
}

/* ---- blocks ---- */

void *rtm_area_malloc(const void *poolID, size_t size)
{
	struct pool *p = area_pool(poolID);

	if (!p)
		errno = EINVAL;
	return p ? rtm_alloc(area_handle(p), size) : NULL;
}

void *rtm_area_calloc(const void *poolID, size_t numMembers, size_t size)
{
	struct pool *p = area_pool(poolID);

	if (!p)
		errno = EINVAL;
	return p ? rtm_calloc(area_handle(p), numMembers, size) : NULL;
}

/* In the child of a fork a block may lie in the pool that took its parent's place. */
static void area_own(const struct pool *p, const void *id, void *block, const char *call)
{
	struct pool *in = pools_find(block);

	if (!p)
		log_misuse("area_malloc: %s: %p is not a pool", call, id);
	if (!in ||
		(in != p && in != rtm_pool_use(area_handle((struct pool *)(uintptr_t)p))))
		log_misuse(
			"area_malloc: %s: %p is not a block of pool %p", call, block, id);
}

void *rtm_area_realloc(const void *poolID, void *ptr, size_t size)
{
	struct pool *p = area_pool(poolID);
	status_t s;

	if (!ptr)
		return rtm_area_malloc(poolID, size);
	area_own(p, poolID, ptr, "realloc");
	s = rtm_realloc(&ptr, size);
	if (s == B_BAD_VALUE)
		log_misuse("area_malloc: realloc: %p is not a block of pool %p", ptr,
			poolID);
	if (s != B_OK)
		errno = ENOMEM;
	return s == B_OK ? ptr : NULL;
}

void rtm_area_free(const void *poolID, void *ptr)
{
	if (!ptr)
		return;
	area_own(area_pool(poolID), poolID, ptr, "free");
	rtm_free(ptr);
}

/* ---- the module ---- */

static status_t area_std_ops(int32 op, ...)
{
	(void)op; /* nothing is to be set up or taken down */
	return B_OK;
}

static area_malloc_module_info area_module = {
	.minfo = {B_AREA_MALLOC_MODULE_NAME, 0, area_std_ops},
	.create_pool = area_module_create,
	.delete_pool = rtm_area_delete_pool,
	.malloc = rtm_area_malloc,
	.calloc = rtm_area_calloc,
	.realloc = rtm_area_realloc,
	.free = rtm_area_free,
};

static void area_child(void)
{
	lock_child(&area_use);
}

status_t rtm_get_module(const char *path, module_info **module)
{
	uint32_t me = lock_tid();

	if (!path || !module)
		return B_BAD_VALUE;
	if (strcmp(path, B_AREA_MALLOC_MODULE_NAME) != 0)
		return B_ENTRY_NOT_FOUND;
	rtm_begin(area_child);
	lock_acquire(&area_use, me);
	area_users++;
	lock_release(&area_use, me);
	*module = &area_module.minfo;
	return B_OK;
}

static void area_put_away(struct pool *p, void *arg)
{
	(void)arg;
	if (__atomic_load_n(&area_maker[p->index], __ATOMIC_RELAXED) == 2)
		rtm_area_delete_pool(p);
}

status_t rtm_put_module(const char *path)
{
	uint32_t me = lock_tid();
	int left = -1;

	if (!path)
		return B_BAD_VALUE;
	if (strcmp(path, B_AREA_MALLOC_MODULE_NAME) != 0)
		return B_ENTRY_NOT_FOUND;
	lock_acquire(&area_use, me);
	if (area_users > 0)
		left = --area_users;
	/* under the lock: a thread that opens the module meanwhile keeps its pools */
	if (left == 0)
		pools_each(area_put_away, NULL);
	lock_release(&area_use, me);
	return left < 0 ? B_ENTRY_NOT_FOUND : B_OK;
}
