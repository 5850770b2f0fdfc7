/* SPDX-License-Identifier: MIT */
/*
 * elf.c - what kind of program is this, and can a preload reach it?
 *
 * 1. follow "#!" lines to the program that really runs (env(1) is looked through, too)
 * 2. read the ELF header, the program headers and the dynamic section's strings
 * 3. ask the file system for set-id bits and file capabilities
 *
 * Every offset is checked against the file before it is used: the file may be anything.
 * Never executes or maps what it looks at.
 */
#include "elf_facts.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <linux/capability.h>
#include <unistd.h>

#include "elf_dynamic.h"

#if defined(__x86_64__)
#define ELF_NATIVE EM_X86_64
#elif defined(__aarch64__)
#define ELF_NATIVE EM_AARCH64
#elif defined(__riscv)
#define ELF_NATIVE EM_RISCV
#elif defined(__powerpc64__)
#define ELF_NATIVE EM_PPC64
#else
#error "which EM_ constant is this machine's?"
#endif

#define ELF_LINE_MAX 256 /* of a "#!" line, as the kernel reads it */

/* Is this whole word in the table? (names of symbols the program defines or wants) */
static bool has_string(const struct elf_dynamic *d, const char *word)
{
	size_t len = strlen(word) + 1;
	const char *p = d->names, *end = d->names + d->len;

	while (p < end && (p = memmem(p, (size_t)(end - p) + 1, word, len))) {
		if (p == d->names || p[-1] == '\0')
			return true;
		p++;
	}
	return false;
}

/*
 * A sanitizer shows by the runtime it needs (gcc) or by the entry point of a runtime that
 * was linked in (clang). The undefined-behaviour one is not listed: it leaves malloc
 * alone.
 */
