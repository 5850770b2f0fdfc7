/* SPDX-License-Identifier: MIT */
/*
 * filter_service.c COMMAND... - runs it under a filter that kills for what systemd's
 * SystemCallFilter=@system-service leaves out and a library might try
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENY(nr)                                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(nr), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(SYS_pidfd_getfd), DENY(SYS_ptrace), DENY(SYS_perf_event_open),
		DENY(SYS_process_vm_readv), DENY(SYS_process_vm_writev), DENY(SYS_bpf),
		DENY(SYS_mount), DENY(SYS_swapon), DENY(SYS_reboot),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return 99;
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 99;
}
