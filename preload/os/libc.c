/* SPDX-License-Identifier: MIT */
/*
 * libc.c - libc's own functions, from its symbol table
 *
 * The loader's list has libc before all objects that dlopen() adds, and that part of the
 * list never changes, so it is read without a lock. Calls nothing of libc except
 * functions that it has found. Bound: the names in one chain of libc's hash table.
 */
#include "libc.h"

#include <stddef.h>
#include <stdint.h>

#include "log.h"

#define LIBC_SONAME "libc.so.6"
#define LIBC_HIDDEN 0x8000 /* in a version number: not the default one */

struct libc_table {
	uintptr_t base, end;
	const ElfW(Sym) * symbols;
	const char *names;
	const uint16_t *versions;
	const uint32_t *hash; /* DT_GNU_HASH */
};

/* By hand: libc's may be a function that is not there yet. */
static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The loader has added the base already, but not everywhere and not to every table. */
static const void *table_at(const struct link_map *m, uintptr_t at)
{
	return (const void *)(at < m->l_addr ? at + m->l_addr : at);
}

static const void *entry_of(const struct link_map *m, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *d = m->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return table_at(m, d->d_un.d_ptr);
	return NULL;
}

static const char *soname_of(const struct link_map *m)
{
	const char *names = entry_of(m, DT_STRTAB);

	for (const ElfW(Dyn) *d = m->l_ld; names && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_SONAME)
			return names + d->d_un.d_val;
	return "";
}

/* One piece of address space, as the loader maps it. */
static uintptr_t end_of(uintptr_t base)
{
	const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)base;
	const ElfW(Phdr) *ph = (const ElfW(Phdr) *)(base + e->e_phoff);
	uintptr_t end = base;

	for (int i = 0; i < e->e_phnum; i++, ph++)
		if (ph->p_type == PT_LOAD && base + ph->p_vaddr + ph->p_memsz > end)
			end = base + ph->p_vaddr + ph->p_memsz;
	return end;
}

static const struct libc_table *libc_table(void)
{
	static struct libc_table table; /* racing threads write the same */
	const struct link_map *m = _r_debug.r_map;

	/* acquire: pairs with the release below */
	if (__atomic_load_n(&table.base, __ATOMIC_ACQUIRE))
		return &table;
	while (m && !same(soname_of(m), LIBC_SONAME))
		m = m->l_next;
	if (!m)
		return NULL;
	table.symbols = entry_of(m, DT_SYMTAB);
	table.names = entry_of(m, DT_STRTAB);
	table.versions = entry_of(m, DT_VERSYM);
	table.hash = entry_of(m, DT_GNU_HASH);
	table.end = end_of(m->l_addr);
	if (!table.symbols || !table.names || !table.hash)
		return NULL;
	__atomic_store_n(&table.base, m->l_addr, __ATOMIC_RELEASE);
	return &table;
}

static uint32_t hash_of(const char *name)
{
	uint32_t h = 5381;

	while (*name)
		h = h * 33 + (unsigned char)*name++;
	return h;
}

static void *address_of(const struct libc_table *t, const ElfW(Sym) * s)
{
	uintptr_t at = t->base + s->st_value;

	/* its resolver says which one fits this processor; in libc it only looks at a
	 * table that the loader has filled */
	if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC)
		return ((void *(*)(void))at)();
	return (void *)at;
}

/* In the hash table: buckets after the filter, then the chains, each ending with a 1 bit.
 */
static const ElfW(Sym) * symbol_of(const struct libc_table *t, const char *name)
{
	uint32_t nbucket = t->hash[0], first = t->hash[1], nfilter = t->hash[2];
	const uint32_t *bucket = t->hash + 4 + nfilter * (sizeof(ElfW(Addr)) / 4);
	const uint32_t *chain = bucket + nbucket, h = hash_of(name);
	uint32_t i = bucket[h % nbucket];

	for (; i >= first; i++) {
		const ElfW(Sym) *s = &t->symbols[i];

		if ((chain[i - first] | 1) == (h | 1) && s->st_shndx != SHN_UNDEF &&
			!(t->versions && t->versions[i] & LIBC_HIDDEN) &&
			same(t->names + s->st_name, name))
			return s;
		if (chain[i - first] & 1)
			break;
	}
	return NULL;
}

void *libc_find(const char *name)
{
	const struct libc_table *t = libc_table();
	const ElfW(Sym) *s = t ? symbol_of(t, name) : NULL;

	return s ? address_of(t, s) : NULL;
}

void *libc_function(const char *name)
{
	void *fn = libc_find(name);

	if (!fn)
		log_misuse("cannot find %s in %s", name, LIBC_SONAME);
	return fn;
}

bool libc_holds(const void *at)
{
	const struct libc_table *t = libc_table();

	return t && (uintptr_t)at - t->base < t->end - t->base;
}
