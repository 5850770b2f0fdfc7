/* SPDX-License-Identifier: MIT */
/*
 * survive_alone.c - a program that made no thread has one, and may do what only such a
 * program may, for as long as its pool is large enough; then the pool grows.
 *
 * Its thread matches from when it is called "later". Arguments: what ends that: "grow",
 * "big", "defer" or "fifo"; nothing: it stays so.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

#define EARLY 1000
static void *early[EARLY];

/* As Chromium counts them. */
static int threads(void)
{
	struct stat st;

	return stat("/proc/self/task/", &st) ? -1 : (int)st.st_nlink - 2;
}

static void in_a_new_namespace(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		free(malloc(1000));
		if (threads() != 1)
			_exit(99);
		_exit(syscall(SYS_unshare, CLONE_NEWUSER) ? errno : 0);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
}

/* The pool has 1 MiB and may have 20: what falls short is there at once. */
static void grow(void)
{
	static char *block[100];

	for (size_t i = 0; i < 100; i++) {
		block[i] = malloc(20000);
		CHECK(in_pool(block[i]));
		fill(block[i], 20000, (unsigned char)i);
	}
	for (size_t i = 0; i < 100; i++) {
		CHECK(filled(block[i], 20000, (unsigned char)i));
		free(block[i]);
	}
}

static void big(void)
{
	void *p = malloc(5 << 20);

	CHECK(in_pool(p));
	free(p);
}

/* Blocks of jemalloc are freed by the library's thread. */
static void defer(void)
{
	for (int i = 0; i < EARLY; i++)
		free(early[i]);
}

static void fifo(void)
{
	struct sched_param param = {.sched_priority = 5};

	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	free(malloc(100));
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < EARLY; i++)
		early[i] = malloc(i);
	CHECK_EQ(prctl(PR_SET_NAME, "later"), 0);
	expect_here();
	for (size_t i = 0; i < 10000; i++)
		free(malloc(i));
	usleep(100000); /* a thread that comes late comes now */
	CHECK_EQ(threads(), 1);
	in_a_new_namespace();
	CHECK_EQ(threads(), 1);
	if (!strcmp(how, "grow"))
		grow();
	else if (!strcmp(how, "big"))
		big();
	else if (!strcmp(how, "defer"))
		defer();
	else if (!strcmp(how, "fifo"))
		fifo();
	CHECK_EQ(threads(), *how ? 2 : 1);
	free(malloc(100));
	return FAILED;
}
