/* SPDX-License-Identifier: MIT */
/*
 * elf_facts.h - what kind of program is this, and can a preload reach it?
 *
 * Looks at a file and at nothing else: starts nothing, prints nothing, changes nothing.
 * (elf.c, by another name: -Ipolicy must not hide the system's <elf.h>.)
 *
 * Shared by every command that has to judge a program before or after it is started.
 *
 * Bound: reads the headers and at most ELF_PART_MAX bytes of each thing it needs.
 */
#ifndef ELF_FACTS_H
#define ELF_FACTS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define ELF_SCRIPTS_MAX 5 /* "#!" followed this often, as the kernel does */
#define ELF_WORD_MAX	64

enum elf_kind {
	ELF_KIND_MISSING,    /* no such file */
	ELF_KIND_UNREADABLE, /* it is there and may not be read: nothing more is known */
	ELF_KIND_OTHER,	     /* neither ELF nor a "#!" script */
	ELF_KIND_DAMAGED,    /* begins like ELF; its headers point outside the file */
	ELF_KIND_PROGRAM,    /* ELF */
};

struct elf_facts {
	char path[PATH_MAX];   /* the file these facts are about: the last interpreter */
	char script[PATH_MAX]; /* the script that led to it; "" when none did */
	enum elf_kind kind;
	bool executable; /* this process may execute it */

	/* rights that make the loader distrust its environment */
	bool setuid, setgid; /* the bit is set and changes this process's identity */
	bool file_caps;	     /* a security.capability attribute that grants something */
	bool secure;	     /* started by this process it runs with AT_SECURE */

	/* ELF_KIND_PROGRAM only */
	unsigned bits;		      /* 32 or 64 */
	uint16_t machine;	      /* EM_* */
	bool native;		      /* class, byte order and machine are this tool's */
	bool is_loader;		      /* it is a dynamic loader itself */
	bool is_static;		      /* no loader takes part in its start */
	char loader[PATH_MAX];	      /* PT_INTERP; "" when static */
	bool musl;		      /* the loader is musl's */
	char sanitizer[ELF_WORD_MAX]; /* "AddressSanitizer"…; "" when none */
	uint64_t tls;		      /* bytes of thread-local storage */
};

/* Fills *out for `path` (a file name, not searched in PATH). Never fails: see out->kind.
 */
void elf_inspect(const char *path, struct elf_facts *out);

/*
 * Does it define malloc and free for the whole process, and so before any preload? Such a
 * program has dynamic symbols; others in the process could not find its malloc otherwise.
 */
bool elf_defines_malloc(const struct elf_facts *f);

/*
 * The libraries that a loader would bring for it, theirs included (elf_needed.c): calls
 * fn with the path of each that is found, and with the name alone of those that are not.
 * Reads the files; starts nothing.
 */
void elf_needs(const struct elf_facts *f,
	void (*fn)(const char *library, bool found, void *arg), void *arg);

/*
 * Finds `name` as execvp(3) would: itself when it has a slash, else the first executable
 * file in PATH. True and the path in buf, or false with errno ENOENT, EACCES, ENOTDIR or
 * ENAMETOOLONG.
 */
bool elf_search(const char *name, char buf[static PATH_MAX]);

#endif
