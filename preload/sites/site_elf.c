// SPDX-License-Identifier: MIT
/*
 * site_elf.c - the functions of an object: .symtab, then the build-id debug file, then
 * .dynsym
 *
 * The file is read, not mapped: a file that shrinks meanwhile gives a short read, not a
 * signal. Its program headers and build-id must be those of the object in memory; a file
 * that was replaced since tells nothing. Only what is needed is read: two headers, the
 * symbol table and its strings. An object with several ranges of code is several modules;
 * the symbols that were read last stay for the next one (site_elf_forget).
 *
 * Never on the realtime path. Every size and offset in the file is checked.
 */
#include <elf.h>
#include <fcntl.h>

#include "os/base.h"
#include "os/log.h"
#include "os/sys.h"
#include "site_private.h"

#define READ_MAX (1ul << 30) /* a symbol or string table larger than this is not one */

struct elf {
	int fd;
	Elf64_Ehdr eh;
	Elf64_Shdr *sh; /* eh.e_shnum of them */
};

static bool read_at(int fd, void *buf, size_t len, uint64_t off)
{
	unsigned char *p = buf;

	while (len > 0) {
		long n = sys_call4(SYS_pread64, fd, (long)p,
			(long)(len < READ_MAX ? len : READ_MAX), (long)off);

		if (n <= 0)
			return false;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

/* je_malloc'd; NULL when it cannot be read in full. */
static void *read_new(int fd, uint64_t len, uint64_t off)
{
	void *p;

	if (len == 0 || len > READ_MAX || off > INT64_MAX - len || !(p = je_malloc(len)))
		return NULL;
	if (!read_at(fd, p, len, off)) {
		je_free(p);
		return NULL;
	}
	return p;
}

static void elf_close(struct elf *e)
{
	sys_close(e->fd);
	je_free(e->sh);
}

static bool elf_open(struct elf *e, const char *path)
{
	e->sh = NULL;
	if (sys_restricted())
		return false;
	e->fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (e->fd < 0)
		return false;
	if (read_at(e->fd, &e->eh, sizeof e->eh, 0) &&
		__builtin_memcmp(e->eh.e_ident, ELFMAG, SELFMAG) == 0 &&
		e->eh.e_ident[EI_CLASS] == ELFCLASS64 && e->eh.e_machine == EM_X86_64 &&
		e->eh.e_shentsize == sizeof *e->sh &&
		e->eh.e_phentsize == sizeof(Elf64_Phdr))
		e->sh = read_new(
			e->fd, (uint64_t)e->eh.e_shnum * sizeof *e->sh, e->eh.e_shoff);
	if (!e->sh)
		elf_close(e);
	return e->sh != NULL;
}

/* Is this the file that m was loaded from? Without a build-id the headers must do. */
static bool same_headers(const struct elf *e, const struct site_module *m)
{
	size_t len = m->nphdr * sizeof *m->phdr;
	void *ph;
	bool same;

	if (e->eh.e_phnum != m->nphdr || !(ph = read_new(e->fd, len, e->eh.e_phoff)))
		return false;
	same = __builtin_memcmp(ph, m->phdr, len) == 0;
	je_free(ph);
	return same;
}

/* Finds the build-id in the file's notes; true when it is m's. */
static bool same_build_id(const struct elf *e, const struct site_module *m)
{
	for (unsigned i = 0; i < e->eh.e_shnum; i++) {
		unsigned char note[16 + SITE_BUILD_ID_MAX];
		uint32_t head[3]; /* name size, description size, type; then "GNU\0" */
		size_t len = 16u + m->build_id_len;

		if (e->sh[i].sh_type != SHT_NOTE || e->sh[i].sh_size < len ||
			!read_at(e->fd, note, len, e->sh[i].sh_offset))
			continue;
		__builtin_memcpy(head, note, sizeof head);
		if (head[0] == 4 && head[1] == m->build_id_len &&
			head[2] == NT_GNU_BUILD_ID &&
			__builtin_memcmp(note + 16, m->build_id, m->build_id_len) == 0)
			return true;
	}
	return false;
}

/* Calls fn for each function of one symbol table, whose strings are checked. */
static void each(const Elf64_Sym *sym, size_t n, const char *str, size_t strsize,
	site_symbol_fn *fn, void *arg)
{
	for (size_t i = 0; i < n; i++) {
		unsigned type = ELF64_ST_TYPE(sym[i].st_info);

		if ((type == STT_FUNC || type == STT_GNU_IFUNC) &&
			sym[i].st_shndx != SHN_UNDEF && sym[i].st_name < strsize &&
			str[sym[i].st_name] != '\0')
			fn(arg, str + sym[i].st_name, sym[i].st_value, sym[i].st_size);
	}
}

/* The functions of the object that was asked about last; under the site lock. */
static struct {
	const struct link_map *map; /* NULL: none */
	uintptr_t base;
	Elf64_Sym *sym;
	size_t n;
	char *str;
	size_t strsize;
} kept;

void site_elf_forget(void)
{
	je_free(kept.sym);
	je_free(kept.str);
	__builtin_memset(&kept, 0, sizeof kept);
}

/* Keeps the first symbol table of this type that names functions. */
static bool table(const struct elf *e, uint32_t type)
{
	for (unsigned i = 0; i < e->eh.e_shnum; i++) {
		const Elf64_Shdr *s = &e->sh[i], *t;

		if (s->sh_type != type || s->sh_link >= e->eh.e_shnum)
			continue;
		t = &e->sh[s->sh_link];
		if (t->sh_type != SHT_STRTAB)
			continue;
		kept.sym = read_new(e->fd, s->sh_size, s->sh_offset);
		kept.n = s->sh_size / sizeof *kept.sym;
		kept.str = read_new(e->fd, t->sh_size, t->sh_offset);
		kept.strsize = t->sh_size;
		if (kept.sym && kept.str && kept.str[t->sh_size - 1] == '\0')
			return true;
		site_elf_forget();
		return false;
	}
	return false;
}

static bool debug_file(const struct site_module *m)
{
	char path[128];
	int n;
	struct elf e;
	bool found;

	if (m->build_id_len < 2)
		return false;
	n = log_format(path, sizeof path, "/usr/lib/debug/.build-id/");
	for (unsigned i = 0; i < m->build_id_len; i++) {
		static const char digit[] = "0123456789abcdef";

		path[n++] = digit[m->build_id[i] >> 4];
		path[n++] = digit[m->build_id[i] & 15];
		if (i == 0)
			path[n++] = '/';
	}
	__builtin_memcpy(path + n, ".debug", sizeof ".debug");
	if (!elf_open(&e, path))
		return false;
	found = same_build_id(&e, m) && table(&e, SHT_SYMTAB);
	elf_close(&e);
	return found;
}

static bool read_symbols(const struct site_module *m)
{
	struct elf e;
	bool found;

	if (!elf_open(&e, m->path))
		return debug_file(m);
	if (!same_headers(&e, m) || (m->build_id_len && !same_build_id(&e, m)))
		found = debug_file(m);
	else
		found = table(&e, SHT_SYMTAB) || debug_file(m) || table(&e, SHT_DYNSYM);
	elf_close(&e);
	return found;
}

bool site_elf_symbols(const struct site_module *m, site_symbol_fn *fn, void *arg)
{
	if (!m->map || kept.map != m->map || kept.base != m->base) {
		site_elf_forget();
		if (!read_symbols(m))
			return false;
		kept.map = m->map;
		kept.base = m->base;
	}
	each(kept.sym, kept.n, kept.str, kept.strsize, fn, arg);
	return true;
}
