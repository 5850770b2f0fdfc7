// SPDX-License-Identifier: MIT
/*
 * site_modules.c - the list of compiled modules follows the loader
 *
 * dl_iterate_phdr(3) is only used to copy names, headers and build-ids; files are read
 * after it has returned, so the loader is never kept waiting. _dl_find_object(3) gives
 * the identity by which site_resolve.c recognises a module.
 *
 * A new list replaces the old one by one store. What the old list alone held is freed
 * when no resolve is under way (site_active), now or at a later call.
 *
 * Never on the realtime path; all of it under the site lock (site.c).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>

#include "os/base.h"
#include "os/loader.h"
#include "os/log.h"
#include "os/program.h"
#include "os/sys.h"
#include "site_private.h"

struct retired {
	struct retired *next;
	struct site_modules *list;
	struct site_module *module;
};

static struct retired *retired;
/* Objects the loader had added and removed when we last looked. */
static unsigned long long loader_changes;

static char *copy_string(const char *s)
{
	size_t n = __builtin_strlen(s) + 1;
	char *p = je_malloc(n);

	return p ? __builtin_memcpy(p, s, n) : NULL;
}

static void module_free(struct site_module *m)
{
	if (!m)
		return;
	je_free(m->name);
	je_free(m->path);
	je_free(m->phdr);
	je_free(m->interval);
	je_free(m);
}

/* --- what is loaded ------------------------------------------------------ */

static void read_build_id(struct site_module *m, const ElfW(Phdr) * ph)
{
	const unsigned char *p = (const unsigned char *)(m->base + ph->p_vaddr);
	size_t left = ph->p_memsz;

	while (left >= 12) {
		const ElfW(Nhdr) *n = (const void *)p;
		size_t name = (n->n_namesz + 3ul) & ~3ul,
		       desc = (n->n_descsz + 3ul) & ~3ul;

		if (name > left - 12 || desc > left - 12 - name)
			return;
		if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 &&
			n->n_descsz <= SITE_BUILD_ID_MAX) {
			m->build_id_len = (uint8_t)n->n_descsz;
			__builtin_memcpy(m->build_id, p + 12 + name, n->n_descsz);
			return;
		}
		p += 12 + name + desc;
		left -= 12 + name + desc;
	}
}

/* The readable range around the unwind tables. */
static void find_cfi(struct site_module *m)
{
	uintptr_t hdr = (uintptr_t)m->eh_frame;

	for (unsigned i = 0; i < m->nphdr; i++) {
		uintptr_t lo = m->base + m->phdr[i].p_vaddr;

		if (m->phdr[i].p_type == PT_LOAD && (m->phdr[i].p_flags & PF_R) &&
			hdr - lo < m->phdr[i].p_filesz) {
			m->cfi.hdr = (const uint8_t *)hdr;
			m->cfi.lo = (const uint8_t *)lo;
			m->cfi.hi = m->cfi.lo + m->phdr[i].p_filesz;
		}
	}
}

struct found {
	struct site_module **v;
	uint32_t n, room;
	bool early; /* an object is listed but not yet found by its addresses */
};

static struct site_module *record(
	const struct dl_phdr_info *info, const struct dl_find_object *o)
{
	struct site_module *m = je_calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->lo = (uintptr_t)o->dlfo_map_start;
	m->hi = (uintptr_t)o->dlfo_map_end;
	m->map = o->dlfo_link_map;
	m->eh_frame = o->dlfo_eh_frame;
	m->base = info->dlpi_addr;
	m->nphdr = info->dlpi_phnum;
	m->name = copy_string(o->dlfo_link_map->l_name);
	m->phdr = je_malloc(m->nphdr * sizeof *m->phdr);
	if (!m->name || !m->phdr || m->hi - m->lo > UINT32_MAX) {
		module_free(m);
		return NULL;
	}
	__builtin_memcpy(m->phdr, info->dlpi_phdr, m->nphdr * sizeof *m->phdr);
	for (unsigned i = 0; i < m->nphdr; i++) {
		if (m->phdr[i].p_type == PT_NOTE && !m->build_id_len)
			read_build_id(m, &m->phdr[i]);
	}
	find_cfi(m);
	return m;
}

static bool add(struct found *f, struct site_module *m)
{
	if (m && f->n == f->room) {
		uint32_t room = f->room ? 2 * f->room : 64;
		void *p = je_realloc(f->v, room * sizeof *f->v);

		if (!p) {
			module_free(m);
			return false;
		}
		f->v = p;
		f->room = room;
	}
	if (m)
		f->v[f->n++] = m;
	return m;
}

/* For dl_iterate_phdr(3): the loader's lock is held, objects cannot go away. An object
 * with holes between its segments is several ranges to _dl_find_object(3), and to us. */
static int collect(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct found *f = arg;
	uintptr_t done = 0;

	loader_changes = info->dlpi_adds + info->dlpi_subs;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t code = info->dlpi_addr + ph->p_vaddr;
		struct dl_find_object o;

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X) || code < done)
			continue;
		if (_dl_find_object((void *)code, &o) != 0) {
			f->early = true;
			continue;
		}
		done = (uintptr_t)o.dlfo_map_end;
		if (!add(f, record(info, &o)))
			f->early = true;
	}
	return 0;
}

/* --- what is compiled ---------------------------------------------------- */

static bool same(const struct site_module *a, const struct site_module *b)
{
	return a->lo == b->lo && a->hi == b->hi && a->base == b->base &&
	       a->map == b->map && a->eh_frame == b->eh_frame &&
	       a->build_id_len == b->build_id_len &&
	       !__builtin_memcmp(a->build_id, b->build_id, a->build_id_len) &&
	       !__builtin_strcmp(a->name, b->name);
}

