/* SPDX-License-Identifier: MIT */
/*
 * audit_names.c - from return addresses to functions and source lines (elfutils)
 *
 * Inlined frames and lines where there is debug information, else the symbol, else the
 * offset in the object. Each address is looked up once.
 */
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/model/printable.h"
#include "policy/system/gate.h"
#include "audit_report.h"

#define NAME_SHOWN 2048 /* bytes of a name */

struct audit_symbols {
	Dwfl *dwfl;
	const struct audit_file *file;
	void *known; /* tree of struct address */
};

struct address {
	uint64_t ret;
	int n;
	struct audit_name name[AUDIT_NAMES]; /* all of their strings are its own */
};

/* Strings that are made while an address is looked up. */
struct scratch {
	char offset[32];
	char *made[AUDIT_NAMES + 1];
	int n;
};

static char *debuginfo_path;
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};
/* Of another user's objects only what the system keeps by build-id: a name in them may
 * lead anywhere, to a pipe as well. */
static const Dwfl_Callbacks callbacks_foreign = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

static const char *path_of(const struct audit_file *f, const struct audit_module *m)
{
	return *m->path ? m->path : f->program;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of a process that ran before us only what it has mapped; else the path, as the program
 * that we started meant it. */
static int object_file(const struct audit_process *p, uint32_t i)
{
	if (p->joined)
		return audit_objects_take(p->objects, i);
	return gate_regular(AT_FDCWD, path_of(p->file, &p->file->module[i]), 0);
}

static void report_object(
	struct audit_symbols *s, const struct audit_process *p, uint32_t i)
{
	const struct audit_module *m = &p->file->module[i];
	const char *path = path_of(p->file, m);
	int fd = m->lo ? object_file(p, i) : -1;

	if (fd >= 0 &&
		!dwfl_report_elf(s->dwfl, base_name(path), path, fd, m->base, true))
		close(fd);
}

struct audit_symbols *audit_symbols_open(const struct audit_process *p)
{
	struct audit_symbols *s = calloc(1, sizeof(*s));
	bool foreign = p->joined && audit_objects_foreign(p->objects);

	if (!s)
		return NULL;
	s->file = p->file;
	s->dwfl = dwfl_begin(foreign ? &callbacks_foreign : &callbacks);
	if (!s->dwfl)
		return s;
	dwfl_report_begin(s->dwfl);
	for (uint32_t i = 0; i < p->file->nmodule && i < AUDIT_MODULES; i++)
		report_object(s, p, i);
	dwfl_report_end(s->dwfl, NULL, NULL);
	return s;
}

static void forget(void *address)
{
	struct address *a = address;

	for (int i = 0; i < a->n; i++) {
		free((char *)(uintptr_t)a->name[i].function);
		free((char *)(uintptr_t)a->name[i].object);
		free((char *)(uintptr_t)a->name[i].file);
	}
	free(a);
}

void audit_symbols_close(struct audit_symbols *s)
{
	if (!s)
		return;
	dwfl_end(s->dwfl);
	tdestroy(s->known, forget);
	free(s);
}

/* C++ names as people write them, when a C++ library is there to ask. */
static const char *readable(struct scratch *made, const char *name)
{
	typedef char *demangle_fn(const char *, char *, size_t *, int *);
	static demangle_fn *demangle;
	static bool looked;
	char *out;
	int status;

	if (!looked) {
		void *lib = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);

		looked = true;
		demangle = lib ? (demangle_fn *)dlsym(lib, "__cxa_demangle") : NULL;
	}
	if (!demangle || strncmp(name, "_Z", 2) || strlen(name) >= NAME_SHOWN ||
		made->n > AUDIT_NAMES)
		return name;
	out = demangle(name, NULL, NULL, &status);
	if (!out || status != 0)
		return name;
	return made->made[made->n++] = out;
}

static void object_of(const struct audit_file *f, uint64_t pc, struct audit_name *out,
	struct scratch *made)
{
	uint64_t offset = pc;

