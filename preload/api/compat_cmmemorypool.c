/* SPDX-License-Identifier: MIT */
/*
 * compat_cmmemorypool.c - CMMemoryPool, as declared in CoreMedia/CMMemoryPool.h
 *
 * The pool is a handle; its allocator holds the blocks and outlives it. An allocator
 * whose last reference goes while blocks are out is destroyed with the last of them.
 */
#include <CoreMedia/CMMemoryPool.h>
#include <errno.h>
#include <stdlib.h>

#include "os/base.h"
#include "os/child.h"
#include "os/log.h"
#include "memory/area_block.h"
#include "engine/recycle.h"
#include "engine/tag.h"
#include "compat.h"
#include "compat_cf.h"
#include "compat_cmblocks.h"
#include "rtm.h"

#define CM_AGE_DEFAULT 0.5
#define CM_AGE_MAX     1e9 /* seconds; more is for ever */

struct rtm_cf_allocator {
	struct cf_object object;
	struct lock lock; /* blocks; a child's is set free */
	struct cm_blocks blocks;
	bool orphan; /* under the lock: nobody has a reference any more */
	struct recycle recycle;
	struct tag *tag; /* what is mapped for it, in use or kept */
	struct rtm_cf_allocator *next;
};

_Static_assert(sizeof(struct rtm_cf_allocator) <= CF_MAX_SIZE, "it has a slot");

struct OpaqueCMMemoryPool {
	struct cf_object object;
	struct rtm_cf_allocator *allocator;
};

CHILD_DATA static struct rtm_cf_allocator
	*cm_all; /* under cm_lock; for the child of a fork */
CHILD_DATA static struct lock cm_lock;
static __thread int32_t cm_error;

int32_t rtm_cm_last_error(void)
{
	return cm_error;
}

/* ---- memory ---- */

static void *cm_map(struct rtm_cf_allocator *a, size_t bytes)
{
	bool lock = rtm_realtime()->allocator, locked = false;
	void *block = area_block_map(bytes, lock, &locked);

	if (!block)
		return NULL;
	if (lock && !locked)
		log_once(
			"CMMemoryPool: not all of it is locked: see RLIMIT_MEMLOCK and librtpreload(7)");
	tag_book(a->tag, bytes);
	return block;
}

static void cm_give(void *block, size_t bytes, void *arg)
{
	struct rtm_cf_allocator *a = arg;

	area_block_unmap(block, bytes);
	tag_unbook(a->tag, bytes);
}

/* ---- the allocator's life ---- */

static void cm_free_allocator(struct rtm_cf_allocator *a)
{
	uint32_t me = lock_tid();

	lock_acquire(&cm_lock, me);
	for (struct rtm_cf_allocator **at = &cm_all; *at; at = &(*at)->next) {
		if (*at == a) {
			*at = a->next;
			break;
		}
	}
	lock_release(&cm_lock, me);
	recycle_unregister(&a->recycle);
	tag_delete(a->tag);
	je_free(a->blocks.slot);
	cf_free(&a->object);
}

static void cm_destroy_allocator(struct cf_object *o)
{
	struct rtm_cf_allocator *a = (struct rtm_cf_allocator *)(void *)o;
	uint32_t me = lock_tid();
	bool unused;

	lock_acquire(&a->lock, me);
	a->orphan = true;
	unused = a->blocks.n == 0;
	lock_release(&a->lock, me);
	if (unused)
		cm_free_allocator(a);
}

static void cm_child(void)
{
	lock_child(&cm_lock);
	for (struct rtm_cf_allocator *a = cm_all; a; a = a->next)
		lock_child(&a->lock);
}

static struct rtm_cf_allocator *cm_make_allocator(double age)
{
	struct rtm_cf_allocator *a =
		cf_make(CF_ALLOCATOR, sizeof(*a), cm_destroy_allocator);
	uint32_t me = lock_tid();

