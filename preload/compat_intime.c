/* SPDX-License-Identifier: MIT */
/*
 * compat_intime.c - AllocateRtMemoryEx() and kin, as declared in intime/rt.h
 *
 * A boundary over phys.c: arguments are checked, what is live is remembered so that
 * nothing else is ever freed, errors become INtime's. Never on the realtime path.
 */
#include <intime/rt.h>

#include <errno.h>

#include "base.h"
#include "compat.h"
#include "lock.h"
#include "log.h"
#include "phys.h"
#include "sys.h"
#include "tag.h"

struct intime_block {
	struct intime_block *next;
	struct area area;
	struct phys_run run;
	pid_t owner; /* a child does not have its parent's memory */
};

static struct intime_block *intime_live; /* under the lock */
static struct tag *intime_tag;		 /* likewise; what all of them hold */
static struct lock intime_lock;		 /* held for a walk of the list, nothing slow */
static __thread DWORD intime_error;

static DWORD intime_status(int error)
{
	const char *why = phys_why();

	switch (error) {
	case 0:
		return E_OK;
	case -EINVAL:
	case -EFAULT:
		return E_PARAM;
	case -ENOMEM:
		return E_VMEM;
	}
	if (why)
		log_once("AllocateRtMemoryEx: %s", why);
	return E_MEM;
}

/* The tag is made with the first block and stays; without memory for it nothing is
 * counted. */
static void intime_enter(struct intime_block *b)
{
	struct tag *fresh = NULL;
	uint32_t me = lock_tid();

	if (!__atomic_load_n(&intime_tag, __ATOMIC_RELAXED))
		fresh = tag_create("AllocateRtMemory", TAG_LIBRARY, 0);
	b->owner = sys_getpid();
	lock_acquire(&intime_lock, me);
	if (!intime_tag) {
		/* relaxed: only whether there is one is asked without the lock */
		__atomic_store_n(&intime_tag, fresh, __ATOMIC_RELAXED);
		fresh = NULL;
	}
	b->next = intime_live;
	intime_live = b;
	if (intime_tag)
		tag_book(intime_tag, b->run.size);
	lock_release(&intime_lock, me);
	if (fresh)
		tag_delete(fresh);
}

PVOID AllocateRtMemoryEx(
	DWORD cbSize, QWORD qwLowFilter, QWORD qwHighFilter, DWORD cbAlignment)
{
	const struct phys_want want = {.size = cbSize,
		.low = qwLowFilter,
		.high = qwHighFilter,
		.align = cbAlignment};
	struct intime_block *b = je_calloc(1, sizeof(*b));
	int ret;

	if (!b) {
		intime_error = E_VMEM;
		return NULL;
	}
	ret = phys_alloc(&want, &b->area, &b->run);
	intime_error = intime_status(ret);
	if (ret < 0) {
		je_free(b);
		return NULL;
	}
	intime_enter(b);
	return b->run.base;
}

PVOID AllocateRtMemory(DWORD cbSize)
{
	return AllocateRtMemoryEx(cbSize, 0, UINT64_MAX, 0);
}

static struct intime_block *intime_take(const void *p)
{
	struct intime_block **at, *b = NULL;
	pid_t self = sys_getpid();
	uint32_t me = lock_tid();

	lock_acquire(&intime_lock, me);
	for (at = &intime_live; *at; at = &(*at)->next) {
		if ((*at)->run.base == p && (*at)->owner == self) {
			b = *at;
			*at = b->next;
			if (intime_tag)
				tag_unbook(intime_tag, b->run.size);
			break;
		}
	}
	lock_release(&intime_lock, me);
	return b;
}

BOOLEAN FreeRtMemory(PVOID pMemory)
{
	struct intime_block *b = pMemory ? intime_take(pMemory) : NULL;

	intime_error = b ? E_OK : E_PARAM;
	if (!b)
		return FALSE;
	phys_free(&b->run);
	je_free(b);
	return TRUE;
}

QWORD GetRtPhysicalAddressEx(PVOID pMemory)
{
	uint64_t phys = 0;
	int ret = phys_address(pMemory, &phys);

	if (ret == -EPERM)
		log_once("GetRtPhysicalAddress: it takes CAP_SYS_ADMIN "
			 "(AmbientCapabilities=)");
	intime_error = ret == -EPERM ? E_MEM : ret < 0 ? E_PARAM : E_OK;
	return ret < 0 ? BAD_RTPHYSADDREX : phys;
}

DWORD GetRtPhysicalAddress(PVOID pMemory)
{
	QWORD phys = GetRtPhysicalAddressEx(pMemory);

	if (intime_error != E_OK)
		return BAD_RTPHYSADDR;
	if (phys >= BAD_RTPHYSADDR) {
		intime_error = E_PARAM;
		return BAD_RTPHYSADDR;
	}
	return (DWORD)phys;
}

DWORD GetLastRtError(void)
{
	return intime_error;
}

void compat_intime_child(void)
{
	intime_lock.word = 0;
	if (intime_tag)
		tag_empty(intime_tag);
}
