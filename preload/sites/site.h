/* SPDX-License-Identifier: MIT */
/*
 * site.h - which call-site rules hold where malloc was called from
 *
 * Realtime side (site_match): a lock-free table from return address to what is known
 * about it; a new address is resolved in bounded time from tables compiled per module off
 * the realtime path, using _dl_find_object(3) to name the module. No lock, no malloc, no
 * system call, never libunwind. Slow side: compiles modules (names of .symtab, build-id
 * debug file, .dynsym to address intervals, unwind recipes from .eh_frame), follows
 * dlopen and dlclose.
 */
#ifndef SITE_H
#define SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/model/match.h"

/* Registers of the function that called malloc, as they were at the call. */
struct site_frame {
	uintptr_t ret; /* return address into the caller */
	uintptr_t cfa; /* stack pointer just before the call instruction pushed ret */
	uintptr_t rbp;
	uintptr_t rbx;
};

/*
 * The caller's frame: use in the function the program called (or that was jumped to from
 * there), never deeper.
 */
#define SITE_FRAME(f)                                                  \
	struct site_frame f = {                                        \
		.ret = (uintptr_t)__builtin_return_address(0),         \
		.cfa = (uintptr_t)__builtin_frame_address(0) + 16,     \
		.rbp = *(const uintptr_t *)__builtin_frame_address(0), \
	}

/*
 * Before any thread is matched, and before the rules of another policy that asks for call
 * sites are followed: m is copied, its rules stay until site_edit_rules() takes them out.
 * Compiles all loaded modules.
 * Returns the mask of rules that have a callsite condition; 0 when there was no memory:
 * then all is as before.
 */
uint64_t site_init(const struct match_process *m);

/* fn changes, under the site lock, the rules that call sites are compiled for. */
void site_edit_rules(void (*fn)(struct match_process *, const struct match_process *),
	const struct match_process *m);

/* Before site_init(): stacks are walked through every module, even if no rule asks. */
void site_walk_everything(void);

/*
 * Realtime: yes. Threads: any. The subset of `want` whose callsite condition holds for
 * this stack. Walks at most the largest depth among `want` (rules with depth 1 need no
 * walk).
 */
uint64_t site_match(const struct site_frame *f, uint64_t want);

/*
 * The calling thread's stack, [lo, hi): walks read nothing outside it. A thread that
 * never says so, or that is on another stack, gets its immediate caller looked at, no
 * more.
 */
void site_thread_bounds(uintptr_t lo, uintptr_t hi);
/* The same, found out: main thread or pthread. Not on the realtime path. */
void site_thread_here(void);
/* Before a thread ends or its slot is reused: its cache goes to another. */
void site_thread_gone(void);

/*
 * Realtime: yes. The return addresses above a frame, nearest first, f->ret itself
 * included; returns how many, at most max and 64. Complete in modules that a rule's depth
 * makes worth walking; it ends early where there is no unwind data.
 */
unsigned site_stack(const struct site_frame *f, uintptr_t *ret, unsigned max);

/* In the child of a fork, before anything else here is called. */
void site_child(void);

/* Called around the real dlopen/dlclose, off the realtime path. */
void site_modules_changed(void);	/* after dlopen: compile what is new */
void site_module_closing(void *handle); /* before dlclose */
void site_module_closed(void);		/* after dlclose: tombstones, next generation */

/* Helper thread: notice modules that came or went without us (dlpi_adds, dlpi_subs). */
void site_poll(void);

#endif
