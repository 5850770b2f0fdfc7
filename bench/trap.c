/* SPDX-License-Identifier: MIT */
/* trap.c - see trap.h */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "trap.h"

int trap_child(struct trap *t)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrusage, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};
	long fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
	/* release: pairs with the acquire in trap_parent() */
	__atomic_store_n(&t->listener, fd < 0 ? -errno : (int)fd, __ATOMIC_RELEASE);
	if (fd < 0)
		return -errno;
	/* Without a system call: the first one would wait for a parent that waits for us.
	 */
	while (!__atomic_load_n(&t->taken, __ATOMIC_ACQUIRE))
		_mm_pause();
	return 0; /* the descriptor is close-on-exec */
}

int trap_parent(struct trap *t, pid_t child)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	siginfo_t ended;
	int theirs, fd;

	while ((theirs = __atomic_load_n(&t->listener, __ATOMIC_ACQUIRE)) == 0) {
		ended.si_pid = 0;
		waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid)
			return -ECHILD;
	}
	if (theirs < 0)
		return theirs;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
	if (fd < 0)
		fd = -errno;
	close(pidfd);
	__atomic_store_n(&t->taken, 1, __ATOMIC_RELEASE);
	return fd;
}

static bool serve_one(int listener, void (*seen)(pid_t tid, int nr))
{
	struct seccomp_notif req;
	struct seccomp_notif_resp resp;

	memset(&req, 0, sizeof(req));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return errno == EINTR || errno == ENOENT;
	seen((pid_t)req.pid, req.data.nr);
	memset(&resp, 0, sizeof(resp));
	resp.id = req.id;
	resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* ENOENT: the thread was killed meanwhile */
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0 || errno == ENOENT;
}

bool trap_serve(int listener, int timeout_ms, void (*seen)(pid_t tid, int nr))
{
	struct pollfd p = {listener, POLLIN, 0};
	int served;

	if (poll(&p, 1, timeout_ms) <= 0)
		return true;
	/* A bounded batch, so that the caller's clock ticks on. */
	for (served = 0; served < 64 && (p.revents & POLLIN); served++) {
		if (!serve_one(listener, seen))
			return false;
		p.revents = 0;
		if (poll(&p, 1, 0) < 0)
			return errno == EINTR;
	}
	return !(p.revents & POLLHUP);
}
