/* SPDX-License-Identifier: MIT */
/*
 * elf_dynamic.h - an ELF file of this machine, its segments and its dynamic section
 *
 * libelf reads the file and checks it: the file may be anything. Never maps it, so that
 * a file that is cut short while it is read does no harm.
 *
 * Bound: ELF_PART_MAX bytes of the dynamic section, of its strings and of symbols.
 */
#ifndef ELF_DYNAMIC_H
#define ELF_DYNAMIC_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_PART_MAX (1u << 24)

/* What elf_end(3) frees is valid until then. */
struct elf_dynamic {
	const Elf64_Dyn *dyn;
	size_t n;	   /* up to DT_NULL */
	const char *names; /* ends with NUL; NULL: there are none */
	size_t len;
};

/* For elf_end(3); NULL: not an ELF file, or damaged. */
Elf *elf_open(int fd);
/* Class, byte order and machine are this tool's. */
bool elf_native(const GElf_Ehdr *eh);
/* A regular file that is native; NULL: it is not there, or not that. */
Elf *elf_native_open(const char *path, int *fd);
void elf_native_close(Elf *e, int fd);

/* False: some program headers lie outside the file, or are of another size. */
bool elf_segments(Elf *e, const GElf_Ehdr *eh);
/* The first segment of this type. */
bool elf_segment(Elf *e, uint32_t type, GElf_Phdr *out);
/* [off, off+len) of the file, or NULL. */
const void *elf_part(Elf *e, uint64_t off, uint64_t len, Elf_Type type);

/* False: damaged. A file without a dynamic section has no entries. */
bool elf_dynamic_read(Elf *e, struct elf_dynamic *out);
/* The string at `off`; "" when it lies outside. */
const char *elf_dynamic_name(const struct elf_dynamic *d, uint64_t off);
/* The string of the first entry of this tag, or NULL. */
const char *elf_dynamic_find(const struct elf_dynamic *d, int64_t tag);

#endif
