/* SPDX-License-Identifier: MIT */
/*
 * elf_allocator.c - does a program bring a malloc of its own?
 *
 * One that it defines itself is found before any preload's; one in a library that it
 * needs comes after it. Reads the section of dynamic symbols, which a program that
 * defines malloc has (others in the process could not find it otherwise).
 *
 * Bound: ELF_STRINGS_MAX bytes of symbols and as many of their names.
 */
#include "elf_facts.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_dynamic.h"

#define SECTIONS_MAX 4096

static void *read_part(int fd, uint64_t off, uint64_t len)
{
	char *p;

	if (len == 0 || len > ELF_STRINGS_MAX || off > INT64_MAX ||
		!(p = malloc(len + 1)))
		return NULL;
	if (pread(fd, p, len, (off_t)off) != (ssize_t)len) {
		free(p);
		return NULL;
	}
	p[len] = '\0';
	return p;
}

static bool defines(
	const Elf64_Sym *sym, size_t n, const char *names, size_t len, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (sym[i].st_shndx != SHN_UNDEF && sym[i].st_name < len &&
			ELF64_ST_TYPE(sym[i].st_info) == STT_FUNC &&
			strcmp(names + sym[i].st_name, name) == 0)
			return true;
	return false;
}

static bool in_section(int fd, const Elf64_Shdr *sh, const Elf64_Shdr *str)
{
	Elf64_Sym *sym = read_part(fd, sh->sh_offset, sh->sh_size);
	char *names = read_part(fd, str->sh_offset, str->sh_size);
	size_t n = sh->sh_size / sizeof(*sym);
	bool found = sym && names && defines(sym, n, names, str->sh_size, "malloc") &&
		     defines(sym, n, names, str->sh_size, "free");

	free(names);
	free(sym);
	return found;
}

bool elf_defines_malloc(const struct elf_facts *f)
{
	bool found = false;
	Elf64_Shdr *sh = NULL;
	Elf64_Ehdr eh;
	int fd;

	if (f->kind != ELF_KIND_PROGRAM || !f->native)
		return false;
	fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	if (pread(fd, &eh, sizeof(eh), 0) == (ssize_t)sizeof(eh) &&
		eh.e_shentsize == sizeof(*sh) && eh.e_shnum <= SECTIONS_MAX)
		sh = read_part(fd, eh.e_shoff, (uint64_t)eh.e_shnum * sizeof(*sh));
	for (unsigned i = 0; sh && i < eh.e_shnum && !found; i++)
		found = sh[i].sh_type == SHT_DYNSYM && sh[i].sh_link < eh.e_shnum &&
			in_section(fd, &sh[i], &sh[sh[i].sh_link]);
	free(sh);
	close(fd);
	return found;
}
