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

#include "policy/model/printable.h"
#include "exit.h"
#include "process.h"
#include "stats_read.h"

#define FIND_LIBRARY "librtpreload.so"
#define FIND_TIME    0.05 /* s of our processor time, for a map of any length */

/* Is the library mapped? STATS_NO_PAGE: yes. */
static enum stats_trouble find_library(pid_t pid)
{
	char path[64], *line = NULL, *name;
	enum stats_trouble t = STATS_NOT_OURS;
	double start = stats_busy();
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", pid, process_thread(pid));
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
	if (!process_name(p->pid, p->name))
		strcpy(p->name, "?");
	printable(p->program, sizeof(p->program), p->name, sizeof(p->name));
}

enum stats_trouble stats_open(pid_t pid, struct stats_page *p)
{
	enum stats_trouble t = STATS_OK;

	*p = (struct stats_page){.pid = pid, .fd = -1, .pidfd = -1};
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p->pidfd < 0 || !process_thread(pid)) {
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

struct find_each {
	void (*fn)(struct stats_page *page, enum stats_trouble t, void *arg);
	void *arg;
};

static bool find_one(pid_t pid, void *arg)
{
	const struct find_each *each = arg;
	struct stats_page page;
	enum stats_trouble t = stats_open(pid, &page);

	if (t == STATS_OK || t == STATS_NO_PAGE || t == STATS_FOREIGN)
		each->fn(&page, t, each->arg);
	return false;
}

void stats_each_process(
	void (*fn)(struct stats_page *page, enum stats_trouble t, void *arg), void *arg)
{
	process_each(find_one, &(struct find_each){fn, arg});
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
