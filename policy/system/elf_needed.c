/* SPDX-License-Identifier: MIT */
/*
 * elf_needed.c - what the loader would bring for a program, without starting a loader
 *
 * DT_NEEDED of the program, of what that names, and so on, each looked for where ld.so(8)
 * does: DT_RPATH of the object that needs it and of the program, LD_LIBRARY_PATH,
 * DT_RUNPATH, the loader's cache, its own directories. A file for another machine is
 * passed over.
 *
 * Bound: NEEDED_MAX libraries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_dynamic.h"
#include "elf_facts.h"
#include "library.h"

#define NEEDED_MAX 512

struct needed {
	char *name[NEEDED_MAX]; /* as it is asked for */
	char *path[NEEDED_MAX]; /* NULL: not found */
	int n;
	char *rpath; /* DT_RPATH of the program, expanded, or NULL */
};

static bool needed_fits(const char *path)
{
	int fd;
	Elf *e = elf_native_open(path, &fd);

	elf_native_close(e, fd);
	return e;
}

/* One directory of a search path, with $ORIGIN and $LIB as the loader reads them. */
static void needed_expand(
	const char *dir, size_t len, const char *origin, char out[static PATH_MAX])
{
	const char *lib = library_directory[0] + 1; /* "lib/x86_64-linux-gnu" */
	size_t n = 0;

	for (size_t i = 0; i < len && n < PATH_MAX - 1;) {
		const char *with = NULL;
		size_t skip = 0;

		for (int k = 0; k < 4 && !with && dir[i] == '$'; k++) {
			static const char *const token[] = {
				"$ORIGIN", "${ORIGIN}", "$LIB", "${LIB}"};

			skip = strlen(token[k]);
			if (skip <= len - i && strncmp(dir + i, token[k], skip) == 0)
				with = k < 2 ? origin : lib;
		}
		if (with) {
			n += (size_t)snprintf(out + n, PATH_MAX - n, "%s", with);
			i += skip;
		} else {
			out[n++] = dir[i++];
		}
	}
	out[n < PATH_MAX ? n : PATH_MAX - 1] = '\0';
}

/* In a list of directories with colons; path: where it was found. */
static bool needed_in(
	const char *list, const char *of, const char *name, char path[static PATH_MAX])
{
	char dir[PATH_MAX], origin[PATH_MAX];

	snprintf(origin, sizeof(origin), "%s", of);
	*(strrchr(origin, '/') ?: origin) = '\0';
	for (const char *at = list; at && *at; at += strcspn(at, ":"), at += *at == ':') {
		needed_expand(at, strcspn(at, ":"), origin, dir);
		if (snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX &&
			needed_fits(path))
			return true;
	}
	return false;
}

static bool needed_in_system(const char *name, char path[static PATH_MAX])
{
	library_cached(name, needed_fits, path);
	for (int i = 0; library_directory[i] && !*path; i++) {
		if (snprintf(path, PATH_MAX, "%s/%s", library_directory[i], name) >=
				PATH_MAX ||
			!needed_fits(path))
			path[0] = '\0';
	}
	return *path;
}

static bool needed_find(const struct needed *all, const struct elf_dynamic *d,
	const char *of, const char *name, char path[static PATH_MAX])
{
	const char *runpath = elf_dynamic_find(d, DT_RUNPATH);
	const char *rpath = runpath ? NULL : elf_dynamic_find(d, DT_RPATH);

	if (strchr(name, '/'))
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX &&
		       needed_fits(path);
	return needed_in(rpath, of, name, path) ||
	       (!runpath && needed_in(all->rpath, all->path[0], name, path)) ||
	       needed_in(getenv("LD_LIBRARY_PATH"), of, name, path) ||
	       needed_in(runpath, of, name, path) || needed_in_system(name, path);
}

static void needed_add(struct needed *all, const char *name, const char *path)
{
	if (all->n == NEEDED_MAX)
		return;
	all->name[all->n] = strdup(name);
	all->path[all->n] = path ? strdup(path) : NULL;
	all->n += all->name[all->n] != NULL;
}

static bool needed_known(const struct needed *all, const char *name)
{
	for (int i = 0; i < all->n; i++)
		if (strcmp(all->name[i], name) == 0)
			return true;
	return false;
}

static void needed_of(struct needed *all, const struct elf_dynamic *d, const char *path)
{
	char found[PATH_MAX];

	for (size_t i = 0; i < d->n; i++) {
		const char *name = elf_dynamic_name(d, d->dyn[i].d_un.d_val);

		if (d->dyn[i].d_tag != DT_NEEDED || !*name || needed_known(all, name))
			continue;
		needed_add(
			all, name, needed_find(all, d, path, name, found) ? found : NULL);
	}
}

static void needed_follow(struct needed *all, int i)
{
	struct elf_dynamic d;
	int fd = -1;
	Elf *e = all->path[i] ? elf_native_open(all->path[i], &fd) : NULL;

	if (e && elf_dynamic_read(e, &d)) {
		if (i == 0 && !elf_dynamic_find(&d, DT_RUNPATH) &&
			elf_dynamic_find(&d, DT_RPATH))
			all->rpath = strdup(elf_dynamic_find(&d, DT_RPATH));
		needed_of(all, &d, all->path[i]);
	}
	elf_native_close(e, fd);
}

void elf_needs(const struct elf_facts *f,
	void (*fn)(const char *library, bool found, void *arg), void *arg)
{
	struct needed all = {0};
	char program[PATH_MAX];

	if (f->kind != ELF_KIND_PROGRAM || !f->native || !realpath(f->path, program))
		return;
	needed_add(&all, "", program);
	for (int i = 0; i < all.n; i++)
		needed_follow(&all, i);
	for (int i = 1; i < all.n; i++)
		fn(all.path[i] ? all.path[i] : all.name[i], all.path[i], arg);
	for (int i = 0; i < all.n; i++) {
		free(all.name[i]);
		free(all.path[i]);
	}
	free(all.rpath);
}