	out->object = "?";
	for (uint32_t i = 0; i < f->nmodule && i < AUDIT_MODULES; i++) {
		const struct audit_module *m = &f->module[i];

		if (pc < m->lo || pc >= m->hi)
			continue;
		out->object = base_name(path_of(f, m));
		offset = pc - m->base;
		break;
	}
	snprintf(made->offset, sizeof(made->offset), "0x%lx", (unsigned long)offset);
	out->function = made->offset;
}

static const char *die_name(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	const char *name =
		dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &a));

	return name ? name : dwarf_diename(die);
}

/* Where an inlined function was called from. */
static void call_site(Dwarf_Die *cu, Dwarf_Die *die, struct audit_name *out)
{
	Dwarf_Attribute a;
	Dwarf_Files *files;
	Dwarf_Word file = 0, line = 0;
	size_t n;

	out->file = NULL;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &a), &file) == 0 &&
		dwarf_getsrcfiles(cu, &files, &n) == 0)
		out->file = dwarf_filesrc(files, file, NULL, NULL);
	dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &a), &line);
	out->line = (int)line;
}

/* Innermost first: names[0] holds the object, the symbol and the line already. */
static int expand_inlined(
	Dwfl_Module *mod, uint64_t pc, struct audit_name *names, struct scratch *made)
{
	struct audit_name at = names[0];
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(mod, pc, &bias), *scope = NULL, *up = NULL;
	int n = 0, scopes = cu ? dwarf_getscopes(cu, pc - bias, &scope) : 0, ups = 0;

	/* from the scopes of the code to those of the function it was inlined from */
	if (scopes > 0)
		ups = dwarf_getscopes_die(&scope[0], &up);
	for (int i = 0; i < ups && n < AUDIT_NAMES; i++) {
		int tag = dwarf_tag(&up[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		if (die_name(&up[i]))
			at.function = readable(made, die_name(&up[i]));
		names[n++] = at;
		if (tag == DW_TAG_subprogram)
			break;
		call_site(cu, &up[i], &at);
	}
	free(scope);
	free(up);
	return n ? n : 1;
}

/* A name of an object file may be anything, and as long as the file. */
static const char *shown(const char *name)
{
	char text[NAME_SHOWN];

	if (!name)
		return NULL;
	printable(text, sizeof(text), name, sizeof(text));
	name = strdup(text);
	if (!name)
		abort();
	return name;
}

static void look_up(struct audit_symbols *s, struct address *a, struct scratch *made)
{
	uint64_t pc = a->ret - 1; /* in the call, not behind it */
	Dwfl_Module *mod = s->dwfl ? dwfl_addrmodule(s->dwfl, pc) : NULL;
	struct audit_name *first = &a->name[0];
	const char *symbol;
	Dwfl_Line *line;

	object_of(s->file, pc, first, made);
	a->n = 1;
	if (!mod)
		return;
	symbol = dwfl_module_addrname(mod, pc);
	if (symbol)
		first->function = readable(made, symbol);
	line = dwfl_module_getsrc(mod, pc);
	if (line)
		first->file = dwfl_lineinfo(line, NULL, &first->line, NULL, NULL, NULL);
	a->n = expand_inlined(mod, pc, a->name, made);
}

static void look_up_shown(struct audit_symbols *s, struct address *a)
{
	struct scratch made = {.n = 0};

	look_up(s, a, &made);
	for (int i = 0; i < a->n; i++) {
		a->name[i].function = shown(a->name[i].function);
		a->name[i].object = shown(a->name[i].object);
		a->name[i].file = shown(a->name[i].file);
	}
	while (made.n > 0)
		free(made.made[--made.n]);
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct address *)a)->ret;
	uint64_t y = ((const struct address *)b)->ret;

	return x < y ? -1 : x > y;
}

int audit_names_of(struct audit_symbols *s, uint64_t ret, struct audit_name *out)
{
	struct address *a = calloc(1, sizeof(*a)), **at;

	if (!s || !a) {
		out[0] = (struct audit_name){"?", "?", NULL, 0};
		free(a);
		return 1;
	}
	a->ret = ret;
	at = tsearch(a, &s->known, by_address);
	if (at && *at != a) {
		free(a);
		a = *at;
	} else {
		look_up_shown(s, a);
	}
	memcpy(out, a->name, sizeof(*out) * (size_t)a->n);
	return a->n;
}
