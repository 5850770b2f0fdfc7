/* SPDX-License-Identifier: MIT */
/*
 * filter_kills.c WAY - installs a filter that kills the process for madvise, mlock,
 * mlock2, mbind and io_uring, then allocates on a thread named "rt-late" and, without
 * end, on main
 *
 * WAY: prctl (this thread and those it makes), tsync (every thread). Prints "alive".
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int done;

static void *allocate(void *name)
{
	static char *kept[1000];

	prctl(PR_SET_NAME, name);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 1000; i++) {
			kept[i] = malloc(8192);
			memset(kept[i], round, 8192);
		}
		usleep(5000);
		for (int i = 0; i < 1000; i++)
			free(kept[i]);
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
	pause(); /* a thread's end calls madvise in libc */
	return NULL;
}

static void install(int tsync)
{
	static const int kills[] = {SYS_madvise, SYS_mlock, SYS_mlock2, SYS_mbind,
		SYS_io_uring_setup, SYS_io_uring_register};
	struct sock_filter code[2 * 6 + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {14, code};

	for (int i = 0; i < 6; i++) {
		code[1 + 2 * i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)kills[i], 0, 1);
		code[2 + 2 * i] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	code[13] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (tsync ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_TSYNC, &program)
		  : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		abort();
}

int main(int argc, char **argv)
{
	pthread_t early, late;

	pthread_create(&early, NULL, allocate, "rt-early");
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		usleep(1000);
	install(argc > 1 && strcmp(argv[1], "tsync") == 0);
	pthread_create(&late, NULL, allocate, "rt-late");
	for (int round = 0; round < 300 || __atomic_load_n(&done, __ATOMIC_ACQUIRE) < 2;
		round++) {
		char *big = malloc(3000000);

		memset(big, 1, 3000000);
		free(big);
		usleep(1000);
	}
	puts("alive");
	fflush(stdout);
	_exit(0);
}
