/* SPDX-License-Identifier: MIT */
/*
 * image_own.c - the library's own code and data, as far as the realtime path uses them
 *
 * A pool in RAM helps little if the code that serves it was paged out: under memory
 * pressure a malloc would then read the library back from disk. Locked are our text
 * (jemalloc's is linked behind it and left alone) and the initialised data; about 350
 * KiB.
 */
#include "image.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/base.h"
#include "os/loader.h"
#include "os/sys.h"
#include "area.h"

/* The part of a segment to lock: code up to where jemalloc's begins, data that is in the
 * file, nothing of the rest. */
static size_t own_part(const ElfW(Phdr) * s, uintptr_t start)
{
	uintptr_t theirs = (uintptr_t)je_malloc;

	if (s->p_flags & PF_X)
		return theirs - start < s->p_memsz ? theirs - start : s->p_memsz;
	return s->p_flags & PF_W ? s->p_filesz : 0;
}

static bool own_object(const struct dl_phdr_info *o)
{
	uintptr_t here = (uintptr_t)image_lock_library;

	for (int i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &o->dlpi_phdr[i];

		if (s->p_type == PT_LOAD &&
			here - (o->dlpi_addr + s->p_vaddr) < s->p_memsz)
			return true;
	}
	return false;
}

static int own_lock(struct dl_phdr_info *o, size_t size, void *arg)
{
	if (!own_object(o))
		return 0;
	for (int i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &o->dlpi_phdr[i];
		uintptr_t start = o->dlpi_addr + s->p_vaddr;
		size_t len = s->p_type == PT_LOAD ? own_part(s, start) : 0;

		if (len)
			area_lock_foreign((void *)start, len);
	}
	return 1;
}

void image_lock_library(void)
{
	static pid_t
		locked; /* atomic, relaxed: the process that did; a child has no locks */
	pid_t me = sys_getpid();

	if (__atomic_exchange_n(&locked, me, __ATOMIC_RELAXED) != me)
		loader_each(own_lock, NULL);
}
