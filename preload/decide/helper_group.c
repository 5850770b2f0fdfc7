/* SPDX-License-Identifier: MIT */
/*
 * helper_group.c - see helper_group.h
 *
 * The groups of a process are those of its main thread. This file makes no group and
 * moves no other thread. Bound: two reads of /proc, and two writes for each hierarchy in
 * which the two differ.
 */
#include "helper_group.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "os/fd_table.h"
#include "os/log.h"
#include "os/sys.h"

#define GROUP_TEXT 4096 /* what is beyond it is left */
#define GROUP_PATH 512

static void group_write(const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	sys_write(fd, "0", 1); /* 0: the writing thread */
	sys_close(fd);
}

/* A line "ID:CONTROLLERS:PATH"; without controllers it is version 2. */
static void group_join(char *line)
{
	char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
	char file[GROUP_PATH];

	if (!path)
		return;
	*path++ = '\0';
	names++;
	if (*names) {
		if (strncmp(names, "name=", 5) == 0)
			names += 5;
		log_format(file, sizeof(file), "/sys/fs/cgroup/%s%s/tasks", names, path);
		group_write(file);
		return;
	}
	log_format(file, sizeof(file), "/sys/fs/cgroup%s/cgroup.threads", path);
	group_write(file);
	log_format(file, sizeof(file), "/sys/fs/cgroup/unified%s/cgroup.threads", path);
	group_write(file);
}

/* Is the line among those of text? */
static bool group_has(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		if (strncmp(at, line, len) == 0 && (at[len] == '\n' || !at[len]))
			return true;
	return false;
}

void helper_group_join(void)
{
	char wanted[GROUP_TEXT], have[GROUP_TEXT], *line = wanted, *end;

	if (fd_table_slurp("/proc/self/cgroup", wanted, sizeof(wanted)) <= 0 ||
		fd_table_slurp("/proc/thread-self/cgroup", have, sizeof(have)) <= 0)
		return;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (!group_has(have, line))
			group_join(line);
	}
}
