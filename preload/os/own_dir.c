/* SPDX-License-Identifier: MIT */
/*
 * own_dir.c - libc's names as this library means them: directories (see own.c)
 *
 * The kernel's record is libc's struct dirent. Bound: one buffer for each open directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base.h"
#include "sys.h"

#define OWN __attribute__((visibility("hidden")))

struct __dirstream {
	int fd;
	long have, at; /* bytes in buf, and where the next record begins */
	_Alignas(struct dirent) char buf[4096];
};

OWN DIR *__wrap_opendir(const char *path);
OWN DIR *__wrap_opendir(const char *path)
{
	int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK, 0);
	DIR *d;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	d = je_malloc(sizeof(*d));
	if (d) {
		d->fd = fd;
		d->have = d->at = 0;
	} else {
		sys_close(fd);
		errno = ENOMEM;
	}
	return d;
}

OWN struct dirent *__wrap_readdir(DIR *d);
OWN struct dirent *__wrap_readdir(DIR *d)
{
	struct dirent *e;

	if (d->at >= d->have) {
		d->at = 0;
		d->have = sys_call3(SYS_getdents64, d->fd, (long)d->buf, sizeof(d->buf));
		if (d->have < 0)
			errno = (int)-d->have;
		if (d->have <= 0)
			return NULL;
	}
	e = (struct dirent *)(void *)(d->buf + d->at);
	d->at += e->d_reclen;
	return e;
}

OWN int __wrap_closedir(DIR *d);
OWN int __wrap_closedir(DIR *d)
{
	sys_close(d->fd);
	je_free(d);
	return 0;
}
