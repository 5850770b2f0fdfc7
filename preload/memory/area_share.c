/* SPDX-License-Identifier: MIT */
/*
 * area_share.c - see area_share.h
 *
 * The file has the size of the reservation, and a seal keeps that size. Where others may
 * only read, it is sealed against writing after our own mapping exists, which stays
 * writable.
 * Shared memory is not copied by a fork, so it needs no pin.
 */
#include "area_share.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "os/sys.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* The inode number; 0 when there is no such descriptor. */
static uint64_t shared_inode(int fd)
{
	struct stat st;

	return sys_call3(SYS_fstat, fd, (long)&st, 0) < 0 ? 0 : st.st_ino;
}

static int shared_file(size_t size)
{
	int fd = (int)sys_call3(
		SYS_memfd_create, (long)"rtmem", MFD_CLOEXEC | MFD_ALLOW_SEALING, 0);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_call3(SYS_ftruncate, fd, (long)size, 0);
	if (ret < 0) {
		sys_close(fd);
		return (int)ret;
	}
	return fd;
}

static int shared_place(struct area *a, int fd, bool writable)
{
	long seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	long ret =
		sys_mmap(a->base, a->reserved, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0);

	if (sys_is_error(ret))
		return (int)ret;
	if (!writable)
		seals |= F_SEAL_FUTURE_WRITE;
	ret = sys_call3(SYS_fcntl, fd, F_ADD_SEALS, seals);
	if (ret < 0)
		return (int)ret;
	sys_madvise(a->base, a->reserved, MADV_DONTDUMP);
	return 0;
}

int area_reserve_shared(struct area *a, void *at, size_t size, unsigned flags,
	bool writable, struct area_shared *out)
{
	int ret = area_reserve(a, at, size, flags & ~(unsigned)AREA_PIN), fd;

	if (ret < 0)
		return ret;
	fd = shared_file(a->reserved);
	ret = fd < 0 ? fd : shared_place(a, fd, writable);
	if (ret < 0) {
		area_release(a);
		if (fd >= 0)
			sys_close(fd);
		return ret;
	}
	out->fd = fd;
	out->inode = shared_inode(fd);
	return 0;
}

int area_shared_descriptor(const struct area_shared *s)
{
	if (shared_inode(s->fd) != s->inode)
		return -EBADF;
	return (int)sys_call3(SYS_fcntl, s->fd, F_DUPFD, 3);
}

void area_shared_close(const struct area_shared *s)
{
	if (shared_inode(s->fd) == s->inode)
		sys_close(s->fd);
}
