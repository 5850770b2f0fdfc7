/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - what a whole program costs under each of several preloads
 *
 *   cpu RUNS LABEL=PRELOAD[+CONF]... -- COMMAND...
 *
 * The command runs RUNS times under each (in turn, so that all see the same weather) with
 * its output thrown away; CONF becomes RTMEM_CONF. Prints for each label the median of
 * user + system time in ms, then of wall time in ms, and how many runs failed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define LABELS 16
#define RUNS   2000

struct subject {
	const char *label, *preload, *conf;
	double cpu[RUNS], wall[RUNS];
	int failed;
};

static struct subject subject[LABELS];

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void child(const struct subject *s, char **argv)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	if (*s->preload)
		setenv("LD_PRELOAD", s->preload, 1);
	if (s->conf)
		setenv("RTMEM_CONF", s->conf, 1);
	execvp(argv[0], argv);
	_exit(127);
}

static void run_once(struct subject *s, int i, char **argv)
{
	uint64_t start = now_ns();
	struct rusage u;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child(s, argv);
	wait4(pid, &status, 0, &u);
	s->wall[i] = (double)(now_ns() - start) / 1e6;
	s->cpu[i] = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
		    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
	s->failed += status != 0;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 0, n = 0, at = 2;

	for (; at < argc && strcmp(argv[at], "--") && n < LABELS; at++) {
		char *eq = strchr(argv[at], '=');

		if (!eq)
			return 2;
		*eq = '\0';
		subject[n].label = argv[at];
		subject[n].preload = eq + 1;
		eq = strchr(eq + 1, '+'); /* no library here has a + in its path */
		if (eq) {
			*eq = '\0';
			subject[n].conf = eq + 1;
		}
		n++;
	}
	if (runs < 1 || runs > RUNS || n == 0 || at + 1 >= argc)
		return 2;
	for (int i = 0; i < runs; i++)
		for (int s = 0; s < n; s++)
			run_once(&subject[s], i, argv + at + 1);
	for (int s = 0; s < n; s++)
		printf("%s %.2f %.2f %d\n", subject[s].label,
			median(subject[s].cpu, runs), median(subject[s].wall, runs),
			subject[s].failed);
	return 0;
}
