/* SPDX-License-Identifier: MIT */
/*
 * program.c - which program is this?
 *
 * The link /proc/self/exe has the answer, but not everywhere. A chroot or an initramfs
 * has no /proc; the /proc of another PID namespace has no link for us; for a program
 * started as `ld.so PROGRAM` (AppImage, Guix, Steam) the link names ld.so. Then AT_EXECFN
 * has it: the argument of execve(), or of the loader, as glibc changes it. For a script
 * ("#!") that is the script, and the program is the interpreter in its first line.
 *
 * Opens files only then, and keeps none. Bound: SCRIPTS_MAX scripts.
 */
#include "program.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "fd_table.h"
#include "log.h"
#include "sys.h"

#define SCRIPTS_MAX 5 /* one that names another: the kernel goes as far */
#define DELETED	    " (deleted)"
#define MEMORY	    "/memfd:"

/* The kernel says so of a file that is gone, unless one is really called that. */
static void cut_deleted(char *path)
{
	size_t len = strlen(path), tail = sizeof(DELETED) - 1;
	struct stat st;

	if (len <= tail || strcmp(path + len - tail, DELETED) ||
		sys_call3(SYS_stat, (long)path, (long)&st, 0) == 0)
		return;
	path[len - tail] = '\0';
	if (strncmp(path, MEMORY, sizeof(MEMORY) - 1) == 0)
		memmove(path, path + sizeof(MEMORY) - 1, len - tail - sizeof(MEMORY) + 2);
}

static bool read_link(const char *link, char *path, size_t len)
{
	long n = sys_call3(SYS_readlink, (long)link, (long)path, (long)len - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	cut_deleted(path);
	return true;
}

/* A file's path, seen from the working directory, as a full one. */
static void make_full(const char *file, char *path, size_t len)
{
	char here[PATH_MAX];
	long n = 0;

	if (file[0] != '/')
		n = sys_call3(SYS_getcwd, (long)here, sizeof(here), 0);
	while (file[0] == '.' && file[1] == '/')
		file += 2;
	if (n > 0)
		log_format(path, (unsigned)len, "%s/%s", here, file);
	else
		log_format(path, (unsigned)len, "%s", file);
}

/* The same without links in it, where /proc can say: as /proc/self/exe would be. */
static void make_real(const char *file, char *path, size_t len)
{
	char link[32];
	int fd = sys_openat(AT_FDCWD, file, O_PATH | O_CLOEXEC, 0);

	log_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fd < 0 || !read_link(link, path, len))
		make_full(file, path, len);
	if (fd >= 0)
		sys_close(fd);
}

/* The interpreter of a script, into line; NULL: file is none. */
static const char *interpreter(const char *file, char *line, unsigned len)
{
	char *name;

	if (fd_table_slurp(file, line, len) < 2 || line[0] != '#' || line[1] != '!')
		return NULL;
	name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return *name ? name : NULL;
}

struct asked {
	char *path;
	size_t len;
};

static int from_execfn(void *arg)
{
	struct asked *a = arg;
	const char *file = (const char *)getauxval(AT_EXECFN), *next;
	char line[2][256];

	if (!file || !*file)
		return -1;
	for (int i = 0; i < SCRIPTS_MAX; i++) {
		next = interpreter(file, line[i % 2], sizeof(line[0]));
		if (!next)
			break;
		file = next;
	}
	make_real(file, a->path, a->len);
	return 0;
}

bool program_name(char *path, size_t len)
{
	struct asked a = {path, len};

	/* the kernel loaded no interpreter: what it started was the loader */
	if (getauxval(AT_BASE) && read_link("/proc/thread-self/exe", path, len))
		return true;
	return fd_table_run(from_execfn, &a) == 0;
}
