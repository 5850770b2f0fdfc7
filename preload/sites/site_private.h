/* SPDX-License-Identifier: MIT */
/*
 * site_private.h - between the files of site*: modules, the table, walks
 *
 * A module record is immutable once published and freed only when no resolve is under way
 * (site_active). Order: list published, then generation bumped, then table cleared; a
 * resolve that began under the old generation takes its own entry back (site_table_put).
 */
#ifndef SITE_PRIVATE_H
#define SITE_PRIVATE_H

#include <link.h>

#include "os/mutex.h"
#include "site.h"
#include "site_cfi.h"
#include "site_inline.h"

struct site_walked; /* site_thread.h */

/* Code from start (an offset from the module's lo) up to the next interval's start. */
struct site_interval {
	uint32_t start;
	uint32_t verdict; /* low bits of a value: class, SITE_TRANSPARENT, SITE_KNOWN */
};

#define SITE_BUILD_ID_MAX 32

struct site_module {
	/* who it is, as _dl_find_object(3) describes it */
	uintptr_t lo, hi;
	const struct link_map *map;
	const void *eh_frame;
	char *name; /* the loader's; "" for the program */
	/* and as its file does */
	char *path;
	uintptr_t base;
	ElfW(Phdr) * phdr;
	uint16_t nphdr;
	uint8_t build_id_len;
	uint8_t build_id[SITE_BUILD_ID_MAX];

	bool walked;  /* a walk may pass it: recipes are wanted, unwind data is in memory
		       */
	bool dynamic; /* was not there at the start: may be unloaded */
	struct site_cfi cfi;
	struct site_interval *interval;
	uint32_t ninterval; /* >= 1; interval[0].start is 0 */
};

struct site_modules {
	uint32_t n;
	struct site_module *module[]; /* by lo */
};

/* A walk may pass every module; set once, before the first is compiled. */
extern bool site_every;
extern struct mutex site_mutex; /* held while modules are read and compiled */
/* Bumped (seq_cst) whenever something remembered may have become wrong. */
extern __attribute__((visibility("hidden"))) uint64_t site_generation;
/* dlcloses under way: entries of dynamic modules are not remembered meanwhile. */
extern uint32_t site_closing;
/* Resolves under way: module records are not freed meanwhile. */
extern uint32_t site_active;

/* site_table.c - Realtime: yes, but for the last two. */
uint64_t site_table_get(const struct site_compiled *w, uintptr_t ret);
void site_table_put(
	struct site_compiled *w, uintptr_t ret, uint64_t value, uint64_t generation);
/* Forgets the entries in [lo, hi), after site_generation was bumped. */
void site_table_forget(struct site_compiled *w, uintptr_t lo, uintptr_t hi);
/* Copies what is alive into a fresh set when many keys are dead; else returns w. */
bool site_table_crowded(const struct site_compiled *w, uint32_t *alive);

/* site_resolve.c - Realtime: yes. The value for ret; 0 when it cannot be told yet. */
uint64_t site_resolve(struct site_compiled *w, uintptr_t ret);
/* An address whose module nobody has compiled; site_poll() takes them. */
uintptr_t site_pending_take(void);
/* The record of a module as it is loaded now, or NULL. */
const struct site_module *site_module_at(const struct site_modules *l, uintptr_t addr);

/* site_walk.c - Realtime: yes. *e: the entry that remembers it; left alone when none
 * does. */
uint64_t site_walk(struct site_compiled *w, const struct site_frame *f, uint64_t want,
	struct site_walked **e);
/* The same from what the thread remembers; NULL when it has to be walked. */
struct site_walked *site_walk_remembered(
	const struct site_frame *f, uint64_t want, uint64_t *holds);

/* site_compiled.c - off the realtime path. */
struct site_compiled *site_compiled_new(const struct match_process *m);
struct site_compiled *site_compiled_renew(const struct site_compiled *old);
/* w is no longer site_compiled: another one may be made of its memory, not at once. */
void site_compiled_give(struct site_compiled *w);
uint16_t site_class_of(
	struct site_compiled *w, uint64_t plus, uint64_t minus, bool transparent);

/* site_compile.c - off the realtime path. */
void site_compile(
	struct site_compiled *w, const struct match_process *m, struct site_module *mod);

/* site_modules.c - off the realtime path, under the site lock. */
/* Compares the loaded modules with the compiled ones; compiles, publishes, forgets. */
void site_modules_refresh(struct site_compiled *w, const struct match_process *m);
/* the first list of a compiled set; what was dynamic in the old one still is. */
bool site_modules_first(struct site_compiled *w, const struct match_process *m,
	const struct site_compiled *old);
/* Has the loader added or removed an object since the last refresh? */
bool site_modules_stale(void);
/* A compiled set that is no longer site_compiled: its records are freed. */
void site_modules_drop(struct site_compiled *w);
/* Frees records nobody can be reading any more. */
void site_modules_reap(void);

/* site_elf.c - off the realtime path. Calls fn for each function; false: no symbols. */
typedef void site_symbol_fn(void *arg, const char *name, uint64_t start, uint64_t size);
bool site_elf_symbols(const struct site_module *m, site_symbol_fn *fn, void *arg);
/* The symbols that the next module of the same object would find are no longer kept:
 * before the site lock is given back. */
void site_elf_forget(void);

#endif
