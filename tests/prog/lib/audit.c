/* SPDX-License-Identifier: MIT */
/* audit.c - the smallest rtld-audit(7) library that follows every object and binding */
#include <link.h>
#include <stddef.h>
#include <stdint.h>

unsigned la_version(unsigned version)
{
	return version;
}

unsigned la_objopen(struct link_map *map, Lmid_t lmid, uintptr_t *cookie)
{
	(void)map, (void)lmid, (void)cookie;
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(Elf64_Sym *sym, unsigned ndx, uintptr_t *refcook,
	uintptr_t *defcook, unsigned *flags, const char *symname)
{
	(void)ndx, (void)refcook, (void)defcook, (void)flags, (void)symname;
	return sym->st_value;
}
