/* SPDX-License-Identifier: MIT */
/*
 * reload_watch.c - inotify on the files of a policy and on the directories they are in
 *
 * An event only says that it is time to look; reload_stamp() tells the state of the
 * files. For a directory that does not exist, the nearest one above it is watched. Where
 * nothing can be watched (the user's limit is reached), reload.c looks often instead.
 *
 * Never on the realtime path.
 */
#include "reload_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "os/child.h"
#include "os/log.h"
#include "os/sys.h"

#define WATCH_PATH_MAX 4096
#define WATCH_READS    64 /* buffers of events taken in one turn */

#define WATCH_DIRECTORY                                                         \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | \
		IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define WATCH_FILE \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

CHILD_DATA static int watch_fd = -1; /* in the helper's descriptor table */

/* ---- has something happened ---- */

/* 0 or a negative errno. */
static long watch_add(const char *path, unsigned mask)
{
	long ret = sys_call3(SYS_inotify_add_watch, watch_fd, (long)path, (long)mask);

	return ret < 0 ? ret : 0;
}

/* Shortens "/a/b" or "/a/b/" to "/a", and "/a" to "/"; false at the top. */
static bool watch_above(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	if (len <= 1)
		return false;
	while (len > 1 && path[len - 1] != '/')
		path[--len] = '\0';
	if (len > 1)
		path[len - 1] = '\0';
	return true;
}

/* arg: bool, cleared when something cannot be watched. */
static void watch_directory(const char *directory, void *arg)
{
	char path[WATCH_PATH_MAX];
	bool *all = arg;
	long ret;

	if (strlen(directory) >= sizeof(path)) {
		*all = false;
		return;
	}
	log_format(path, sizeof(path), "%s", directory);
	do
		ret = watch_add(path, WATCH_DIRECTORY);
	while ((ret == -ENOENT || ret == -ENOTDIR) && watch_above(path));
	if (ret < 0)
		*all = false;
}

bool reload_watch(const struct find_where *where, const struct find_list *files)
{
	bool all = true;

	if (watch_fd < 0)
		watch_fd =
			(int)sys_call3(SYS_inotify_init1, IN_NONBLOCK | IN_CLOEXEC, 0, 0);
	if (watch_fd < 0)
		return false;
	find_each_directory(where, watch_directory, &all);
	/* what a name links to may change while the link does not */
	for (int i = 0; i < files->n; i++) {
		long ret = watch_add(files->file[i], WATCH_FILE);

		if (ret < 0 && ret != -ENOENT && ret != -ENOTDIR)
			all = false;
	}
	return all;
}

bool reload_watch_seen(void)
{
	_Alignas(struct inotify_event) char events[4096];
	bool seen = false;

	for (int i = 0; watch_fd >= 0 && i < WATCH_READS; i++) {
		if (sys_read(watch_fd, events, sizeof(events)) <= 0)
			break;
		seen = true;
	}
	return seen;
}

void reload_watch_close(void)
{
	if (watch_fd >= 0)
		sys_close(watch_fd);
	watch_fd = -1;
}

void reload_watch_child(void)
{
	CHILD_SET(watch_fd, -1);
}

/* ---- what is there ---- */

static uint64_t stamp_add(uint64_t stamp, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		stamp = (stamp ^ p[i]) * 0x100000001b3ULL;
	return stamp;
}

static uint64_t stamp_of(uint64_t stamp, const char *file)
{
	struct stat st;
	uint64_t fact[7] = {0};

	stamp = stamp_add(stamp, file, strlen(file) + 1);
	if (stat(file, &st) != 0) {
		fact[0] = (uint64_t)errno;
		return stamp_add(stamp, fact, sizeof(fact));
	}
	fact[0] = st.st_dev;
	fact[1] = st.st_ino;
	fact[2] = (uint64_t)st.st_size;
	fact[3] = (uint64_t)st.st_mtim.tv_sec;
	fact[4] = (uint64_t)st.st_mtim.tv_nsec;
	fact[5] = (uint64_t)st.st_ctim.tv_sec;
	fact[6] = (uint64_t)st.st_ctim.tv_nsec;
	return stamp_add(stamp, fact, sizeof(fact));
}

uint64_t reload_stamp(const struct find_list *files)
{
	uint64_t stamp = 0xcbf29ce484222325ULL;
	int keep = errno;

	for (int i = 0; i < files->n; i++)
		stamp = stamp_of(stamp, files->file[i]);
	errno = keep;
	return stamp;
}