	if (!a)
		return NULL;
	rtm_begin(cm_child);
	a->tag = tag_create("CMMemoryPool", TAG_LIBRARY, 0);
	if (!a->tag) {
		cf_free(&a->object);
		return NULL;
	}
	a->recycle.age = (uint64_t)((age < CM_AGE_MAX ? age : CM_AGE_MAX) * 1e9);
	a->recycle.give = cm_give;
	a->recycle.arg = a;
	recycle_register(&a->recycle);
	lock_acquire(&cm_lock, me);
	a->next = cm_all;
	cm_all = a;
	lock_release(&cm_lock, me);
	return a;
}

/* ---- pools ---- */

void CMMemoryPoolFlush(CMMemoryPoolRef pool)
{
	if (cf_is(pool, CF_POOL))
		recycle_age(&pool->allocator->recycle, true);
}

void CMMemoryPoolInvalidate(CMMemoryPoolRef pool)
{
	if (cf_is(pool, CF_POOL))
		recycle_stop(&pool->allocator->recycle);
}

static void cm_destroy_pool(struct cf_object *o)
{
	CMMemoryPoolRef pool = (CMMemoryPoolRef)(void *)o;

	CMMemoryPoolInvalidate(pool);
	rtm_cf_release(pool->allocator);
	cf_free(o);
}

CMMemoryPoolRef CMMemoryPoolCreate(rtm_cf_dictionary_ref options)
{
	double age = CM_AGE_DEFAULT;
	CMMemoryPoolRef pool;
	bool number = true;

	cm_error = kCMMemoryPoolError_InvalidParameter;
	if (options && !cf_is(options, CF_DICTIONARY))
		return NULL;
	if (options)
		cf_option(options, "AgeOutPeriod", &age, &number);
	if (!number || !(age >= 0))
		return NULL;
	cm_error = kCMMemoryPoolError_AllocationFailed;
	pool = cf_make(CF_POOL, sizeof(*pool), cm_destroy_pool);
	if (!pool)
		return NULL;
	pool->allocator = cm_make_allocator(age);
	if (!pool->allocator) {
		cf_free(&pool->object);
		return NULL;
	}
	cm_error = 0;
	return pool;
}

rtm_cf_allocator_ref CMMemoryPoolGetAllocator(CMMemoryPoolRef pool)
{
	return cf_is(pool, CF_POOL) ? pool->allocator : NULL;
}

unsigned long CMMemoryPoolGetTypeID(void)
{
	return CF_POOL;
}

/* ---- blocks ---- */

static size_t cm_pages(long size)
{
	return ((size_t)size + AREA_PAGE - 1) & ~(AREA_PAGE - 1);
}

/* Counts a block in. False: no memory for the table. Slow only when the table is full. */
static bool cm_enter(struct rtm_cf_allocator *a, void *block, size_t bytes)
{
	uint32_t me = lock_tid();

	for (;;) {
		struct cm_block *slot = NULL;
		size_t cap;

		lock_acquire(&a->lock, me);
		cap = a->blocks.cap ? a->blocks.cap * 2 : 64;
		if (!cm_blocks_full(&a->blocks)) {
			cm_blocks_add(&a->blocks, block, bytes);
			lock_release(&a->lock, me);
			return true;
		}
		lock_release(&a->lock, me);
		slot = je_calloc(cap, sizeof(*slot));
		if (!slot)
			return false;
		lock_acquire(&a->lock, me);
		if (a->blocks.cap < cap)
			slot = cm_blocks_move(&a->blocks, slot, cap);
		lock_release(&a->lock, me);
		je_free(slot);
	}
}

static void *cm_allocate(struct rtm_cf_allocator *a, size_t bytes)
{
	void *block = recycle_hit(&a->recycle, bytes);

	recycle_age(&a->recycle, false);
	if (!block)
		block = cm_map(a, bytes);
	if (block && !cm_enter(a, block, bytes)) {
		cm_give(block, bytes, a);
		block = NULL;
	}
	return block;
}

/* Is it the program's malloc() and free(), whosever they are? */
static bool cm_is_malloc(rtm_cf_allocator_ref a)
{
	return !a || a == RTM_CF_ALLOCATOR_MALLOC;
}

