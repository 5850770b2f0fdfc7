/* SPDX-License-Identifier: MIT */
/*
 * audit_dir.c - the directory into which audited processes write, and who removes it
 *
 * The directory is in memory where there is room for a few files, else where there is
 * most. A process of its own waits for the end of this program, also by a signal, and
 * removes the directory. It has nothing open but the directory and a pipe, and is in no
 * group of ours.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit_report.h"

#define DIR_ENOUGH (16 * sizeof(struct audit_file))

static const char *const dir_places[] = {"/dev/shm", "/tmp"};

static uint64_t dir_room(const char *place)
{
	struct statvfs v;

	return statvfs(place, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

static bool dir_make(struct audit_report *r, const char *place)
{
	snprintf(r->dir, sizeof(r->dir), "%s/rtmem-audit-XXXXXX", place);
	if (mkdtemp(r->dir))
		return true;
	*r->dir = '\0';
	return false;
}

/* Its files, then itself; by descriptor: another may have the name by now. */
static void dir_clear(const char *path, int fd)
{
	int copy = dup(fd);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!d && copy >= 0)
		close(copy);
	if (d)
		rewinddir(d);
	while (d && (e = readdir(d)))
		if (*e->d_name != '.')
			unlinkat(fd, e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

/* Waits until nobody holds the other end of the pipe. */
static _Noreturn void dir_wait(const struct audit_report *r, int dir, int pipe)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	char byte;

	setsid();
	prctl(PR_SET_NAME, "rtmem-audit-end");
	for (int s = 1; s < 32; s++)
		sigaction(s, &ignore, NULL);
	dup2(dir, 0);
	dup2(pipe, 1);
	close_range(2, ~0U, 0);
	while (read(1, &byte, 1) > 0)
		;
	dir_clear(r->dir, 0);
	_exit(0);
}

/* A grandchild: nobody has to wait for it. */
static bool dir_watch(const struct audit_report *r, int dir)
{
	int end[2];
	pid_t pid;

	if (pipe2(end, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		/* what may be in the way of dup2() */
		int d = fcntl(dir, F_DUPFD, 10), p = fcntl(end[0], F_DUPFD, 10);

		close(end[1]);
		if (d < 0 || p < 0 || fork() != 0)
			_exit(0);
		dir_wait(r, d, p);
	}
	close(end[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	/* the other end stays open as long as we live */
	return pid > 0;
}

bool audit_directory(struct audit_report *r)
{
	const char *const *place = dir_places;
	int dir;

	if (dir_room(place[0]) < DIR_ENOUGH && dir_room(place[1]) > dir_room(place[0]))
		place++;
	if (!dir_make(r, *place) && !dir_make(r, dir_places[0]) &&
		!dir_make(r, dir_places[1])) {
		perror("rtmem audit: no directory for the figures");
		return false;
	}
	dir = open(r->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0) {
		dir_watch(r, dir);
		close(dir);
	}
	return true;
}

void audit_remove(struct audit_report *r)
{
	int dir = *r->dir ? open(r->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			  : -1;

	if (dir < 0)
		return;
	dir_clear(r->dir, dir);
	close(dir);
}
