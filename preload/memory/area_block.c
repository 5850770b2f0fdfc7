/* SPDX-License-Identifier: MIT */
/*
 * area_block.c - see area_block.h
 *
 * Such a block is in no registry: a fork treats it as ordinary memory.
 */
#include "area_block.h"

#include <sys/mman.h>

#include "os/sys.h"
#include "area_private.h"

/* From here on the machine is asked first whether it can give that much: asking costs as
 * much as a MiB. */
#define AREA_BLOCK_ASK (64UL << 20)

void *area_block_map(size_t bytes, bool lock, bool *locked)
{
	long got;
	int error = 0;

	*locked = false;
	if (bytes >= AREA_BLOCK_ASK && area_check_memory(bytes) < 0)
		return NULL;
	got = sys_mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_is_error(got))
		return NULL;
	if (!sys_restricted())
		sys_madvise((void *)got, bytes, MADV_UNMERGEABLE);
	if (area_populate((unsigned char *)got, bytes) < 0) {
		sys_munmap((void *)got, bytes);
		return NULL;
	}
	if (lock) {
		area_lock_pages((unsigned char *)got, bytes, &error);
		*locked = error == 0;
	}
	return (void *)got;
}

void area_block_unmap(void *block, size_t bytes)
{
	sys_munmap(block, bytes);
}

static unsigned char *block_pages(void *block, size_t *bytes)
{
	unsigned char *start = (unsigned char *)((uintptr_t)block & ~(AREA_PAGE - 1));

	*bytes += (size_t)((unsigned char *)block - start) + AREA_PAGE - 1;
	*bytes &= ~(AREA_PAGE - 1);
	return start;
}

bool area_block_hold(void *block, size_t bytes)
{
	unsigned char *start = block_pages(block, &bytes);
	int error = 0;

	if (area_populate(start, bytes) < 0)
		return false;
	area_lock_pages(start, bytes, &error);
	return error == 0;
}

void area_block_let_go(void *block, size_t bytes)
{
	unsigned char *start = block_pages(block, &bytes);

	if (!sys_restricted())
		sys_munlock(start, bytes);
}
