/* SPDX-License-Identifier: MIT */
/*
 * doctor_program.c - will the library be in this program, and do anything there?
 *
 * Starts nothing of the program, nor the loader that it names: root may run this on
 * anybody's program. Reads what the program needs from its files.
 */
#include "doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/system/elf_facts.h"
#include "policy/system/library.h"
#include "policy/system/preflight.h"
#include "policy/system/wrapper.h"

static void say_obstacle(const char *sentence, void *arg)
{
	/* the cure is part of the sentence */
	doctor_say(arg, DOCTOR_FAIL, "program", NULL, "%s", sentence);
}

struct loaded {
	const char *allocator; /* the name of one, or NULL */
	char missing[256];     /* a library that is not found, or "" */
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void find_allocator(struct loaded *l, const char *name)
{
	static const char *const known[] = {"libtcmalloc", "libmimalloc", "libjemalloc",
		"libhoard", "librpmalloc", "libsnmalloc"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && !l->allocator; i++)
		if (strncmp(base_of(name), known[i], strlen(known[i])) == 0)
			l->allocator = known[i];
}

static void add_library(const char *library, bool found, void *arg)
{
	struct loaded *l = arg;

	find_allocator(l, library);
	if (!found && !*l->missing)
		snprintf(l->missing, sizeof(l->missing), "%s", library);
}

/* What else is preloaded. */
static void add_preloads(struct loaded *l)
{
	const char *preload = getenv("LD_PRELOAD");
	char *words = strdup(preload ? preload : ""), *rest = words;

	for (char *w; rest && (w = strsep(&rest, " :"));)
		find_allocator(l, w);
	free(words);
}

/* The loader that started this tool: the library works with that. */
static bool own_loader(const struct elf_facts *f)
{
	static struct elf_facts own;
	struct stat a, b;

	elf_inspect("/proc/self/exe", &own);
	return stat(f->loader, &a) == 0 && stat(own.loader, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void check_allocator(
	struct doctor *d, const struct elf_facts *f, const struct loaded *l)
{
	if (elf_defines_malloc(f))
		doctor_say(d, DOCTOR_FAIL, "allocator",
			"use a build of it without an allocator of its own",
			"%s defines malloc itself: what it allocates never reaches the "
			"library",
			f->path);
	else if (l->allocator)
		doctor_say(d, DOCTOR_WARNING, "allocator",
			"use a build without it if its own calls matter on realtime "
			"threads",
			"%s is loaded, too: malloc comes from the library all the same, "
			"but calls of that allocator's own names need not",
			l->allocator);
	else
		doctor_say(d, DOCTOR_OK, "allocator", NULL, "malloc of the C library");
}

static void check_preload(
	struct doctor *d, const struct elf_facts *f, const struct loaded *l)
{
	static const char reinstall[] =
		"install the library and run ldconfig, or build it";
	struct library lib;

	if (!library_find(&lib))
		doctor_say(
			d, DOCTOR_FAIL, "preload", reinstall, "the library is not there");
	else if (!*lib.word)
		doctor_say(d, DOCTOR_FAIL, "preload", "move it",
			"%s: LD_PRELOAD takes no path with a space or a colon", lib.path);
	else if (*l->missing)
		doctor_say(d, DOCTOR_WARNING, "preload", "install what it needs",
			"%s needs %s, which is not where the loader looks", f->path,
			l->missing);
	else if (!own_loader(f))
		doctor_say(d, DOCTOR_WARNING, "preload", "see what rtmem ps says of it",
			"%s is started by a loader of its own, %s: whether that takes "
			"the library is not known",
			f->path, f->loader);
	else
		doctor_say(d, DOCTOR_OK, "preload", NULL, "%s is loaded", lib.path);
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
	struct loaded l = {0};

	elf_needs(f, add_library, &l);
	add_preloads(&l);
	check_allocator(d, f, &l);
	check_preload(d, f, &l);
}

void doctor_program(struct doctor *d, const struct policy *p, char *const *words)
{
	char path[PATH_MAX], exe[PATH_MAX], why[DOCTOR_LINE];
	const char *command = words[0];
	static struct elf_facts f;

	if (wrapper_drops(words, why, sizeof(why)))
		doctor_say(d, DOCTOR_WARNING, "environment", NULL, "%s", why);
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
