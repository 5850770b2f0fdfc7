/* SPDX-License-Identifier: MIT */
/*
 * own_sys.c - libc's names as this library means them: system calls (see own.c)
 *
 * As libc's, with errno, but none is a cancellation point: a program that cancels its
 * thread must not end it inside of an allocation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

#define OWN __attribute__((visibility("hidden")))

static long own_result(long ret)
{
	if (ret >= 0 || !sys_is_error(ret))
		return ret;
	errno = (int)-ret;
	return -1;
}

OWN long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
OWN long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	return own_result(sys_call6(nr, a, b, c, d, e, f));
}

OWN int __wrap_open(const char *path, int flags, ...);
OWN int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	return (int)own_result(sys_openat(AT_FDCWD, path, flags, mode));
}

OWN int __wrap_creat(const char *path, mode_t mode);
OWN int __wrap_creat(const char *path, mode_t mode)
{
	return (int)own_result(
		sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode));
}

OWN ssize_t __wrap_read(int fd, void *buf, size_t len);
OWN ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	return own_result(sys_read(fd, buf, len));
}

OWN int __wrap_close(int fd);
OWN int __wrap_close(int fd)
{
	return (int)own_result(sys_close(fd));
}

OWN ssize_t __wrap_readlink(const char *path, char *buf, size_t len);
OWN ssize_t __wrap_readlink(const char *path, char *buf, size_t len)
{
	return own_result(sys_call3(SYS_readlink, (long)path, (long)buf, (long)len));
}

OWN int __wrap_stat(const char *path, struct stat *st);
OWN int __wrap_stat(const char *path, struct stat *st)
{
	return (int)own_result(
		sys_call4(SYS_newfstatat, AT_FDCWD, (long)path, (long)st, 0));
}

OWN int __wrap_fstat(int fd, struct stat *st);
OWN int __wrap_fstat(int fd, struct stat *st)
{
	return (int)own_result(sys_call3(SYS_fstat, fd, (long)st, 0));
}

OWN uid_t __wrap_geteuid(void);
OWN uid_t __wrap_geteuid(void)
{
	return (uid_t)sys_call3(SYS_geteuid, 0, 0, 0);
}

OWN pid_t __wrap_getpid(void);
OWN pid_t __wrap_getpid(void)
{
	return sys_getpid();
}

OWN pid_t __wrap_getppid(void);
OWN pid_t __wrap_getppid(void)
{
	return (pid_t)sys_call3(SYS_getppid, 0, 0, 0);
}

OWN pid_t __wrap_getpgrp(void);
OWN pid_t __wrap_getpgrp(void)
{
	return (pid_t)sys_call3(SYS_getpgid, 0, 0, 0);
}

OWN int __wrap_sched_yield(void);
OWN int __wrap_sched_yield(void)
{
	return (int)own_result(sys_call3(SYS_sched_yield, 0, 0, 0));
}

OWN __attribute__((noreturn)) void __wrap__exit(int status);
OWN __attribute__((noreturn)) void __wrap__exit(int status)
{
	for (;;)
		sys_call3(SYS_exit_group, status, 0, 0);
}