void *rtm_cf_allocate(rtm_cf_allocator_ref allocator, long size, unsigned long hint)
{
	struct rtm_cf_allocator *a = (struct rtm_cf_allocator *)(uintptr_t)allocator;
	void *block = NULL;
	int saved = errno;

	(void)hint;
	cm_error = kCMMemoryPoolError_InvalidParameter;
	if (size <= 0 || !cf_is_allocator(a))
		return NULL;
	cm_error = kCMMemoryPoolError_AllocationFailed;
	if (cm_is_malloc(a))
		block = malloc((size_t)size);
	else if (a != RTM_CF_ALLOCATOR_NULL && size < INT64_MAX / 2)
		block = cm_allocate(a, cm_pages(size));
	errno = saved;
	cm_error = block ? 0 : cm_error;
	return block;
}

static void cm_deallocate(struct rtm_cf_allocator *a, void *block)
{
	uint32_t me = lock_tid();
	bool last;
	size_t bytes;

	lock_acquire(&a->lock, me);
	bytes = cm_blocks_remove(&a->blocks, block);
	last = a->orphan && a->blocks.n == 0;
	lock_release(&a->lock, me);
	if (!bytes)
		log_misuse("CFAllocatorDeallocate: %p is not a block of allocator %p",
			block, (void *)a);
	recycle_age(&a->recycle, false);
	if (!recycle_keep(&a->recycle, block, bytes))
		cm_give(block, bytes, a);
	if (last)
		cm_free_allocator(a);
}

void rtm_cf_deallocate(rtm_cf_allocator_ref allocator, void *block)
{
	struct rtm_cf_allocator *a = (struct rtm_cf_allocator *)(uintptr_t)allocator;
	int saved = errno;

	cm_error = 0;
	if (!block || a == RTM_CF_ALLOCATOR_NULL)
		return;
	if (cm_is_malloc(a))
		free(block);
	else if (cf_is(a, CF_ALLOCATOR))
		cm_deallocate(a, block);
	else
		log_misuse("CFAllocatorDeallocate: %p is not an allocator", (void *)a);
	errno = saved;
}

static void *cm_realloc(void *block, size_t size)
{
	int saved = errno;
	void *to = realloc(block, size);

	errno = saved;
	cm_error = to ? 0 : kCMMemoryPoolError_AllocationFailed;
	return to;
}

void *rtm_cf_reallocate(
	rtm_cf_allocator_ref allocator, void *block, long size, unsigned long hint)
{
	struct rtm_cf_allocator *a = (struct rtm_cf_allocator *)(uintptr_t)allocator;
	uint32_t me = lock_tid();
	size_t had;
	void *to;

	if (!block)
		return rtm_cf_allocate(allocator, size, hint);
	if (size <= 0) {
		rtm_cf_deallocate(allocator, block);
		return NULL;
	}
	if (cm_is_malloc(a))
		return cm_realloc(block, (size_t)size);
	if (a == RTM_CF_ALLOCATOR_NULL) {
		cm_error = kCMMemoryPoolError_AllocationFailed;
		return NULL;
	}
	if (!cf_is(a, CF_ALLOCATOR))
		log_misuse("CFAllocatorReallocate: %p is not an allocator", (void *)a);
	lock_acquire(&a->lock, me);
	had = cm_blocks_find(&a->blocks, block);
	lock_release(&a->lock, me);
	if (!had)
		log_misuse("CFAllocatorReallocate: %p is not a block of allocator %p",
			block, (void *)a);
	if (cm_pages(size) == had)
		return block;
	to = rtm_cf_allocate(allocator, size, hint);
	if (to) {
		__builtin_memcpy(to, block, had < (size_t)size ? had : (size_t)size);
		rtm_cf_deallocate(allocator, block);
	}
	return to;
}

long rtm_cf_preferred_size(rtm_cf_allocator_ref allocator, long size, unsigned long hint)
{
	(void)hint;
	return !cf_is(allocator, CF_ALLOCATOR) || size <= 0 || size > INT64_MAX / 2
		       ? size
		       : (long)cm_pages(size);
}
