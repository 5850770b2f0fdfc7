/* SPDX-License-Identifier: MIT */
/*
 * find.c - which policy files there are, in reading order
 *
 * Never looks at the working directory for a policy, and in a program with raised
 * privileges never at the environment or below a home directory.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy.h"
#include "text.h"

#ifndef RTMEM_SYSCONFDIR
#define RTMEM_SYSCONFDIR "/etc"
#endif
#ifndef RTMEM_VENDORDIR
#define RTMEM_VENDORDIR "/usr/lib"
#endif

/* Takes `name`, a string from malloc(). */
static bool add(struct find_list *l, char *name)
{
	char **file = name != NULL ? realloc(l->file, (size_t)(l->n + 1) * sizeof(*file))
				   : NULL;

	if (file == NULL) {
		free(name);
		return false;
	}
	l->file = file;
	l->file[l->n++] = name;
	return true;
}

static char *join(const char *a, const char *b)
{
	struct text t = {0};

	text_add(&t, "%S%S", a, b);
	if (t.lost)
		text_free(&t);
	return t.s;
}

/* A file that is there, readable or not: what cannot be read is reported by the reader.
 */
static void add_if_there(struct find_list *l, char *name)
{
	struct stat st;

	if (name != NULL && stat(name, &st) == 0)
		add(l, name);
	else
		free(name);
}

static bool is_conf(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* dir/NAME.conf of every name, sorted by byte values. */
static void add_drop_ins(struct find_list *l, char *dir)
{
	DIR *d = dir != NULL ? opendir(dir) : NULL;
	struct dirent *e;
	int first = l->n;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *name = is_conf(e->d_name) ? join(dir, "/") : NULL;
		char *file = name != NULL ? join(name, e->d_name) : NULL;

		free(name);
		add_if_there(l, file);
	}
	if (d != NULL)
		closedir(d);
	if (l->n > first)
		qsort(l->file + first, (size_t)(l->n - first), sizeof(*l->file), by_name);
	free(dir);
}

/* $XDG_CONFIG_HOME, or ~/.config: absolute or nothing, as the XDG specification says. */
static char *config_home(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg != NULL && xdg[0] == '/')
		return strdup(xdg);
	if (home != NULL && home[0] == '/')
		return join(home, "/.config");
	return NULL;
}

static void add_user_files(struct find_list *l)
{
	char *home = config_home();

	if (home == NULL)
		return;
	add_if_there(l, join(home, "/rtmem/rtmem.conf"));
	add_drop_ins(l, join(home, "/rtmem/rtmem.conf.d"));
	free(home);
}

void find_named(struct find_list *out, const char *file)
{
	char *dir, *name;

	*out = (struct find_list){.explicit_file = true};
	dir = file[0] == '/' ? strdup("") : getcwd(NULL, 0);
	name = dir != NULL && file[0] != '/' ? join(dir, "/") : strdup("");
	add(out, name != NULL ? join(name, file) : strdup(file));
	free(name);
	free(dir);
}

void find_files(struct find_list *out, bool secure)
{
	const char *named = secure ? NULL : getenv("RTMEM_CONF");
	int keep = errno;

	*out = (struct find_list){0};
	if (named != NULL && named[0] == '\0') {
		out->none = true;
	} else if (named != NULL) {
		find_named(out, named);
	} else {
		add_drop_ins(out, strdup(RTMEM_VENDORDIR "/rtmem.conf.d"));
		add_if_there(out, strdup(RTMEM_SYSCONFDIR "/rtmem.conf"));
		add_drop_ins(out, strdup(RTMEM_SYSCONFDIR "/rtmem.conf.d"));
		if (!secure)
			add_user_files(out);
	}
	errno = keep;
}

void find_free(struct find_list *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->file[i]);
	free(l->file);
	*l = (struct find_list){0};
}
