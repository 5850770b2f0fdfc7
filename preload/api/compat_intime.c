/* SPDX-License-Identifier: MIT */
/*
 * compat_intime.c - AllocateRtMemoryEx() and kin, as declared in intime/rt.h
 *
 * A boundary over rtm_contiguous.c: errors become INtime's, and are kept for the thread.
 * Never on the realtime path.
 */
#include <errno.h>

#include "os/log.h"
#include "memory/phys.h"
#include "compat_intime.h"
#include "rtm.h"

static __thread DWORD intime_error;

DWORD intime_set(DWORD status, DWORD result)
{
	intime_error = status;
	return result;
}

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

PVOID AllocateRtMemoryEx(
	DWORD cbSize, QWORD qwLowFilter, QWORD qwHighFilter, DWORD cbAlignment)
{
	const struct phys_want want = {.size = cbSize,
		.low = qwLowFilter,
		.high = qwHighFilter,
		.align = cbAlignment};
	void *block = NULL;

	intime_error = intime_status(rtm_contiguous_make(&want, &block));
	return block;
}

PVOID AllocateRtMemory(DWORD cbSize)
{
	return AllocateRtMemoryEx(cbSize, 0, UINT64_MAX, 0);
}

BOOLEAN FreeRtMemory(PVOID pMemory)
{
	bool freed = rthandle_unmap(pMemory) || rtm_contiguous_drop(pMemory);

	intime_error = freed ? E_OK : E_PARAM;
	return freed;
}

QWORD GetRtPhysicalAddressEx(PVOID pMemory)
{
	uint64_t phys = 0;
	int ret = phys_address(pMemory, &phys);

	if (ret == -EPERM)
		log_once(
			"GetRtPhysicalAddress: it takes CAP_SYS_ADMIN (AmbientCapabilities=)");
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
