/* SPDX-License-Identifier: MIT */
/*
 * elf_dynamic.c - see elf_dynamic.h
 */
#include "elf_dynamic.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool elf_read(int fd, void *buf, size_t len, uint64_t off)
{
	return off <= INT64_MAX && pread(fd, buf, len, (off_t)off) == (ssize_t)len;
}

unsigned elf_phdrs(int fd, const Elf64_Ehdr *eh, Elf64_Phdr ph[static ELF_PHDRS_MAX])
{
	unsigned n = eh->e_phnum;

	if (n > ELF_PHDRS_MAX || eh->e_phentsize != sizeof(*ph) ||
		!elf_read(fd, ph, n * sizeof(*ph), eh->e_phoff))
		return 0;
	return n;
}

const Elf64_Phdr *elf_phdr(const Elf64_Phdr *ph, unsigned n, uint32_t type)
{
	for (unsigned i = 0; i < n; i++)
		if (ph[i].p_type == type)
			return &ph[i];
	return NULL;
}

/* Where the loaded address `vaddr` lies in the file; 0 when nowhere. */
static uint64_t file_offset(const Elf64_Phdr *ph, unsigned n, uint64_t vaddr)
{
	for (unsigned i = 0; i < n; i++)
		if (ph[i].p_type == PT_LOAD && vaddr >= ph[i].p_vaddr &&
			vaddr - ph[i].p_vaddr < ph[i].p_filesz)
			return vaddr - ph[i].p_vaddr + ph[i].p_offset;
	return 0;
}

/* Without strings (a static-pie) there is nothing more to learn. */
static void read_names(int fd, const Elf64_Phdr *ph, unsigned n, struct elf_dynamic *d)
{
	uint64_t addr = 0, len = 0, off;

	for (size_t i = 0; i < d->n; i++) {
		if (d->dyn[i].d_tag == DT_STRTAB)
			addr = d->dyn[i].d_un.d_ptr;
		else if (d->dyn[i].d_tag == DT_STRSZ)
			len = d->dyn[i].d_un.d_val;
	}
	off = file_offset(ph, n, addr);
	if (!off || !len || len > ELF_STRINGS_MAX || !(d->names = malloc(len + 1)))
		return;
	d->names[len] = '\0';
	d->len = len;
	if (elf_read(fd, d->names, len, off))
		return;
	free(d->names);
	d->names = NULL;
	d->len = 0;
}

bool elf_dynamic_open(int fd, const Elf64_Phdr *ph, unsigned n, struct elf_dynamic *out)
{
	const Elf64_Phdr *p = elf_phdr(ph, n, PT_DYNAMIC);
	size_t room;

	*out = (struct elf_dynamic){0};
	if (!p)
		return true;
	room = p->p_filesz / sizeof(*out->dyn);
	if (room > ELF_DYNAMIC_MAX)
		return false;
	out->dyn = calloc(room + 1, sizeof(*out->dyn));
	if (!out->dyn || !elf_read(fd, out->dyn, room * sizeof(*out->dyn), p->p_offset)) {
		elf_dynamic_close(out);
		return false;
	}
	while (out->n < room && out->dyn[out->n].d_tag != DT_NULL)
		out->n++;
	read_names(fd, ph, n, out);
	return true;
}

void elf_dynamic_close(struct elf_dynamic *d)
{
	free(d->dyn);
	free(d->names);
	*d = (struct elf_dynamic){0};
}

const char *elf_dynamic_name(const struct elf_dynamic *d, uint64_t off)
{
	return off < d->len ? d->names + off : "";
}

const char *elf_dynamic_find(const struct elf_dynamic *d, int64_t tag)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->dyn[i].d_tag == tag)
			return elf_dynamic_name(d, d->dyn[i].d_un.d_val);
	return NULL;
}
