// SPDX-License-Identifier: MIT
/*
 * site_name.c - "libfoo.so!bar" of an address, for messages
 *
 * Reads the object's symbols each time. Never on the realtime path.
 */
#include "os/log.h"
#include "site_lock.h"
#include "site_private.h"

struct wanted {
	uint64_t value; /* the address as the file counts it */
	uint64_t best;	/* start of the nearest function at or below it */
	char name[128];
};

static void consider(void *arg, const char *name, uint64_t start, uint64_t size)
{
	struct wanted *w = arg;

	if (start > w->value || (size > 0 && w->value - start >= size) ||
		(w->name[0] && start <= w->best))
		return;
	w->best = start;
	log_format(w->name, sizeof w->name, "%s", name);
}

static const char *last_part(const char *path)
{
	const char *name = path;

	for (; *path; path++) {
		if (*path == '/')
			name = path + 1;
	}
	return name;
}

const char *site_name(uintptr_t addr, char *buf, unsigned len)
{
	struct wanted w = {0};
	const struct site_module *m;

	site_lock();
	m = site_world ? site_module_at(site_world->modules, addr) : NULL;
	if (m) {
		w.value = addr - m->base;
		site_elf_symbols(m, consider, &w);
		site_elf_forget();
	}
	if (!m)
		log_format(buf, len, "0x%lx", (unsigned long)addr);
	else if (w.name[0])
		log_format(buf, len, "%s!%s", last_part(m->path), w.name);
	else
		log_format(buf, len, "%s+0x%lx", last_part(m->path),
			(unsigned long)(addr - m->base));
	site_unlock();
	return buf;
}
