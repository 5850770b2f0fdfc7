/* SPDX-License-Identifier: MIT */
/*
 * process.c - see process.h
 */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROCESS_DELETED " (deleted)" /* what the kernel puts behind the name */
#define PROCESS_UP_MAX	64	     /* ancestors that are followed */

pid_t process_number(const char *word)
{
	char *end;
	long n;

	if (*word < '0' || *word > '9')
		return -1;
	errno = 0;
	n = strtol(word, &end, 10);
	return *end || errno || n <= 0 || n > INT_MAX ? -1 : (pid_t)n;
}

/* The beginning of a small file below /proc. */
static bool process_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* What follows the name in "stat", which may hold anything: the state comes first. */
static const char *process_stat(pid_t pid, pid_t tid, char *text, size_t size)
{
	char path[64], *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (!process_read(path, text, size))
		return NULL;
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end + 2 : NULL;
}

static bool process_alive(pid_t pid, pid_t tid)
{
	char text[512];
	const char *state = process_stat(pid, tid, text, sizeof(text));

	return state && *state != 'Z' && *state != 'X';
}

/* The first thread for which fn answers true; 0: none. */
static pid_t process_find_thread(
	pid_t pid, bool (*fn)(pid_t pid, pid_t tid, pid_t arg), pid_t arg)
{
	struct dirent *e;
	pid_t found = 0;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	for (int i = 0; d && !found && i < PROCESS_THREADS_MAX && (e = readdir(d)); i++) {
		pid_t tid = process_number(e->d_name);

		if (tid > 0 && fn(pid, tid, arg))
			found = tid;
	}
	if (d)
		closedir(d);
	return found;
}

static bool process_is_alive(pid_t pid, pid_t tid, pid_t arg)
{
	(void)arg;
	return process_alive(pid, tid);
}

pid_t process_thread(pid_t pid)
{
	return process_alive(pid, pid) ? pid
				       : process_find_thread(pid, process_is_alive, 0);
}

/* ---- its name ---- */

/* Does this name lead to what the process runs? */
static bool process_runs(const char *link, const char *file)
{
	struct stat exe, named;

	return stat(link, &exe) == 0 && stat(file, &named) == 0 &&
	       exe.st_dev == named.st_dev && exe.st_ino == named.st_ino;
}

bool process_name(pid_t pid, char name[static PROCESS_NAME])
{
	static const size_t mark = sizeof(PROCESS_DELETED) - 1;
	char link[64], target[PATH_MAX];
	const char *slash;
	ssize_t n;

	name[0] = '\0';
	snprintf(link, sizeof(link), "/proc/%d/task/%d/exe", pid, process_thread(pid));
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	/* a file may really be called so */
	if ((size_t)n > mark && strcmp(target + n - mark, PROCESS_DELETED) == 0 &&
		!process_runs(link, target))
		target[(size_t)n - mark] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, PROCESS_NAME, "%.255s", slash ? slash + 1 : target);
	return *name != '\0';
}

/* ---- numbers ---- */

/* What the thread calls itself: the last number of the line; *levels: how many there are.
 * 0: not known. */
static pid_t process_inner(pid_t pid, pid_t tid, int *levels)
{
	char path[64], text[4096], *at, *end;
	long n = 0, next;

	*levels = 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	if (!process_read(path, text, sizeof(text)))
		return 0;
	at = strstr(text, "\nNSpid:");
	if (at)
		at[strcspn(at + 1, "\n") + 1] = '\0';
	for (at = at ? at + 7 : NULL; at && (next = strtol(at, &end, 10), end > at);
		at = end) {
		n = next;
		(*levels)++;
	}
	return (pid_t)n;
}

static bool process_calls_itself(pid_t pid, pid_t tid, pid_t inner)
{
	int levels;

	return process_inner(pid, tid, &levels) == inner;
}

pid_t process_outer(pid_t pid, pid_t inner)
{
	int levels;

	if (!process_inner(pid, pid, &levels) || levels < 2)
		return inner;
	return process_find_thread(pid, process_calls_itself, inner);
}

/* Is the file among its mappings? Device numbers are of no use: some file systems have
 * others there than stat(2) tells. */
static bool process_maps(pid_t pid, const char *name, ino_t ino)
{
	char path[64], *line = NULL;
	bool found = false;
	unsigned long inode;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", pid, process_thread(pid));
	f = fopen(path, "re");
	while (f && !found && getline(&line, &room, f) > 0)
		found = sscanf(line, "%*s %*s %*s %*s %lu", &inode) == 1 &&
			inode == ino && strstr(line, name);
	free(line);
	if (f)
		fclose(f);
	return found;
}

struct process_search {
	pid_t inner, found;
	const char *name;
	ino_t ino;
};

static bool process_is_it(pid_t pid, void *arg)
{
	struct process_search *s = arg;

	if (!process_calls_itself(pid, pid, s->inner) ||
		!process_maps(pid, s->name, s->ino))
		return false;
	s->found = pid;
	return true;
}

pid_t process_with_file(pid_t inner, const char *name, ino_t ino)
{
	struct process_search s = {.inner = inner, .name = name, .ino = ino};

	/* mostly there are no namespaces */
	if (!process_is_it(inner, &s))
		process_each(process_is_it, &s);
	return s.found;
}

/* ---- among others ---- */

bool process_descends(pid_t pid, pid_t from)
{
	char text[512];

	for (int i = 0; i < PROCESS_UP_MAX && pid > 1 && pid != from; i++) {
		const char *state = process_stat(pid, pid, text, sizeof(text));

		if (!state || sscanf(state, "%*c %d", &pid) != 1)
			return false;
	}
	return pid == from;
}

static int process_by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

void process_each(bool (*fn)(pid_t pid, void *arg), void *arg)
{
	pid_t *all = malloc(PROCESS_MAX * sizeof(*all)), pid;
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t n = 0;

	while (d && all && n < PROCESS_MAX && (e = readdir(d)))
		if ((pid = process_number(e->d_name)) > 0)
			all[n++] = pid;
	if (d)
		closedir(d);
	if (n)
		qsort(all, n, sizeof(*all), process_by_number);
	for (size_t i = 0; i < n; i++)
		if (fn(all[i], arg))
			break;
	free(all);
}
