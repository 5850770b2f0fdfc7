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

/* Takes `name`, a string from malloc(), or NULL when there was no memory for it. */
static void add(struct find_list *l, char *name)
{
	char **file = name != NULL ? realloc(l->file, (size_t)(l->n + 1) * sizeof(*file))
				   : NULL;

	if (file == NULL) {
		free(name);
		l->lost = true;
		return;
	}
	l->file = file;
	l->file[l->n++] = name;
}

static char *join(const char *a, const char *b)
{
	struct text t = {0};

	text_add(&t, "%s%s", a, b);
	if (t.lost)
		text_free(&t);
	return t.s;
}

/* A file that is there, readable or not: what cannot be read is reported by the reader.
 */
static void add_if_there(struct find_list *l, char *name)
{
	struct stat st;

	if (name == NULL || stat(name, &st) == 0)
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

/*
 * dir + NAME.conf of every name, sorted by byte values; takes dir, which ends with a
 * slash. A directory that cannot be read is an error of the system's (the reader will
 * report it), but not of a user's: programs run on behalf of others inherit HOME.
 */
static void add_drop_ins(struct find_list *l, char *dir, bool system)
{
	int first = l->n;
	struct dirent *e;
	DIR *d;

	if (dir == NULL) {
		l->lost = true;
		return;
	}
	d = opendir(dir);
	l->lost |= d == NULL && errno == ENOMEM;
	if (d == NULL && errno == EACCES && system) {
		add(l, dir);
		return;
	}
	while (d != NULL && (e = readdir(d)) != NULL)
		if (is_conf(e->d_name))
			add_if_there(l, join(dir, e->d_name));
	if (d != NULL)
		closedir(d);
	if (l->n > first)
		qsort(l->file + first, (size_t)(l->n - first), sizeof(*l->file), by_name);
	free(dir);
}

/* $XDG_CONFIG_HOME, or ~/.config: absolute or nothing, as the XDG specification says. */
static const char *user_config(const char **below)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	*below = xdg != NULL && xdg[0] == '/' ? "" : "/.config";
	if ((*below)[0] == '\0')
		return xdg;
	return home != NULL && home[0] == '/' ? home : NULL;
}

/* ---- whose they are ---- */

const char *find_refuses(const struct stat *st, char why[static POLICY_REFUSED])
{
	struct text t = {.s = why, .room = POLICY_REFUSED, .fixed = true};
	/* in a sticky directory others cannot replace what is ours */
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	if (st->st_uid != geteuid() && st->st_uid != 0)
		text_add(&t, "it belongs to user %d", (int)st->st_uid);
	else if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
		text_add(&t, "others may write it (chmod go-w)");
	else
		return NULL;
	return why;
}

/* The directory, for free(3), when somebody else could put anything there; or NULL. */
static char *refused(const char *config_home, const char *below)
{
	char *dir = join(config_home, below), why[POLICY_REFUSED];
	struct stat st;

	if (dir != NULL && stat(dir, &st) == 0 && find_refuses(&st, why) != NULL)
		return dir;
	free(dir);
	return NULL;
}

static void drop_from(struct find_list *l, int first)
{
	while (l->n > first)
		free(l->file[--l->n]);
}

/* A directory that is refused takes the place of its files: the reader says why. */
static void add_user_files(struct find_list *l, const char *config_home)
{
	int first = l->n, drop_in;
	char *dir = NULL;

	add_if_there(l, join(config_home, "/rtmem/rtmem.conf"));
	drop_in = l->n;
	add_drop_ins(l, join(config_home, "/rtmem/rtmem.conf.d/"), false);
	if (l->n > first)
		dir = refused(config_home, "");
	if (l->n > first && dir == NULL)
		dir = refused(config_home, "/rtmem");
	if (dir != NULL)
		drop_from(l, first);
	else if (l->n > drop_in && (dir = refused(config_home, "/rtmem/rtmem.conf.d")))
		drop_from(l, drop_in);
	if (dir != NULL)
		add(l, dir);
	l->nuser = l->n - first;
}

void find_search(struct find_list *out, const char *root, const char *config_home)
{
	*out = (struct find_list){0};
	add_drop_ins(out, join(root, RTMEM_VENDORDIR "/rtmem.conf.d/"), true);
	add_if_there(out, join(root, RTMEM_SYSCONFDIR "/rtmem.conf"));
	add_drop_ins(out, join(root, RTMEM_SYSCONFDIR "/rtmem.conf.d/"), true);
	if (config_home != NULL)
		add_user_files(out, config_home);
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

/* ---- where to look, now and later ---- */

void find_where(struct find_where *out, bool secure)
{
	const char *named = secure ? NULL : getenv("RTMEM_CONF");
	const char *home, *below;
	struct find_list l;
	int keep = errno;

	*out = (struct find_where){.none = named != NULL && named[0] == '\0'};
	if (named != NULL && !out->none) {
		find_named(&l, named);
		out->named = l.n ? strdup(l.file[0]) : NULL;
		out->lost = out->named == NULL;
		find_free(&l);
	} else if (named == NULL) {
		home = secure ? NULL : user_config(&below);
		out->config = home != NULL ? join(home, below) : NULL;
		out->lost = home != NULL && out->config == NULL;
	}
	errno = keep;
}

void find_again(struct find_list *out, const struct find_where *w)
{
	int keep = errno;

	if (w->none)
		*out = (struct find_list){.none = true};
	else if (w->named != NULL)
		find_named(out, w->named);
	else
		find_search(out, "", w->config);
	out->lost |= w->lost;
	errno = keep;
}

void find_where_free(struct find_where *w)
{
	free(w->named);
	free(w->config);
	*w = (struct find_where){.none = true};
}

void find_files(struct find_list *out, bool secure)
{
	struct find_where w;

	find_where(&w, secure);
	find_again(out, &w);
	find_where_free(&w);
}

static void each_of_user(
	const char *config, void (*fn)(const char *directory, void *arg), void *arg)
{
	static const char *const below[] = {"", "/rtmem", "/rtmem/rtmem.conf.d"};

	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		char *dir = join(config, below[i]);

		if (dir != NULL)
			fn(dir, arg);
		free(dir);
	}
}

static void directory_of(
	const char *file, void (*fn)(const char *directory, void *arg), void *arg)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash != NULL ? strndup(file, (size_t)(slash - file) + 1) : NULL;

	if (dir != NULL)
		fn(dir, arg);
	free(dir);
}

void find_each_directory(const struct find_where *w,
	void (*fn)(const char *directory, void *arg), void *arg)
{
	if (w->named != NULL)
		directory_of(w->named, fn, arg);
	if (w->none || w->named != NULL)
		return;
	fn(RTMEM_VENDORDIR "/rtmem.conf.d", arg);
	fn(RTMEM_SYSCONFDIR, arg);
	fn(RTMEM_SYSCONFDIR "/rtmem.conf.d", arg);
	if (w->config != NULL)
		each_of_user(w->config, fn, arg);
}

void find_free(struct find_list *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->file[i]);
	free(l->file);
	*l = (struct find_list){0};
}
