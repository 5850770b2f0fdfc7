/* SPDX-License-Identifier: MIT */
/*
 * stats_file.c - the file in memory that a process's helper thread holds open
 *
 * How many threads and descriptors a process has, and how they are called, is the
 * process's business: the search stops after FIND_TIME of our processor time,
 * FIND_HELPERS threads of the helper's name and FIND_FILES descriptors of each. The real
 * helper is among a process's first threads and has a handful.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gate.h"
#include "stats_read.h"

#define FIND_TIME    0.05 /* s */
#define FIND_HELPERS 16
#define FIND_FILES   4096

double stats_busy(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct find {
	pid_t pid;
	const char *file;
	double start;
	enum stats_trouble *trouble;
};

static bool find_over(const struct find *f)
{
	return stats_busy() - f->start > FIND_TIME;
}

static enum stats_trouble find_trouble(void)
{
	return errno == EACCES || errno == EPERM ? STATS_DENIED : STATS_GONE;
}

static bool find_is_helper(const struct find *f, const char *tid)
{
	char path[320], name[32] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", f->pid, tid);
	comm = fopen(path, "re");
	if (comm && !fgets(name, sizeof(name), comm))
		*name = '\0';
	if (comm)
		fclose(comm);
	name[strcspn(name, "\n")] = '\0';
	return strcmp(name, RTMEM_STATS_HELPER) == 0;
}

/* In one thread's table; -1: none. */
static int find_in_table(const struct find *f, pid_t tid)
{
	char path[64], target[64], wanted[64];
	struct dirent *e;
	int fd = -1;
	uid_t user;
	DIR *d;

	snprintf(wanted, sizeof(wanted), "/memfd:%s (deleted)", f->file);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", f->pid, tid);
	d = opendir(path);
	if (!d && find_trouble() == STATS_DENIED)
		*f->trouble = STATS_DENIED;
	if (d && !gate_user(f->pid, tid, &user)) {
		closedir(d);
		return -1;
	}
	for (int i = 0; d && fd < 0 && i < FIND_FILES && (e = readdir(d)); i++) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		if (strcmp(target, wanted) == 0)
			fd = gate_memory(dirfd(d), e->d_name, user);
		if (i % 64 == 63 && find_over(f)) /* the clock is a system call */
			break;
	}
	if (d)
		closedir(d);
	return fd;
}

int stats_find_file(pid_t pid, const char *file, enum stats_trouble *t)
{
	const struct find f = {pid, file, stats_busy(), t};
	int fd = -1, helpers = 0, seen = 0;
	struct dirent *e;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	if (!d)
		*t = find_trouble();
	while (d && fd < 0 && *t == STATS_OK && helpers < FIND_HELPERS &&
		(++seen % 64 || !find_over(&f)) && (e = readdir(d))) {
		pid_t tid = process_number(e->d_name);

		if (tid < 0 || !find_is_helper(&f, e->d_name))
			continue;
		helpers++;
		fd = find_in_table(&f, tid);
	}
	if (d)
		closedir(d);
	return fd;
}
