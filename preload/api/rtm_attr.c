/* SPDX-License-Identifier: MIT */
/*
 * rtm_attr.c - pools by attributes: shared with other processes, contiguous in RAM
 *
 * Both are ordinary pools whose area came from elsewhere (area_share.c, phys.c). Not for
 * realtime threads but for rtm_offset_of().
 */
#include "rtm.h"

#include <errno.h>

#include "os/log.h"
#include "memory/area_share.h"
#include "memory/phys.h"

/* By index of the pool; fd -1 and 0 inode: not shared. Written when a pool is made. */
static struct area_shared rtm_shared[POOLS_MAX];

void rtm_share_forget(int index)
{
	if (rtm_shared[index].inode)
		area_shared_close(&rtm_shared[index]);
	rtm_shared[index] = (struct area_shared){0};
}

struct rtm_source {
	const struct rtm_pool_attr *attr;
	struct area_shared shared;
};

static int rtm_reserve_shared(struct area *a, size_t size, const struct pool_attr *attr)
{
	struct rtm_source *s = attr->reserve_arg;

	return area_reserve_shared(a, attr->at, size, attr->area_flags,
		s->attr->share == RTM_SHARE_WRITE, &s->shared);
}

static int rtm_reserve_contiguous(
	struct area *a, size_t size, const struct pool_attr *attr)
{
	const struct rtm_source *s = attr->reserve_arg;
	struct phys_want want = {
		.size = size,
		.low = s->attr->phys_low,
		.high = s->attr->phys_high ? s->attr->phys_high : UINT64_MAX,
		.align = s->attr->phys_align,
		.inherit = true,
		.at = attr->at,
		.exactly = s->attr->address != NULL,
	};
	struct phys_run run;
	int ret = phys_alloc(&want, a, &run);

	if (ret < 0 && phys_why())
		log_once("a contiguous pool was not made: %s", phys_why());
	return ret == -EINVAL ? ret : ret < 0 ? -ENOMEM : 0;
}

/* Fields that this version does not know have to be zero. */
static bool rtm_attr_known(const struct rtm_pool_attr *attr)
{
	const unsigned char *tail = (const unsigned char *)attr + sizeof(*attr);
	size_t n = attr->attr_size > sizeof(*attr) ? attr->attr_size - sizeof(*attr) : 0;

	if (attr->attr_size < sizeof(*attr) || attr->attr_size > B_PAGE_SIZE)
		return false;
	while (n--)
		if (tail[n])
			return false;
	return (unsigned)attr->lock <= RTM_LOCK_NO &&
	       (unsigned)attr->when_full <= RTM_FULL_FAIL &&
	       (unsigned)attr->fork <= RTM_FORK_COW &&
	       (unsigned)attr->share <= RTM_SHARE_WRITE;
}

/* Fields that do not go together. */
static bool rtm_attr_sound(const struct rtm_pool_attr *attr)
{
	if ((uintptr_t)attr->address % B_PAGE_SIZE)
		return false;
	if (!attr->contiguous)
		return !attr->phys_low && !attr->phys_high && !attr->phys_align;
	return !attr->share && attr->lock != RTM_LOCK_NO && attr->max <= attr->size &&
	       attr->phys_align % B_PAGE_SIZE == 0 &&
	       (!attr->phys_high || attr->phys_low <= attr->phys_high);
}

static unsigned rtm_attr_flags(const struct rtm_pool_attr *attr)
{
	unsigned flags = rtm_lock_flags(attr->lock);

	if (attr->fork == RTM_FORK_COW)
		flags &= ~(unsigned)AREA_PIN;
	return attr->huge_pages ? flags | AREA_HUGE : flags;
}

status_t rtm_pool_create(rtm_pool **out, const struct rtm_pool_attr *attr)
{
	struct rtm_source source = {.attr = attr};
	struct pool_attr a = {.native = true, .reserve_arg = &source};
	struct pool *p;
	status_t s;

	if (!out || !attr || !rtm_attr_known(attr) || !rtm_attr_sound(attr))
		return B_BAD_VALUE;
	a.name = attr->name;
	a.size = attr->size;
	a.max = attr->max;
	a.at = attr->address;
	a.when_full = attr->when_full == RTM_FULL_FAIL ? POOL_FULL_FAIL : POOL_FULL_BASE;
	a.area_flags = rtm_attr_flags(attr);
	if (attr->contiguous)
		a.reserve = rtm_reserve_contiguous;
	else if (attr->share)
		a.reserve = rtm_reserve_shared;
	s = rtm_pool_make(&a, &p);
	if (s != B_OK) {
		if (source.shared.inode)
			area_shared_close(&source.shared);
		return s;
	}
	rtm_shared[p->index] = source.shared;
	*out = (rtm_pool *)(void *)p;
	return B_OK;
}

int rtm_pool_descriptor(rtm_pool *pool)
{
	const struct pool *p = (const struct pool *)(const void *)pool;
	int fd;

	if (!p || !pools_valid(p) || !rtm_shared[p->index].inode)
		return B_BAD_VALUE;
	fd = area_shared_descriptor(&rtm_shared[p->index]);
	return fd >= 0 ? fd : fd == -EBADF ? B_BAD_VALUE : B_NO_MEMORY;
}

ssize_t rtm_offset_of(const void *block)
{
	const struct pool *p = block ? pools_find(block) : NULL;

	/* acquire: pairs with the release at the end of the commit */
	if (!p || !__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) ||
		heap_check_pointer(p->heap, block) != HEAP_OK)
		return B_BAD_VALUE;
	return (const unsigned char *)block - p->area.base;
}

status_t rtm_physical_address(const void *p, uint64_t *out)
{
	int ret = out ? phys_address(p, out) : -EFAULT;

	return ret == -EPERM ? -EPERM : ret < 0 ? B_BAD_VALUE : B_OK;
}