static void find_sanitizer(const struct elf_dynamic *d, struct elf_facts *out)
{
	static const struct {
		const char *symbol, *name;
	} known[] = {
		{"__asan_init", "AddressSanitizer"},
		{"__hwasan_init", "HWAddressSanitizer"},
		{"__tsan_init", "ThreadSanitizer"},
		{"__msan_init", "MemorySanitizer"},
		{"__lsan_init", "LeakSanitizer"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && !*out->sanitizer; i++)
		if (has_string(d, known[i].symbol))
			snprintf(out->sanitizer, sizeof(out->sanitizer), "%s",
				known[i].name);
}

static void find_needed(const char *lib, struct elf_facts *out)
{
	static const struct {
		const char *lib, *name;
	} known[] = {
		{"libasan.so", "AddressSanitizer"},
		{"libhwasan.so", "HWAddressSanitizer"},
		{"libtsan.so", "ThreadSanitizer"},
		{"liblsan.so", "LeakSanitizer"},
		{"libclang_rt.asan", "AddressSanitizer"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strncmp(lib, known[i].lib, strlen(known[i].lib)) == 0)
			snprintf(out->sanitizer, sizeof(out->sanitizer), "%s",
				known[i].name);
}

static bool read_dynamic(int fd, const Elf64_Phdr *ph, unsigned n, struct elf_facts *out)
{
	struct elf_dynamic d;

	if (!elf_dynamic_open(fd, ph, n, &d))
		return false;
	for (size_t i = 0; i < d.n && d.names; i++) {
		const char *name = elf_dynamic_name(&d, d.dyn[i].d_un.d_val);

		if (d.dyn[i].d_tag == DT_NEEDED)
			find_needed(name, out);
		else if (d.dyn[i].d_tag == DT_SONAME)
			out->is_loader = strncmp(name, "ld-", 3) == 0 ||
					 strncmp(name, "ld64.", 5) == 0;
	}
	if (d.names)
		find_sanitizer(&d, out);
	elf_dynamic_close(&d);
	return true;
}

static bool read_loader(int fd, const Elf64_Phdr *ph, unsigned n, struct elf_facts *out)
{
	const Elf64_Phdr *p = elf_phdr(ph, n, PT_INTERP);

	if (!p)
		return true;
	if (p->p_filesz == 0 || p->p_filesz >= sizeof(out->loader) ||
		!elf_read(fd, out->loader, p->p_filesz, p->p_offset))
		return false;
	out->loader[p->p_filesz] = '\0';
	out->musl = strstr(out->loader, "/ld-musl-") != NULL;
	return true;
}

/* The native class only: a foreign program needs no second look, the preload is for ours.
 */
static bool read_native(int fd, const Elf64_Ehdr *eh, struct elf_facts *out)
{
	Elf64_Phdr ph[ELF_PHDRS_MAX];
	unsigned n = elf_phdrs(fd, eh, ph);

	if (!n && eh->e_phnum)
		return false;
	const Elf64_Phdr *tls = elf_phdr(ph, n, PT_TLS);
	out->tls = tls ? tls->p_memsz : 0;
	if (!read_loader(fd, ph, n, out) || !read_dynamic(fd, ph, n, out))
		return false;
	out->is_static = !*out->loader && !out->is_loader;
	return true;
}

static void read_elf(int fd, struct elf_facts *out)
{
	Elf64_Ehdr eh = {0};
	const unsigned char *id = eh.e_ident;
	const unsigned char order =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

	/* the 32-bit header is the shorter; both agree up to e_machine */
	ssize_t got = pread(fd, &eh, sizeof(eh), 0);
	out->kind = ELF_KIND_DAMAGED;
	if (got < (ssize_t)sizeof(Elf32_Ehdr) ||
		(id[EI_CLASS] != ELFCLASS32 && id[EI_CLASS] != ELFCLASS64))
		return;
	out->bits = id[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	out->machine =
		id[EI_DATA] == order ? eh.e_machine : __builtin_bswap16(eh.e_machine);
	out->native =
		out->bits == 64 && id[EI_DATA] == order && out->machine == ELF_NATIVE;
	if (!out->native || (got == (ssize_t)sizeof(eh) && read_native(fd, &eh, out)))
		out->kind = ELF_KIND_PROGRAM;
}

/* Does the attribute give the program capabilities it would not have otherwise? */
static bool grants_capabilities(const char *path)
{
	struct vfs_ns_cap_data cap;
	ssize_t n = getxattr(path, "security.capability", &cap, sizeof(cap));

	if (n < (ssize_t)sizeof(struct vfs_cap_data) - 8)
		return false;
	return (cap.magic_etc & VFS_CAP_FLAGS_EFFECTIVE) || cap.data[0].permitted ||
	       (n >= (ssize_t)sizeof(struct vfs_cap_data) && cap.data[1].permitted);
}

/*
 * As the kernel decides at execve(2): set-id bits count when they change the identity, on
 * a mount and in a process that allow it; file capabilities do not make root's programs
 * secure.
 */
static void read_rights(struct elf_facts *out)
{
	struct stat st;
	struct statvfs fs;
	bool nosuid = statvfs(out->path, &fs) == 0 && (fs.f_flag & ST_NOSUID);

	out->executable = access(out->path, X_OK) == 0;
	if (stat(out->path, &st) != 0 || nosuid)
		return;
	out->file_caps = grants_capabilities(out->path);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		out->setuid = (st.st_mode & S_ISUID) && st.st_uid != getuid();
		out->setgid = (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) &&
			      st.st_gid != getgid();
	}
	out->secure = out->setuid || out->setgid || (out->file_caps && getuid() != 0);
}

/* The next word of a "#!" line, NUL-terminated in place, or NULL. */
static char *next_word(char **at)
{
	char *w = *at + strspn(*at, " \t");

	if (!*w)
		return NULL;
	*at = w + strcspn(w, " \t");
	if (**at)
		*(*at)++ = '\0';
	return w;
}

/*
 * The program a "#!" line starts. "#!/usr/bin/env [-S] [-i] [NAME=value…] prog" starts
 * prog in the end, so that is what matters. False: the line names nothing that can be
 * found.
 */
static bool script_program(char *line, char buf[static PATH_MAX])
{
	char *at = line, *prog = next_word(&at);

	if (!prog)
		return false;
	const char *base = strrchr(prog, '/');
	if (strcmp(base ? base + 1 : prog, "env") == 0) {
		for (char *w; (w = next_word(&at));)
			if (*w != '-' && !strchr(w, '='))
				return elf_search(w, buf);
	}
	snprintf(buf, PATH_MAX, "%s", prog);
	return true;
}

/* One file. True: it is a script, and `next` names what it runs on. */
static bool inspect_file(struct elf_facts *out, char next[static PATH_MAX])
{
	char head[ELF_LINE_MAX + 1] = "";
	int fd = open(out->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool script = false;

	if (fd < 0) {
		out->kind = errno == ENOENT || errno == ENOTDIR ? ELF_KIND_MISSING
								: ELF_KIND_UNREADABLE;
		return false;
	}
	ssize_t n = pread(fd, head, ELF_LINE_MAX, 0);
	out->kind = ELF_KIND_OTHER;
	if (n >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0) {
		read_elf(fd, out);
	} else if (n > 2 && head[0] == '#' && head[1] == '!') {
		head[strcspn(head, "\r\n")] = '\0';
		script = script_program(head + 2, next);
	}
	close(fd);
	return script;
}

void elf_inspect(const char *path, struct elf_facts *out)
{
	char next[PATH_MAX] = "", script[PATH_MAX] = "";

	for (int depth = 0;; depth++) {
		memset(out, 0, sizeof(*out));
		snprintf(out->path, sizeof(out->path), "%s", depth ? next : path);
		snprintf(out->script, sizeof(out->script), "%s", script);
		bool again = inspect_file(out, next);

		read_rights(out);
		if (!again || depth == ELF_SCRIPTS_MAX)
			return;
		if (!*script)
			snprintf(script, sizeof(script), "%s", path);
	}
}

/* A regular file this process may execute; errno says why not. */
static bool runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return false;
	}
	return access(path, X_OK) == 0;
}

bool elf_search(const char *name, char buf[static PATH_MAX])
{
	const char *dir = getenv("PATH");
	int why = ENOENT;

	if (strchr(name, '/')) {
		if (snprintf(buf, PATH_MAX, "%s", name) >= PATH_MAX)
			return errno = ENAMETOOLONG, false;
		return runnable(buf);
	}
	if (!dir)
		dir = "/bin:/usr/bin";
	while (*name) {
		int len = (int)strcspn(dir, ":");
		/* an empty element is the current directory */
		int n = snprintf(
			buf, PATH_MAX, "%.*s%s%s", len, dir, len ? "/" : "./", name);

		if (n < PATH_MAX && runnable(buf))
			return true;
		if (n < PATH_MAX && errno == EACCES)
			why = EACCES; /* as execvp: remembered, the search goes on */
		if (!dir[len])
			break;
		dir += len + 1;
	}
	errno = why;
	return false;
}
