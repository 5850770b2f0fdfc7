/* SPDX-License-Identifier: MIT */
/*
 * elf.c - what kind of program is this, and can a preload reach it?
 *
 * 1. follow "#!" lines to the program that really runs (env(1) is looked through, too)
 * 2. read the ELF header, the program headers, the dynamic section and the symbols in it
 * 3. ask the file system for set-id bits and file capabilities
 *
 * The file may be anything. Never executes or maps what it looks at.
 */
#include "elf_facts.h"

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

#define ELF_LINE_MAX 256 /* of a "#!" line, as the kernel reads it */

/* Is this whole word in the table? (names of symbols the program defines or wants) */
static bool has_string(const struct elf_dynamic *d, const char *word)
{
	size_t len = strlen(word) + 1;
	const char *p = d->names, *end = d->names + d->len;

	while (p < end && (p = memmem(p, (size_t)(end - p), word, len))) {
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

static bool read_dynamic(Elf *e, struct elf_facts *out)
{
	struct elf_dynamic d;

	if (!elf_dynamic_read(e, &d))
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
	return true;
}

static bool read_loader(Elf *e, struct elf_facts *out)
{
	GElf_Phdr p;
	const char *name;

	if (!elf_segment(e, PT_INTERP, &p))
		return true;
	name = elf_part(e, p.p_offset, p.p_filesz, ELF_T_BYTE);
	if (!name || p.p_filesz >= sizeof(out->loader))
		return false;
	memcpy(out->loader, name, p.p_filesz);
	out->musl = strstr(out->loader, "/ld-musl-") != NULL;
	return true;
}

/* The native class only: a foreign program needs no second look, the preload is for ours.
 */
static bool read_native(Elf *e, const GElf_Ehdr *eh, struct elf_facts *out)
{
	GElf_Phdr tls;

	if (!elf_segments(e, eh) || !read_loader(e, out) || !read_dynamic(e, out))
		return false;
	out->tls = elf_segment(e, PT_TLS, &tls) ? tls.p_memsz : 0;
	out->is_static = !*out->loader && !out->is_loader;
	return true;
}

static void read_elf(int fd, struct elf_facts *out)
{
	Elf *e = elf_open(fd);
	GElf_Ehdr eh;

	out->kind = ELF_KIND_DAMAGED;
	if (gelf_getehdr(e, &eh)) {
		out->bits = eh.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
		out->machine = eh.e_machine;
		out->native = elf_native(&eh);
		if (!out->native || read_native(e, &eh, out))
			out->kind = ELF_KIND_PROGRAM;
	}
	elf_end(e);
}

/* Does this section of dynamic symbols define the function? */
static bool defines(Elf *e, Elf_Scn *section, const char *function)
{
	GElf_Shdr sh, str;
	GElf_Sym sym;
	Elf_Data *d;

	if (!gelf_getshdr(section, &sh) || sh.sh_type != SHT_DYNSYM ||
		!gelf_getshdr(elf_getscn(e, sh.sh_link), &str) ||
		sh.sh_size > ELF_PART_MAX || str.sh_size > ELF_PART_MAX)
		return false;
	d = elf_getdata(section, NULL);
	for (int i = 0; gelf_getsym(d, i, &sym); i++) {
		const char *name = elf_strptr(e, sh.sh_link, sym.st_name);

		if (sym.st_shndx != SHN_UNDEF && GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
			name && strcmp(name, function) == 0)
			return true;
	}
	return false;
}

bool elf_defines_malloc(const struct elf_facts *f)
{
	int fd = -1;
	Elf *e = f->kind == ELF_KIND_PROGRAM ? elf_native_open(f->path, &fd) : NULL;
	bool found = false;

	for (Elf_Scn *s = NULL; e && !found && (s = elf_nextscn(e, s));)
		found = defines(e, s, "malloc") && defines(e, s, "free");
	elf_native_close(e, fd);
	return found;
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
