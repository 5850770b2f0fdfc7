/* SPDX-License-Identifier: MIT */
/*
 * sys.h - system calls without libc: a negative errno is returned and errno is left alone
 *
 * The library exports several of these names itself (syscall, mlockall, prctl …), and
 * libc's wrappers write errno; so nothing below the entry points calls libc for them.
 * One thin function per call, no policy, no retry. x86-64 Linux.
 */
#ifndef SYS_H
#define SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

#ifndef __x86_64__
#error "sys.h: only x86-64 is written; the convention of the machine goes here"
#endif

#define SYS_INLINE static inline __attribute__((always_inline))

SYS_INLINE long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

SYS_INLINE long sys_call4(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

SYS_INLINE long sys_call3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Was the result of sys_mmap() or sys_mremap() an error? */
SYS_INLINE int sys_is_error(long ret)
{
	return (unsigned long)ret > -4096UL;
}

/* memory: an address or a negative errno, see sys_is_error() */
SYS_INLINE long sys_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return sys_call6(SYS_mmap, (long)at, (long)len, prot, flags, fd, (long)off);
}

SYS_INLINE long sys_mremap(void *old, size_t len, size_t new_len, int flags, void *at)
{
	return sys_call6(
		SYS_mremap, (long)old, (long)len, (long)new_len, flags, (long)at, 0);
}

SYS_INLINE int sys_munmap(void *at, size_t len)
{
	return (int)sys_call3(SYS_munmap, (long)at, (long)len, 0);
}

SYS_INLINE int sys_mprotect(void *at, size_t len, int prot)
{
	return (int)sys_call3(SYS_mprotect, (long)at, (long)len, prot);
}

SYS_INLINE int sys_madvise(void *at, size_t len, int advice)
{
	return (int)sys_call3(SYS_madvise, (long)at, (long)len, advice);
}

SYS_INLINE int sys_mlock(const void *at, size_t len)
{
	return (int)sys_call3(SYS_mlock, (long)at, (long)len, 0);
}

SYS_INLINE int sys_munlock(const void *at, size_t len)
{
	return (int)sys_call3(SYS_munlock, (long)at, (long)len, 0);
}

SYS_INLINE int sys_mbind(void *at, size_t len, int mode, const unsigned long *nodes,
	unsigned long maxnode, unsigned flags)
{
	return (int)sys_call6(SYS_mbind, (long)at, (long)len, mode, (long)nodes,
		(long)maxnode, (long)flags);
}

/* descriptors */
SYS_INLINE int sys_openat(int dir, const char *path, int flags, unsigned mode)
{
	return (int)sys_call4(SYS_openat, dir, (long)path, flags, (long)mode);
}

SYS_INLINE int sys_close(int fd)
{
	return (int)sys_call3(SYS_close, fd, 0, 0);
}

SYS_INLINE ssize_t sys_read(int fd, void *buf, size_t len)
{
	return sys_call3(SYS_read, fd, (long)buf, (long)len);
}

SYS_INLINE ssize_t sys_write(int fd, const void *buf, size_t len)
{
	return sys_call3(SYS_write, fd, (long)buf, (long)len);
}

SYS_INLINE int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)sys_call3(SYS_pidfd_open, pid, (long)flags, 0);
}

SYS_INLINE int sys_pidfd_getfd(int pidfd, int target, unsigned flags)
{
	return (int)sys_call3(SYS_pidfd_getfd, pidfd, target, (long)flags);
}

/* threads and signals; sets are the kernel's 64-bit masks, bit (signal - 1) */
SYS_INLINE pid_t sys_getpid(void)
{
	return (pid_t)sys_call3(SYS_getpid, 0, 0, 0);
}

SYS_INLINE pid_t sys_gettid(void)
{
	return (pid_t)sys_call3(SYS_gettid, 0, 0, 0);
}

SYS_INLINE int sys_tgkill(pid_t pid, pid_t tid, int sig)
{
	return (int)sys_call3(SYS_tgkill, pid, tid, sig);
}

SYS_INLINE int sys_sched_getscheduler(pid_t tid)
{
	return (int)sys_call3(SYS_sched_getscheduler, tid, 0, 0);
}

SYS_INLINE int sys_sched_getparam(pid_t tid, void *param)
{
	return (int)sys_call3(SYS_sched_getparam, tid, (long)param, 0);
}

SYS_INLINE int sys_prctl(int option, unsigned long a)
{
	return (int)sys_call6(SYS_prctl, option, (long)a, 0, 0, 0, 0);
}

SYS_INLINE int sys_futex(uint32_t *word, int op, uint32_t val, const void *timeout)
{
	return (int)sys_call4(SYS_futex, (long)word, op, (long)val, (long)timeout);
}

SYS_INLINE int sys_sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
	return (int)sys_call4(SYS_rt_sigprocmask, how, (long)set, (long)old, sizeof *set);
}

SYS_INLINE int sys_sigpending(uint64_t *set)
{
	return (int)sys_call3(SYS_rt_sigpending, (long)set, sizeof *set, 0);
}

SYS_INLINE int sys_sigtimedwait(const uint64_t *set, const void *timeout)
{
	return (int)sys_call4(
		SYS_rt_sigtimedwait, (long)set, 0, (long)timeout, sizeof *set);
}

/*
 * The program has installed a system call filter, in the calling thread or in every one.
 * From then on sys_restricted() is true where the filter holds, and optional calls
 * (madvise, mlock, mbind, opening files, clone, io_uring, questions about other threads,
 * descriptor tables, messages) are left out there. One-way.
 */
void sys_restrict(bool every_thread);
bool sys_restricted(void);
/* The same of any thread: what all have to do alike. */
bool sys_filtered(void);
/*
 * A filter that comes over every thread must not come between the question and the call:
 * optional calls stand between begin and end (which nest), and a thread that is about to
 * put up such a filter waits until nobody is inside, and keeps others out until go_on.
 * try does not wait: for who holds a lock. Not on the realtime path.
 */
void sys_begin_optional(void);
bool sys_try_optional(void);
void sys_end_optional(void);
void sys_hold_optional(void);
/* The same for so many moments of 50 microseconds. False: somebody is still there, and
 * nobody is kept waiting. */
bool sys_try_hold_optional(unsigned long moments);
void sys_go_on(void);
/* After fork, in the child: nobody else is there. */
void sys_child(void);
/* The helper, at its start: a thread of ours, which a later filter does not reach. */
void sys_mark_own_thread(void);
/* The helper sleeps for an instant, others go on: between two steps of long work. */
void sys_breathe(void);

#endif
