/* SPDX-License-Identifier: MIT */
/*
 * without.c - runs a command as on a machine that lacks something
 *
 *	without WHAT[,WHAT…] COMMAND…
 *
 * 1g, 2m    no huge pages of that size can be reserved: mmap says EINVAL, as where the
 *	     processor or the kernel does not know them
 * thp	     no transparent huge pages
 * io_uring  the kernel forbids it
 * pts	     no pseudo terminals, no terminal
 * cgroup    no control groups are mounted
 * shm	     /dev/shm has 64 MiB, as in containers
 *
 * Children inherit all of it. Exit code 125: it could not be taken away.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <unistd.h>

enum { FAILED = 125 };

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW	      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void filter(struct sock_filter *code, unsigned short len)
{
	struct sock_fprog program = {len, code};

	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		err(FAILED, "no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		err(FAILED, "seccomp");
}

/* mmap's flags are its fourth argument; the size of a huge page is 2 to the power of the
 * six bits above MAP_HUGE_SHIFT. */
static void no_huge_pages(unsigned log2_size)
{
	unsigned want = MAP_HUGETLB | log2_size << MAP_HUGE_SHIFT;
	struct sock_filter code[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 4),
		LOAD(args[3]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MAP_HUGETLB | 63u << MAP_HUGE_SHIFT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 0, 1),
		REFUSE(EINVAL),
		ALLOW,
	};

	filter(code, sizeof code / sizeof *code);
}

static void no_io_uring(void)
{
	struct sock_filter code[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_io_uring_setup, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_io_uring_register, 1, 0),
		REFUSE(EPERM),
		ALLOW,
	};

	filter(code, sizeof code / sizeof *code);
}

/* Mounts of our own; the machine keeps its. */
static void mounted(const char *where, const char *options)
{
	static int ours;

	if (!ours && (unshare(CLONE_NEWNS) != 0 ||
			     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
		err(FAILED, "a mount namespace");
	ours = 1;
	if (mount("tmpfs", where, "tmpfs", 0, options) != 0 && errno != ENOENT)
		err(FAILED, "%s", where);
}

static void no_terminals(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	mounted("/dev/pts", "size=4k,mode=755");
	if (mount("/dev/null", "/dev/ptmx", NULL, MS_BIND, NULL) != 0 && errno != ENOENT)
		err(FAILED, "/dev/ptmx");
	if (fd >= 0)
		ioctl(fd, TIOCNOTTY);
}

static void take_away(const char *what)
{
	if (strcmp(what, "1g") == 0)
		no_huge_pages(30);
	else if (strcmp(what, "2m") == 0)
		no_huge_pages(21);
	else if (strcmp(what, "thp") == 0)
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	else if (strcmp(what, "io_uring") == 0)
		no_io_uring();
	else if (strcmp(what, "pts") == 0)
		no_terminals();
	else if (strcmp(what, "cgroup") == 0)
		mounted("/sys/fs/cgroup", "size=4k,mode=755");
	else if (strcmp(what, "shm") == 0)
		mounted("/dev/shm", "size=64m,mode=1777");
	else
		errx(FAILED, "cannot take away %s", what);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(FAILED, "usage: without WHAT[,WHAT...] COMMAND...");
	for (char *what = strtok(argv[1], ","); what; what = strtok(NULL, ","))
		take_away(what);
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
