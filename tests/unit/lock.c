/* SPDX-License-Identifier: MIT */
/*
 * lock.c - lock.h where the kernel's side of it is missing
 *
 * Of a thread of a realtime class, which is one only where the machine permits it.
 */
/* cflags: -Wno-unused-parameter */
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/os/lock.h"
#include "preload/os/sys.h"
#include "check.h"

extern void __gcov_dump(void) __attribute__((weak)); /* of make coverage */

static struct lock lock;

/* A lock is one thread's at a time, and a thread's handler is told that it is its own. */
static void alone(void)
{
	uint32_t me = lock_tid();

	CHECK(lock_try(&lock, me) && !lock_try(&lock, me + 1));
	CHECK(!lock_enter(&lock, me));
	lock_release(&lock, me);
	CHECK(lock.word == 0 && lock_enter(&lock, me));
	lock_release(&lock, me);
}

static void refuse_futex(int operation)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 3),
		BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(unsigned)operation | FUTEX_PRIVATE_FLAG, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(f) / sizeof(f[0]), f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(3);
}

static void *urgent(void *arg)
{
	struct sched_param fifo = {50};
	uint32_t me = lock_tid();

	sched_setscheduler(0, SCHED_FIFO, &fifo);
	lock_acquire(&lock, me);
	lock_release(&lock, me);
	return NULL;
}

/* One processor: a waiter that does not sleep keeps the holder from it, and is killed.
 * known: the program's filter was seen to be put up. */
static void child(bool known)
{
	struct rlimit burnt = {300000, 300000}; /* microseconds */
	uint32_t me = lock_tid();
	cpu_set_t one;
	pthread_t t;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	setrlimit(RLIMIT_RTTIME, &burnt);
	refuse_futex(FUTEX_LOCK_PI);
	if (known)
		sys_restrict(true);
	lock_acquire(&lock, me);
	pthread_create(&t, NULL, urgent, NULL);
	usleep(20000);
	lock_release(&lock, me);
	pthread_join(t, NULL);
	if (__gcov_dump)
		__gcov_dump();
	_exit(lock.word != 0);
}

static void refused(bool known)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0) {
		lock_tid_forget();
		child(known);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	alone();
	refused(false);
	refused(true);
	return failures != 0;
}
