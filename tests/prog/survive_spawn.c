/* SPDX-License-Identifier: MIT */
/* survive_spawn.c - every other way to make a process: vfork, posix_spawn, system, popen,
 * raw clone, daemon; the parent allocates before, between and after */
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "victim.h"

extern char **environ;

static void churn(void)
{
	for (size_t n = 1; n < 100000; n = n * 3 + 1) {
		char *p = malloc(n);

		fill(p, n, 1);
		free(p);
	}
}

static void wait_for(pid_t pid, int expected, const char *what)
{
	int status = -1;

	if (pid <= 0 || waitpid(pid, &status, 0) != pid || status != expected << 8) {
		dprintf(2, "%s: pid %d status 0x%x\n", what, pid, status);
		CHECK(!"child ended as it should");
	}
	churn();
}

static void check_vfork(void)
{
	char *argv[] = {"sh", "-c", "exit 5", NULL};
	char *p = malloc(100);
	pid_t pid = vfork();

	if (pid == 0) {
		free(malloc(1000)); /* shares our memory */
		p[0] = 77;
		_exit(3);
	}
	wait_for(pid, 3, "vfork, _exit");
	CHECK_EQ(p[0], 77);
	free(p);
	pid = vfork();
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(9);
	}
	wait_for(pid, 5, "vfork, exec");
}

static void check_spawn(void)
{
	char *argv[] = {"sh", "-c", "exit 6", NULL};
	char line[64] = "";
	pid_t pid = 0;
	FILE *f;

	CHECK_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
	wait_for(pid, 6, "posix_spawn");
	CHECK_EQ(system("exit 7"), 7 << 8);
	f = popen("echo hello", "r");
	CHECK(f && fgets(line, sizeof(line), f) && !strcmp(line, "hello\n"));
	CHECK_EQ(pclose(f), 0);
}

static int clone_child(void *arg)
{
	churn();
	free(arg);
	free(calloc(10, 10));
	return 8;
}

static void check_clone(void)
{
	static char stack[262144] __attribute__((aligned(16)));
	void *block = malloc(100);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0) {
		alarm(20);
		churn();
		free(block);
		_exit(4);
	}
	wait_for(pid, 4, "raw clone");
	pid = clone(clone_child, stack + sizeof(stack), SIGCHLD, block);
	wait_for(pid, 8, "clone");
	free(block);
}

/* A daemon reports through a pipe. */
static void check_daemon(void)
{
	char got = 0;
	int end[2];
	pid_t pid;

	CHECK_EQ(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		alarm(20);
		if (daemon(1, 1))
			_exit(1);
		churn();
		got = FAILED ? 'n' : 'y';
		_exit(write(end[1], &got, 1) == 1 ? 0 : 1);
	}
	close(end[1]);
	wait_for(pid, 0, "before daemon()");
	CHECK_EQ(read(end[0], &got, 1), 1);
	CHECK_EQ(got, 'y');
	close(end[0]);
}

static void victim(void)
{
	churn();
	check_vfork();
	check_spawn();
	check_clone();
	check_daemon();
}

int main(void)
{
	return in_both_threads(victim);
}
