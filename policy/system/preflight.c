/* SPDX-License-Identifier: MIT */
/*
 * preflight.c - would a preload reach this program, and would it agree with it?
 *
 * A table of obstacles: a test on the facts, and a sentence. Prints nothing itself.
 */
#include "preflight.h"

#include <stdio.h>

static bool not_executable_format(const struct elf_facts *f)
{
	return f->kind == ELF_KIND_DAMAGED;
}

static bool is_foreign(const struct elf_facts *f)
{
	return f->kind == ELF_KIND_PROGRAM && !f->native && f->bits == 64;
}

static bool is_32bit(const struct elf_facts *f)
{
	return f->kind == ELF_KIND_PROGRAM && f->bits == 32;
}

static bool is_static(const struct elf_facts *f)
{
	return f->is_static;
}

static bool is_musl(const struct elf_facts *f)
{
	return f->musl;
}

static bool is_setid(const struct elf_facts *f)
{
	return f->secure && (f->setuid || f->setgid);
}

static bool has_caps(const struct elf_facts *f)
{
	return f->secure && f->file_caps;
}

static bool is_sanitized(const struct elf_facts *f)
{
	return *f->sanitizer;
}

static bool is_unreadable(const struct elf_facts *f)
{
	return f->kind == ELF_KIND_UNREADABLE;
}

static const struct obstacle {
	bool (*holds)(const struct elf_facts *f);
	const char
		*text; /* the first %s is the path, a second one the sanitizer's name */
} obstacles[] = {
	{not_executable_format, "%s is damaged: its headers point outside the file"},
	{is_foreign, "%s is built for another machine: the preload does not fit it; "
		     "use the build for this one"},
	{is_32bit,
		"%s is a 32-bit program and the library is 64-bit: the loader leaves the "
		"preload out; use the 64-bit build of the program"},
	{is_static,
		"%s is statically linked: no loader takes part in its start, so nothing "
		"can be preloaded; use a dynamically linked build"},
	{is_musl, "%s runs on the musl C library: the preload needs glibc; "
		  "use a build for glibc"},
	{is_setid, "%s is setuid or setgid: the loader drops the preload; run a copy "
		   "without "
		   "that bit, and give it the rights it needs as ambient capabilities "
		   "(setpriv --inh-caps +sys_nice --ambient-caps +sys_nice) or limits"},
	{has_caps,
		"%s has file capabilities: the loader drops the preload; take them off "
		"(setcap -r) and give them as ambient capabilities, which keep it "
		"(AmbientCapabilities= in a unit, or setpriv --ambient-caps)"},
	{is_sanitized,
		"%s is built with %s, whose own malloc must come first: it will "
		"refuse to start, or the preload has no effect; use a build without "
		"-fsanitize"},
	{is_unreadable, "%s cannot be read: whether the preload will work is not known"},
};

int preflight(const struct elf_facts *f, void (*say)(const char *sentence, void *arg),
	void *arg)
{
	char sentence[PATH_MAX + 512];
	int n = 0;

	for (size_t i = 0; i < sizeof(obstacles) / sizeof(*obstacles); i++) {
		if (!obstacles[i].holds(f))
			continue;
		snprintf(sentence, sizeof(sentence), obstacles[i].text, f->path,
			f->sanitizer);
		say(sentence, arg);
		n++;
	}
	return n;
}
