/* SPDX-License-Identifier: MIT */
/*
 * phys_pagemap.c - where pages lie in RAM, as the kernel tells it
 *
 * /proc/self/pagemap gives frame numbers to CAP_SYS_ADMIN and zeroes to everybody else;
 * its PAGEMAP_SCAN says of any page whether a huge one maps it. The file is opened where
 * the program cannot see the descriptor (fd_table.h), for one call each.
 */
#include "phys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "os/fd_table.h"
#include "os/sys.h"

/* linux/fs.h of Debian 12 is older than this ioctl. */
struct phys_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct phys_region {
	uint64_t start, end, categories;
};
#define PHYS_SCAN_IOCTL _IOWR('f', 16, struct phys_scan)
#define PHYS_SCAN_HUGE	(1ULL << 6)

struct phys_query {
	const void *base;
	size_t n;
	uint64_t *out;
};

static int phys_open(void)
{
	return sys_openat(AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
}

static int phys_read_entries(void *arg)
{
	struct phys_query *q = arg;
	size_t bytes = q->n * sizeof(*q->out), done = 0;
	off_t at = (off_t)((uintptr_t)q->base / AREA_PAGE * sizeof(*q->out));
	int fd = phys_open();
	long got = 1;

	if (fd < 0)
		return fd;
	while (done < bytes && got > 0) {
		got = sys_call4(SYS_pread64, fd, (long)((char *)q->out + done),
			(long)(bytes - done), (long)at + (long)done);
		if (got == -EINTR)
			got = 1;
		else if (got > 0)
			done += (size_t)got;
	}
	sys_close(fd);
	return got < 0 ? (int)got : done == bytes ? 0 : -EFAULT;
}

int phys_entries(const void *base, size_t n, uint64_t *out)
{
	struct phys_query q = {base, n, out};

	return fd_table_run(phys_read_entries, &q);
}

static int phys_scan_huge(void *arg)
{
	struct phys_query *q = arg;
	struct phys_region region;
	struct phys_scan scan = {
		.size = sizeof(scan),
		.start = (uintptr_t)q->base,
		.end = (uintptr_t)q->base + q->n,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = PHYS_SCAN_HUGE,
		.return_mask = PHYS_SCAN_HUGE,
	};
	int fd = phys_open();
	long got;

	if (fd < 0)
		return fd;
	got = sys_call3(SYS_ioctl, fd, (long)PHYS_SCAN_IOCTL, (long)&scan);
	sys_close(fd);
	if (got < 0)
		return (int)got;
	return got == 1 && region.start <= scan.start && region.end >= scan.end;
}

int phys_is_huge(const void *base, size_t len)
{
	struct phys_query q = {base, len, NULL};

	return fd_table_run(phys_scan_huge, &q);
}

int phys_address(const void *p, uint64_t *out)
{
	uint64_t entry = 0;
	int ret = phys_entries(p, 1, &entry);

	if (ret < 0)
		return ret;
	if (!(entry & PHYS_PRESENT))
		return -EFAULT;
	if (PHYS_PFN(entry) == 0)
		return -EPERM;
	*out = (PHYS_PFN(entry) << PHYS_PAGE_SHIFT) + (uintptr_t)p % AREA_PAGE;
	return 0;
}