/* The file's full path: the loader's name may be relative, the program's is empty. */
static bool resolve_path(struct site_module *m)
{
	char buf[2 * PATH_MAX];
	long n;

	if (m->name[0]) {
		/* no slash: not a file (the vdso) */
		n = m->name[0] != '/' && __builtin_strchr(m->name, '/') &&
				    !sys_restricted()
			    ? sys_call3(SYS_getcwd, (long)buf, PATH_MAX, 0)
			    : 0;
		buf[n > 0 ? n - 1 : 0] = '\0';
		log_format(buf + (n > 0 ? n - 1 : 0), PATH_MAX, n > 0 ? "/%s" : "%s",
			m->name);
		m->path = copy_string(buf);
		return m->path;
	}
	if (sys_restricted() || !program_name(buf, PATH_MAX))
		buf[0] = '\0';
	m->path = copy_string(buf);
	return m->path;
}

static void sort_by_address(struct found *f)
{
	for (uint32_t i = 1; i < f->n; i++) {
		struct site_module *m = f->v[i];
		uint32_t at = i;

		for (; at > 0 && f->v[at - 1]->lo > m->lo; at--)
			f->v[at] = f->v[at - 1];
		f->v[at] = m;
	}
}

static const struct site_module *find_same(
	const struct site_modules *l, const struct site_module *m)
{
	const struct site_module *at = l ? site_module_at(l, m->lo) : NULL;

	return at && same(at, m) ? at : NULL;
}

/* Compiles m; false (and m is freed) when it cannot be. */
static bool compile(
	struct site_compiled *w, const struct match_process *p, struct site_module *m)
{
	if (resolve_path(m))
		site_compile(w, p, m);
	if (m->ninterval > 0)
		return true;
	module_free(m);
	return false;
}

static struct site_modules *list_of(const struct found *f, uint32_t n)
{
	struct site_modules *l = je_malloc(sizeof *l + n * sizeof *l->module);

	if (l) {
		l->n = n;
		__builtin_memcpy(l->module, f->v, n * sizeof *l->module);
	}
	return l;
}

/* --- going away ---------------------------------------------------------- */

static void retire(struct site_modules *l, struct site_module *m)
{
	struct retired *r = je_malloc(sizeof *r);

	if (!r)
		return; /* leaked rather than freed under a reader */
	*r = (struct retired){retired, l, m};
	retired = r;
}

void site_modules_reap(void)
{
	/* seq_cst: who was not counted yet will load the new list (site_resolve) */
	if (__atomic_load_n(&site_active, __ATOMIC_SEQ_CST) != 0)
		return;
	while (retired) {
		struct retired *r = retired;

		retired = r->next;
		je_free(r->list);
		module_free(r->module);
		je_free(r);
	}
}

static bool listed(const struct site_modules *l, const struct site_module *m)
{
	return l && site_module_at(l, m->lo) == m;
}

/* now replaces old: what only old had is forgotten, then retired. */
static void replace(
	struct site_compiled *w, struct site_modules *old, struct site_modules *now)
{
	/* seq_cst: the new list, then the generation, then the table (site_table_put) */
	__atomic_store_n(&w->modules, now, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&site_generation, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; old && i < old->n; i++) {
		if (listed(now, old->module[i]))
			continue;
		site_table_forget(w, old->module[i]->lo, old->module[i]->hi);
		retire(NULL, old->module[i]);
	}
	if (old)
		retire(old, NULL);
	site_modules_reap();
}

/* --- the two ways in ----------------------------------------------------- */

void site_modules_refresh(struct site_compiled *w, const struct match_process *p)
{
	struct site_modules *old = w->modules, *now;
	struct found f = {0};
	uint32_t n = 0;
	bool changed = false;

	loader_each(collect, &f);
	if (f.early)
		loader_changes = 0; /* its dlopen is still under way: look again */
	sort_by_address(&f);
	for (uint32_t i = 0; i < f.n; i++) {
		const struct site_module *known = find_same(old, f.v[i]);

		if (known) {
			module_free(f.v[i]);
			f.v[n++] = (struct site_module *)known;
			continue;
		}
		changed = true;
		f.v[i]->dynamic = old != NULL;
		if (compile(w, p, f.v[i]))
			f.v[n++] = f.v[i];
		sys_breathe();
	}
	site_elf_forget();
	changed |= !old || n != old->n;
	now = changed ? list_of(&f, n) : NULL;
	if (now)
		replace(w, old, now);
	je_free(f.v);
}

bool site_modules_first(struct site_compiled *w, const struct match_process *p,
	const struct site_compiled *old)
{
	site_modules_refresh(w, p);
	if (!w->modules)
		return false;
	for (uint32_t i = 0; old && i < w->modules->n; i++) {
		struct site_module *m = w->modules->module[i];
		const struct site_module *was = find_same(old->modules, m);

		m->dynamic = !was || was->dynamic;
	}
	return true;
}

void site_modules_drop(struct site_compiled *w)
{
	struct site_modules *l = w->modules;

	for (uint32_t i = 0; l && i < l->n; i++)
		retire(NULL, l->module[i]);
	if (l)
		retire(l, NULL);
	site_modules_reap();
}

/* For dl_iterate_phdr(3): only the counters, from the first object. */
static int count(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned long long *changes = arg;

	*changes = info->dlpi_adds + info->dlpi_subs;
	return 1;
}

bool site_modules_stale(void)
{
	unsigned long long changes = 0;

	/* Nothing cheaper is exact: an object that replaces another at its address can
	 * have the same link map, too. Waits for other threads' dl_iterate_phdr
	 * callbacks. */
	loader_each(count, &changes);
	return changes != loader_changes;
}
