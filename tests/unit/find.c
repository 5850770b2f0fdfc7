/* SPDX-License-Identifier: MIT */
/*
 * find.c - which files are read, in which order, and what a program with raised
 * privileges refuses to look at
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "expect.h"

static char root[] = "/tmp/rtmem-find-XXXXXX";

static void make(const char *path)
{
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s%s", root, path);
	for (char *slash = name + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(name, 0700);
		*slash = '/';
	}
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	close(fd);
}

static void order(void)
{
	static const char *const wanted[] = {
		"/usr/lib/rtmem.conf.d/10.conf",
		"/usr/lib/rtmem.conf.d/20.conf",
		"/etc/rtmem.conf",
		"/etc/rtmem.conf.d/05-Z.conf",
		"/etc/rtmem.conf.d/05-a.conf",
		"/etc/rtmem.conf.d/10.conf",
		"/home/rtmem/rtmem.conf",
		"/home/rtmem/rtmem.conf.d/a.conf",
	};
	static const char *const unwanted[] = {
		"/etc/rtmem.conf.d/.hidden.conf",
		"/etc/rtmem.conf.d/README",
		"/etc/rtmem.conf.d/old.conf~",
		"/etc/rtmem.conf.d/.conf",
		"/rtmem.conf",
	};
	const int n = sizeof(wanted) / sizeof(wanted[0]);
	struct find_list l;
	char home[PATH_MAX];

	for (int i = n - 1; i >= 0; i--)
		make(wanted[i]);
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		make(unwanted[i]);
	snprintf(home, sizeof(home), "%s/home", root);
	find_search(&l, root, home);
	expect(l.n == n && !l.explicit_file && !l.none, "%d files", l.n);
	for (int i = 0; i < l.n && i < n; i++)
		expect(strcmp(l.file[i] + strlen(root), wanted[i]) == 0, "%d: %s", i,
			l.file[i]);
	find_free(&l);
	find_search(&l, root, NULL);
	expect(l.n == n - 2, "without a home: %d files", l.n);
	find_free(&l);
}

/* Is `name` (below root) among the files found? */
static bool finds(const char *name, bool secure)
{
	struct find_list l;
	bool found = false;

	find_files(&l, secure);
	for (int i = 0; i < l.n; i++)
		found |= strncmp(l.file[i], root, strlen(root)) == 0 &&
			 strcmp(l.file[i] + strlen(root), name) == 0;
	find_free(&l);
	return found;
}

static void environment(void)
{
	static const char conf[] = "/home/rtmem/rtmem.conf";
	struct find_list l;
	char path[PATH_MAX];

	unsetenv("RTMEM_CONF");
	snprintf(path, sizeof(path), "%s/home", root);
	setenv("XDG_CONFIG_HOME", path, 1);
	expect(finds(conf, false), "XDG_CONFIG_HOME");
	expect(!finds(conf, true), "XDG_CONFIG_HOME with raised privileges");

	if (chdir(root) != 0)
		abort();
	setenv("XDG_CONFIG_HOME", "home", 1);
	setenv("HOME", "home", 1);
	find_files(&l, false);
	for (int i = 0; i < l.n; i++)
		expect(l.file[i][0] == '/', "a relative XDG_CONFIG_HOME: %s", l.file[i]);
	find_free(&l);

	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", root, 1);
	make("/.config/rtmem/rtmem.conf");
	expect(finds("/.config/rtmem/rtmem.conf", false), "~/.config");
	expect(!finds("/.config/rtmem/rtmem.conf", true), "~/.config, raised privileges");

	snprintf(path, sizeof(path), "%s/rtmem.conf", root);
	setenv("RTMEM_CONF", path, 1);
	find_files(&l, false);
	expect(l.n == 1 && strcmp(l.file[0], path) == 0 && l.explicit_file,
		"RTMEM_CONF replaces all");
	find_free(&l);
	expect(!finds("/rtmem.conf", true), "RTMEM_CONF with raised privileges");

	setenv("RTMEM_CONF", "", 1);
	find_files(&l, false);
	expect(l.n == 0 && l.none, "an empty RTMEM_CONF is no policy");
	find_free(&l);
	find_files(&l, true);
	expect(!l.none, "an empty RTMEM_CONF with raised privileges");
	find_free(&l);
}

static void working_directory(void)
{
	struct find_list l;
	char path[PATH_MAX];

	if (chdir(root) != 0)
		abort();
	unsetenv("RTMEM_CONF");
	expect(!finds("/rtmem.conf", false), "nothing is looked for in the directory");
	setenv("RTMEM_CONF", "rtmem.conf", 1);
	find_files(&l, false);
	snprintf(path, sizeof(path), "%s/rtmem.conf", root);
	expect(l.n == 1 && strcmp(l.file[0], path) == 0,
		"a relative name is completed: %s", l.n > 0 ? l.file[0] : "");
	find_free(&l);
}

int main(void)
{
	char command[64];

	if (mkdtemp(root) == NULL)
		abort();
	order();
	environment();
	working_directory();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (chdir("/") != 0 || system(command) != 0)
		abort();
	return expected();
}
