/* SPDX-License-Identifier: MIT */
/*
 * doctor_program.c - will the library be in this program, and do anything there?
 *
 * The program is not started. Its loader is, to list what it would load: loaders that are
 * not glibc's by name are not run at all, nor are they for programs that gain rights.
 */
#include "doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_facts.h"
#include "library.h"
#include "preflight.h"

static void say_obstacle(const char *sentence, void *arg)
{
	/* the cure is part of the sentence */
	doctor_say(arg, DOCTOR_FAIL, "program", NULL, "%s", sentence);
}

/* The line of the loader's list that starts with this name, after any directory. */
static bool listed(const char *list, const char *stem)
{
	for (const char *l = list; l && *l; l += strcspn(l, "\n"), l += !!*l) {
		const char *name = l + strspn(l, "\t ");
		size_t len = strcspn(name, " \n");
		const char *slash = memrchr(name, '/', len);

		if (strncmp(l, "ERROR", 5) == 0)
			continue;
		if (slash)
			name = slash + 1;
		if (strncmp(name, stem, strlen(stem)) == 0)
			return true;
	}
	return false;
}

/* What the loader would load with the preload, for free(3), or NULL. */
static char *loader_list(const struct elf_facts *f, const struct library *lib)
{
	const char *old = getenv("LD_PRELOAD"), *path = getenv("LD_LIBRARY_PATH");
	char *preload = NULL, *libs = NULL, *list = NULL;
	const char *base = strrchr(f->loader, '/');

	if (!base || strncmp(base + 1, "ld", 2) != 0)
		return NULL;
	if (asprintf(&preload, "LD_PRELOAD=%s%s%s", lib->word, old && *old ? ":" : "",
		    old ? old : "") < 0)
		preload = NULL;
	if (asprintf(&libs, "LD_LIBRARY_PATH=%s", path ? path : "") < 0)
		libs = NULL;
	if (preload && libs)
		list = doctor_output((char *[]){(char *)f->loader, (char *)f->path, NULL},
			(char *[]){"LD_TRACE_LOADED_OBJECTS=1", preload,
				path ? libs : NULL, NULL});
	free(libs);
	free(preload);
	return list;
}

static void check_allocator(struct doctor *d, const struct elf_facts *f, const char *list)
{
	static const char *const known[] = {"libtcmalloc", "libmimalloc", "libjemalloc",
		"libhoard", "librpmalloc", "libsnmalloc"};

	if (elf_defines_malloc(f)) {
		doctor_say(d, DOCTOR_FAIL, "allocator",
			"use a build of it without an allocator of its own",
			"%s defines malloc itself: what it allocates never reaches the "
			"library",
			f->path);
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!listed(list, known[i]))
			continue;
		doctor_say(d, DOCTOR_WARNING, "allocator",
			"use a build without it if its own calls matter on realtime "
			"threads",
			"%s is loaded, too: malloc comes from the library all the same, "
			"but calls of that allocator's own names need not",
			known[i]);
		return;
	}
	doctor_say(d, DOCTOR_OK, "allocator", NULL, "malloc of the C library");
}

static void check_preload(
	struct doctor *d, const struct library *lib, bool found, const char *list)
{
	static const char reinstall[] =
		"install the library and run ldconfig, or build it";

	if (!found)
		doctor_say(
			d, DOCTOR_FAIL, "preload", reinstall, "the library is not there");
	else if (!*lib->word)
		doctor_say(d, DOCTOR_FAIL, "preload", "move it",
			"%s: LD_PRELOAD takes no path with a space or a colon",
			lib->path);
	else if (listed(list, "librtpreload.so"))
		doctor_say(d, DOCTOR_OK, "preload", NULL, "%s is loaded", lib->path);
	else
		doctor_say(d, DOCTOR_FAIL, "preload",
			"see what `rtmem run` says, and ld.so(8)",
			"the loader leaves out %s%s%.*s", lib->path, list ? ": " : "",
			list ? (int)strcspn(list, "\n") : 0, list ? list : "");
}

static void check_rules(struct doctor *d, const struct policy *p, const char *exe)
{
	struct match_process m = {0};
	char names[DOCTOR_LINE / 2] = "";
	size_t len = 0;

	if (!p)
		return;
	match_process(p, exe, &m);
	for (int i = 0; i < m.nrule && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
			i ? ", " : "", m.rule[i]->name);
	if (!m.enabled)
		doctor_say(d, DOCTOR_WARNING, "rules", "set enabled = yes there",
			"an [app] section of the policy switches this program off");
	else if (m.nrule == 0)
		doctor_say(d, DOCTOR_WARNING, "rules",
			"write one (rtmem.conf(5)), and ask rtmem explain",
			"no rule of the policy applies to this program");
	else
		doctor_say(d, DOCTOR_OK, "rules", NULL, "%s", names);
}

static void check_loaded(struct doctor *d, const struct elf_facts *f)
{
	struct library lib;
	bool found = library_find(&lib);
	char *list = found && *lib.word ? loader_list(f, &lib) : NULL;

	check_allocator(d, f, list);
	check_preload(d, &lib, found, list);
	free(list);
}

void doctor_program(struct doctor *d, const struct policy *p, const char *command)
{
	static struct elf_facts f;
	char path[PATH_MAX], exe[PATH_MAX];

	if (!elf_search(command, path)) {
		doctor_say(d, DOCTOR_FAIL, "program", "see PATH", "%s: %s", command,
			errno == ENOENT ? "command not found" : strerror(errno));
		return;
	}
	elf_inspect(path, &f);
	if (f.kind == ELF_KIND_MISSING || f.kind == ELF_KIND_OTHER)
		doctor_say(d, DOCTOR_FAIL, "program", "name the program that it starts",
			"%s is not a program of this system", f.path);
	else if (preflight(&f, say_obstacle, d) == 0) {
		doctor_say(d, DOCTOR_OK, "program", NULL, "%s%s%s is dynamically linked",
			f.script, *f.script ? " runs on " : "", f.path);
		check_loaded(d, &f);
	}
	if (realpath(f.path, exe))
		check_rules(d, p, exe);
}
