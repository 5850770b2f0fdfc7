/* SPDX-License-Identifier: MIT */
/*
 * stats_find.c - which processes run with the library, and where their page is
 *
 * Reads /proc only. A process may end at any moment: that is an answer, not an error.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd.h"
#include "printable.h"
#include "stats_read.h"

#define FIND_LIBRARY "librtpreload.so"
#define FIND_TIME    0.05 /* s of our processor time, for a map of whatever length */

/* The number a name in /proc is, or -1. */
pid_t stats_pid(const char *word)
{
	char *end;
	long n;

	if (*word < '0' || *word > '9')
		return -1;
	errno = 0;
	n = strtol(word, &end, 10);
	return *end || errno || n <= 0 || n > INT_MAX ? -1 : (pid_t)n;
}

static bool find_first_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(line, (int)size, f);

	if (ok)
		line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
	return ok;
}

static bool find_is_zombie(pid_t pid)
{
	char path[64], line[512], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!find_first_line(path, line, sizeof(line)))
		return true;
	end = strrchr(line, ')');
	return end && end[1] == ' ' && (end[2] == 'Z' || end[2] == 'X');
}

/* Is the library mapped? STATS_NO_PAGE: yes. */
static enum stats_trouble find_library(pid_t pid)
{
	char path[64], *line = NULL, *name;
	enum stats_trouble t = STATS_NOT_OURS;
	double start = stats_busy();
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == EACCES || errno == EPERM ? STATS_DENIED : STATS_GONE;
	while (t == STATS_NOT_OURS && stats_busy() - start < FIND_TIME &&
		getline(&line, &room, f) > 0) {
		name = strrchr(line, '/');
		if (name && strncmp(name + 1, FIND_LIBRARY, strlen(FIND_LIBRARY)) == 0)
			t = STATS_NO_PAGE;
	}
	if (ferror(f) && (errno == EACCES || errno == EPERM))
		t = STATS_DENIED;
	free(line);
	fclose(f);
	return t;
}

static void find_program(struct stats_page *p)
{
	char path[64], target[PATH_MAX];
	const char *name = "?", *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		slash = strrchr(target, '/');
		name = slash ? slash + 1 : target;
	}
	snprintf(p->program, sizeof(p->program), "%.63s", name);
	printable_clean(p->program, sizeof(p->program));
}

enum stats_trouble stats_open(pid_t pid, struct stats_page *p)
{
	enum stats_trouble t = STATS_OK;

	*p = (struct stats_page){.pid = pid, .fd = -1, .pidfd = -1};
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p->pidfd < 0 || find_is_zombie(pid)) {
		stats_close(p);
		return STATS_GONE;
	}
	find_program(p);
	p->fd = stats_find_file(pid, RTMEM_STATS_FILE, &t);
	if (p->fd >= 0)
		t = stats_read_first(p);
	else if (t == STATS_OK)
		t = find_library(pid);
	if (t != STATS_OK && stats_ended(p))
		t = STATS_GONE;
	if (t != STATS_OK)
		stats_close(p);
	return t;
}

bool stats_descends(pid_t pid, pid_t from)
{
	char path[64], line[512], *end;

	for (int i = 0; i < 32 && pid > 1 && pid != from; i++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (!find_first_line(path, line, sizeof(line)))
			return false;
		end = strrchr(line, ')'); /* behind the name, which may hold anything */
		if (!end || sscanf(end + 1, " %*c %d", &pid) != 1)
			return false;
	}
	return pid == from;
}

static int find_by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

void stats_each_process(
	void (*fn)(struct stats_page *page, enum stats_trouble t, void *arg), void *arg)
{
	DIR *d = opendir("/proc");
	pid_t *all = NULL, pid;
	size_t n = 0, room = 0;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if ((pid = stats_pid(e->d_name)) < 0)
			continue;
		if (n == room) {
			room = room ? 2 * room : 256;
			all = realloc(all, room * sizeof(*all));
			if (!all)
				abort();
		}
		all[n++] = pid;
	}
	if (d)
		closedir(d);
	if (n)
		qsort(all, n, sizeof(*all), find_by_number);
	for (size_t i = 0; i < n; i++) {
		struct stats_page page;
		enum stats_trouble t = stats_open(all[i], &page);

		if (t == STATS_OK || t == STATS_NO_PAGE || t == STATS_FOREIGN)
			fn(&page, t, arg);
	}
	free(all);
}

int stats_say(const char *command, pid_t pid, enum stats_trouble t)
{
	static const char *const why[] = {
		[STATS_OK] = "nothing is wrong",
		[STATS_GONE] = "no such process",
		[STATS_DENIED] = "it may not be looked at: ask as its user or as root",
		[STATS_NOT_OURS] = "it runs without the library: start it with rtmem run",
		[STATS_NO_PAGE] = "it has the library but no figures: no rule names it, "
				  "or it has one thread, and that is not a realtime one "
				  "of a rule",
		[STATS_FOREIGN] = "its statistics page is damaged or of another version",
		[STATS_MANY] = "there is no room for its figures beside those of others",
	};

	fprintf(stderr, "rtmem %s: process %d: %s\n", command, pid, why[t]);
	return CMD_NO;
}
