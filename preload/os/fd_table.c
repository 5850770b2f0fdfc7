/* SPDX-License-Identifier: MIT */
/*
 * fd_table.c - runs a function with a descriptor table of its own; reads files there
 *
 * The thread made for one call shares everything with the process but the descriptor
 * table. The caller sleeps until it is gone (CLONE_VFORK), so it may use the caller's
 * thread-local storage; all signals are blocked, so no handler of the program runs on its
 * stack. Without CLONE_FS, so that unshare() and setns() beside it see nobody share that,
 * and because valgrind knows only such a set of flags. Bound: one thread at a time.
 */
#include "fd_table.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/single_threaded.h>

#include "child.h"
#include "mutex.h"
#include "proc.h"
#include "sys.h"

static __attribute__((tls_model("initial-exec"))) __thread bool own_table;

/* TSan takes a clone() for a fork, and forgets what it knew. */
#ifdef __SANITIZE_THREAD__
#define FD_TABLE_GUESTS 0
#else
#define FD_TABLE_GUESTS 1
#endif

/* 0 free, 1 held, 2 held and somebody sleeps */
CHILD_DATA static struct mutex guest_mutex;
static _Alignas(64) unsigned char guest_stack[16384];
static struct {
	int (*fn)(void *);
	void *arg;
	int result;
	pid_t tid;     /* the last one's */
	uint32_t made; /* so many there were */
} guest;

void fd_table_mark_private(void)
{
	own_table = true;
}

bool fd_table_private(void)
{
	return own_table;
}

static int guest_main(void *unused)
{
	(void)unused;
	guest.result = guest.fn(guest.arg);
	return 0;
}

static int run_as_guest(int (*fn)(void *), void *arg)
{
	int saved = errno, ret;

	mutex_acquire(&guest_mutex);
	guest.fn = fn;
	guest.arg = arg;
	guest.result = -EAGAIN;
	guest.made++;
	/* clone() is declared a leaf: without these gcc assumes that it does not call
	 * guest_main(), and keeps what stands in `guest` in registers */
	__asm__ volatile("" ::: "memory");
	guest.tid = clone(guest_main, guest_stack + sizeof guest_stack,
		CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_VFORK,
		NULL);
	if (guest.tid < 0)
		guest.result = -errno;
	__asm__ volatile("" ::: "memory");
	ret = guest.result;
	mutex_release(&guest_mutex);
	errno = saved;
	return ret;
}

uint32_t fd_table_guests_gone(void)
{
	uint32_t made;

	mutex_acquire(&guest_mutex);
	if (guest.tid > 0)
		proc_wait_gone(guest.tid);
	made = guest.made;
	mutex_release(&guest_mutex);
	return made;
}

int fd_table_run(int (*fn)(void *), void *arg)
{
	uint64_t all = ~0ULL, old;
	int ret;

	sys_sigprocmask(SIG_SETMASK, &all, &old);
	if (own_table || __libc_single_threaded || !FD_TABLE_GUESTS)
		ret = fn(arg);
	else
		ret = run_as_guest(fn, arg);
	sys_sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int fd_table_slurp(const char *path, char *buf, unsigned len)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	unsigned have = 0;
	ssize_t got = 0;

	if (fd < 0)
		return fd;
	while (have < len - 1 && (got = sys_read(fd, buf + have, len - 1 - have)) > 0)
		have += (unsigned)got;
	sys_close(fd);
	buf[have] = '\0';
	return got < 0 ? (int)got : (int)have;
}

void fd_table_child(void)
{
	mutex_child(&guest_mutex);
}
