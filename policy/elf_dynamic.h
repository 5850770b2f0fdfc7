/* SPDX-License-Identifier: MIT */
/*
 * elf_dynamic.h - the dynamic section of an ELF file, and its strings
 *
 * Every offset is checked against the file before it is used: the file may be anything.
 *
 * Bound: ELF_PHDRS_MAX headers, ELF_DYNAMIC_MAX entries, ELF_STRINGS_MAX bytes.
 */
#ifndef ELF_DYNAMIC_H
#define ELF_DYNAMIC_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_PHDRS_MAX	128
#define ELF_DYNAMIC_MAX 4096
#define ELF_STRINGS_MAX (1u << 24)

struct elf_dynamic {
	Elf64_Dyn *dyn;
	size_t n;    /* up to DT_NULL */
	char *names; /* .dynstr with a NUL appended; NULL: there is none */
	size_t len;
};

/* All of [off, off+len) or nothing. */
bool elf_read(int fd, void *buf, size_t len, uint64_t off);
/* Its program headers, when it is of the native class; how many, 0: none or too many. */
unsigned elf_phdrs(int fd, const Elf64_Ehdr *eh, Elf64_Phdr ph[static ELF_PHDRS_MAX]);
const Elf64_Phdr *elf_phdr(const Elf64_Phdr *ph, unsigned n, uint32_t type);

/* False: damaged. A file without a dynamic section has no entries. */
bool elf_dynamic_open(int fd, const Elf64_Phdr *ph, unsigned n, struct elf_dynamic *out);
void elf_dynamic_close(struct elf_dynamic *d);
/* The string at `off`; "" when it lies outside. */
const char *elf_dynamic_name(const struct elf_dynamic *d, uint64_t off);
/* The string of the first entry of this tag, or NULL. */
const char *elf_dynamic_find(const struct elf_dynamic *d, int64_t tag);

#endif
