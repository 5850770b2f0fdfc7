/* SPDX-License-Identifier: MIT */
/*
 * elf_dynamic.c - see elf_dynamic.h
 */
#include "elf_dynamic.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

Elf *elf_open(int fd)
{
	Elf *e;

	elf_version(EV_CURRENT);
	e = elf_begin(fd, ELF_C_READ, NULL);
	if (elf_kind(e) == ELF_K_ELF)
		return e;
	elf_end(e);
	return NULL;
}

bool elf_native(const GElf_Ehdr *eh)
{
	const unsigned char order =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

	return eh->e_ident[EI_CLASS] == ELFCLASS64 && eh->e_ident[EI_DATA] == order &&
	       eh->e_machine == ELF_NATIVE;
}

Elf *elf_native_open(const char *path, int *fd)
{
	struct stat st;
	GElf_Ehdr eh;
	Elf *e;

	*fd = -1;
	/* a device or a pipe is not even opened */
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	e = *fd >= 0 ? elf_open(*fd) : NULL;
	if (gelf_getehdr(e, &eh) && elf_native(&eh))
		return e;
	elf_native_close(e, *fd);
	return NULL;
}

void elf_native_close(Elf *e, int fd)
{
	elf_end(e);
	if (fd >= 0)
		close(fd);
}

bool elf_segments(Elf *e, const GElf_Ehdr *eh)
{
	size_t n;

	return eh->e_phnum == 0 ||
	       (eh->e_phentsize == sizeof(Elf64_Phdr) && elf_getphdrnum(e, &n) == 0 &&
		       n == eh->e_phnum);
}

bool elf_segment(Elf *e, uint32_t type, GElf_Phdr *out)
{
	for (int i = 0; gelf_getphdr(e, i, out); i++)
		if (out->p_type == type)
			return true;
	return false;
}

const void *elf_part(Elf *e, uint64_t off, uint64_t len, Elf_Type type)
{
	Elf_Data *d = NULL;

	if (off <= INT64_MAX && len > 0 && len <= ELF_PART_MAX)
		d = elf_getdata_rawchunk(e, (int64_t)off, len, type);
	return d ? d->d_buf : NULL;
}

/* Where the loaded address `vaddr` lies in the file; 0 when nowhere. */
static uint64_t file_offset(Elf *e, uint64_t vaddr)
{
	GElf_Phdr p;

	for (int i = 0; gelf_getphdr(e, i, &p); i++)
		if (p.p_type == PT_LOAD && vaddr >= p.p_vaddr &&
			vaddr - p.p_vaddr < p.p_filesz)
			return vaddr - p.p_vaddr + p.p_offset;
	return 0;
}

/* Without strings (a static-pie) there is nothing more to learn. */
static void read_names(Elf *e, struct elf_dynamic *d)
{
	uint64_t addr = 0, len = 0, off;

	for (size_t i = 0; i < d->n; i++) {
		if (d->dyn[i].d_tag == DT_STRTAB)
			addr = d->dyn[i].d_un.d_ptr;
		else if (d->dyn[i].d_tag == DT_STRSZ)
			len = d->dyn[i].d_un.d_val;
	}
	off = file_offset(e, addr);
	d->names = off ? elf_part(e, off, len, ELF_T_BYTE) : NULL;
	while (d->names && len && d->names[len - 1])
		len--;
	d->len = d->names ? len : 0;
}

bool elf_dynamic_read(Elf *e, struct elf_dynamic *out)
{
	GElf_Phdr p;
	size_t room;

	*out = (struct elf_dynamic){0};
	if (!elf_segment(e, PT_DYNAMIC, &p) || p.p_filesz < sizeof(*out->dyn))
		return true;
	room = p.p_filesz / sizeof(*out->dyn);
	out->dyn = elf_part(e, p.p_offset, room * sizeof(*out->dyn), ELF_T_DYN);
	if (!out->dyn)
		return false;
	while (out->n < room && out->dyn[out->n].d_tag != DT_NULL)
		out->n++;
	read_names(e, out);
	return true;
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
