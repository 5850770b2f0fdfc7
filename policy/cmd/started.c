/* SPDX-License-Identifier: MIT */
/*
 * started.c - see started.h
 */
#include "started.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

double started_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static char *started_word(const char *word)
{
	return (char *)(uintptr_t)word;
}

pid_t started_begin(struct started *s, const char *conf, char **command,
	void (*before)(void *arg), void *arg)
{
	size_t n = 0;
	int argc = 0;
	char **argv;

	while (command[n])
		n++;
	*s = (struct started){.pid = -1};
	argv = calloc(n + 5, sizeof(*argv));
	if (!argv)
		return -1;
	argv[argc++] = started_word("run");
	if (conf) {
		argv[argc++] = started_word("--conf");
		argv[argc++] = started_word(conf);
	}
	argv[argc++] = started_word("--");
	memcpy(argv + argc, command, n * sizeof(*argv));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0) {
		if (before)
			before(arg);
		_exit(cmd_run(argc + (int)n, argv));
	}
	free(argv);
	return s->pid;
}

bool started_ended(struct started *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->pid)
			continue;
		s->ended = true;
		s->status = status;
		s->ended_at = started_now();
	}
	s->alone = pid < 0 && errno == ECHILD;
	return s->ended;
}
