/* SPDX-License-Identifier: MIT */
/*
 * survive_sandbox.c alone|tsync - a sandbox as browsers put up: whoever makes a call that
 * the program itself does not make ends it. Threads then come, are named, allocate on one
 * pool at once, free what came before, and wait.
 *
 * alone: put up while there is one thread. tsync: beside another one (and our helper).
 */
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "victim.h"

#define THREADS 4
#define DATA(f) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, f))
#define WHEN(value, skip_else) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, skip_else)
#define VERDICT(v) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##v)
#define DENY(nr)   WHEN(nr, 1), VERDICT(KILL_PROCESS)
/* only about the caller, by the number 0 */
#define OWN(nr) \
	WHEN(nr, 4), DATA(args[0]), WHEN(0, 1), VERDICT(ALLOW), VERDICT(KILL_PROCESS)

static void sandbox(void)
{
	struct sock_filter filter[] = {DATA(nr), DENY(SYS_close_range),
		DENY(SYS_pidfd_open), DENY(SYS_pidfd_getfd), DENY(SYS_open),
		DENY(SYS_openat), DENY(SYS_readlink), DENY(SYS_readlinkat),
		DENY(SYS_getcwd), DENY(SYS_memfd_create), DENY(SYS_rt_sigpending),
		DENY(SYS_rt_sigtimedwait), DENY(SYS_tgkill), DENY(SYS_madvise),
		DENY(SYS_mlock), DENY(SYS_mlock2), DENY(SYS_mbind),
		DENY(SYS_io_uring_setup), DENY(SYS_clone), OWN(SYS_sched_getscheduler),
		OWN(SYS_sched_getparam), OWN(SYS_sched_setscheduler), WHEN(SYS_futex, 7),
		DATA(args[1]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
			(unsigned)~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)),
		DENY(FUTEX_LOCK_PI), DENY(FUTEX_UNLOCK_PI), VERDICT(ALLOW),
		VERDICT(ALLOW)};
	struct sock_fprog prog = {sizeof(filter) / sizeof(*filter), filter};

	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			 &prog),
		0);
}

#define EARLY 600
static void *early[EARLY];
static int left = THREADS;

static void churn(void)
{
	for (int round = 0; round < 30; round++) {
		void *many[100];

		for (size_t i = 0; i < 100; i++) {
			many[i] = malloc(i * 97 % 9000 + 1);
			memset(many[i], 1, i * 97 % 9000 + 1);
		}
		for (size_t i = 0; i < 100; i++)
			free(many[i]);
	}
}

static void *thread(void *arg)
{
	expect_here();
	CHECK_EQ(prctl(PR_SET_NAME, "sandboxed"), 0);
	churn();
	if (arg) {
		for (int i = 0; i < EARLY; i++)
			free(early[i]);
	}
	churn();
	__atomic_fetch_sub(&left, 1, __ATOMIC_RELEASE);
	for (;;) /* libc itself calls madvise when a thread ends */
		pause();
	return NULL;
}

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	for (size_t i = 0; i < EARLY; i++)
		early[i] = malloc(i);
	if (argc > 1 && !strcmp(argv[1], "tsync"))
		CHECK_EQ(pthread_create(&t, NULL, waits, NULL), 0);
	sandbox();
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&t, NULL, thread, i ? NULL : (void *)early), 0);
	while (__atomic_load_n(&left, __ATOMIC_ACQUIRE)) {
		churn();
		usleep(1000);
	}
	usleep(300000); /* the helper looks, too */
	puts("alive");
	fflush(stdout);
	_exit(FAILED);
}
