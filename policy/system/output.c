/* SPDX-License-Identifier: MIT */
/*
 * output.c - see output.h
 *
 * The path is walked component by component, each looked at before it is entered. Bound:
 * PATH_MAX bytes, OUTPUT_LINKS links.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OUTPUT_LINKS 40
#define OUTPUT_FLAGS (O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY)

struct walk {
	int dir; /* where we are */
	int links;
	char rest[PATH_MAX]; /* what is still to be walked */
};

static int walk_fail(struct walk *w, int error)
{
	if (w->dir >= 0)
		close(w->dir);
	w->dir = -1;
	errno = error;
	return -1;
}

static void walk_enter(struct walk *w, int dir)
{
	if (w->dir >= 0)
		close(w->dir);
	w->dir = dir;
}

/* The next component leaves the rest; false: there is none. *last: nothing follows. */
static bool walk_next(struct walk *w, char name[PATH_MAX], bool *last)
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");
	char *rest = w->rest + skip + len;

	memcpy(name, w->rest + skip, len);
	name[len] = '\0';
	*last = *rest == '\0';
	memmove(w->rest, rest, strlen(rest) + 1);
	return len > 0;
}

/* What the link says comes before the rest. */
static bool walk_link(struct walk *w, int link)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);
	size_t rest = strlen(w->rest);

	if (n <= 0 || ++w->links > OUTPUT_LINKS || (size_t)n + rest >= sizeof(w->rest))
		return false;
	memmove(w->rest + n, w->rest, rest + 1);
	memcpy(w->rest, text, (size_t)n);
	if (*text == '/')
		walk_enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	return true;
}

/* A descriptor behind /dev/stdout and the like: no path leads there. */
static bool walk_is_descriptor(int link)
{
	struct statfs fs;

	return fstatfs(link, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static int walk_end(struct walk *w, const char *name, int flags)
{
	int fd = openat(w->dir, name, OUTPUT_FLAGS | flags, 0666);
	int error = errno;

	walk_enter(w, -1);
	errno = error;
	return fd;
}

/* One component. 0: go on; -1: that was wrong; else the descriptor. */
static int walk_step(struct walk *w)
{
	char name[PATH_MAX];
	struct stat st;
	bool last;
	int fd, ok;

	if (!walk_next(w, name, &last))
		return walk_fail(w, EISDIR);
	fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && last && errno == ENOENT)
		return walk_end(w, name, O_CREAT | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0)
		return walk_fail(w, errno);
	if (!S_ISLNK(st.st_mode) && !last) {
		walk_enter(w, fd);
		return 0;
	}
	if (!S_ISLNK(st.st_mode)) {
		close(fd);
		return walk_end(w, name, O_NOFOLLOW);
	}
	ok = st.st_uid == 0 || st.st_uid == geteuid();
	if (ok && last && walk_is_descriptor(fd)) {
		close(fd);
		return walk_end(w, name, 0);
	}
	ok = ok && walk_link(w, fd);
	close(fd);
	return ok ? 0 : walk_fail(w, ELOOP);
}

FILE *output_open(const char *path)
{
	struct walk w = {.dir = -1};
	int fd = 0;
	FILE *f;

	if (strlen(path) >= sizeof(w.rest) || !*path) {
		errno = *path ? ENAMETOOLONG : ENOENT;
		return NULL;
	}
	strcpy(w.rest, path);
	walk_enter(&w, open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	while (fd == 0)
		fd = walk_step(&w);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f && fd >= 0)
		close(fd);
	return f;
}
