/* SPDX-License-Identifier: MIT */
/*
 * survive_interrupted.c - a program with one thread forks in a signal handler, wherever
 * in malloc and free it is; the child ends at once, or allocates nothing and changes its
 * identity
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "victim.h"

#define FORKS 60

static volatile int forked;

/* Once more, a moment after the program goes on. */
static void later(void)
{
	struct itimerval once = {.it_value.tv_usec = 100 + forked * 37 % 500};

	setitimer(ITIMER_REAL, &once, NULL);
}

static void on_alarm(int sig)
{
	int status = -1, saved = errno;
	pid_t pid = fork();

	if (pid == 0)
		_exit(forked % 2 ? setuid(getuid()) : 0);
	if (waitpid(pid, &status, 0) != pid || status)
		_exit(7);
	if (++forked < FORKS)
		later();
	errno = saved;
	(void)sig;
}

int main(void)
{
	char *p[64] = {0};

	expect_here();
	signal(SIGALRM, on_alarm);
	later();
	for (unsigned i = 0; forked < FORKS; i++) {
		free(p[i % 64]);
		p[i % 64] = malloc(i * 37 % 100000);
	}
	return FAILED;
}
