/* SPDX-License-Identifier: MIT */
/* survive_namespace.c - what only a single-threaded process may do, at once and after a
 * while of allocating: a new user namespace, a file-system context of its own, setns */
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include "victim.h"

static void in_child(int (*fn)(void), const char *what)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn() == 0 ? 0 : errno);
	waitpid(pid, &status, 0);
	if (status) {
		dprintf(2, "%s: %s\n", what, strerror(status >> 8));
		CHECK(!"allowed");
	}
}

static int new_user(void)
{
	return unshare(CLONE_NEWUSER);
}

static int own_fs(void)
{
	return unshare(CLONE_FS | CLONE_FILES);
}

static int set_mount(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	return unshare(CLONE_NEWUSER) ? -1 : (close(fd), unshare(CLONE_NEWNS));
}

static int set_ns(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	return setns(fd, CLONE_NEWNS);
}

int main(void)
{
	for (int i = 0; i < 1000; i++)
		free(malloc((size_t)i * 100));
	usleep(150000); /* a helper that comes late comes now */
	in_child(new_user, "unshare(CLONE_NEWUSER) in a child");
	in_child(own_fs, "unshare(CLONE_FS) in a child");
	in_child(set_mount, "unshare(CLONE_NEWNS) in a child");
	CHECK_EQ(own_fs(), 0);
	CHECK_EQ(set_ns(), 0);
	CHECK_EQ(new_user(), 0);
	return FAILED;
}
