/* SPDX-License-Identifier: MIT */
/*
 * audit.h - writing down who allocates what, for rtmem audit
 *
 * Nothing of this runs unless the environment asks for it. Memory is mapped, touched and,
 * as far as the limit allows, locked before the first thread is audited.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "../policy/audit_file.h"
#include "site.h"

/*
 * NULL: no audit. Atomic: set with release when the file is complete, by whoever begins
 * one; the memory stays when it ends, so who has loaded it may go on. Cleared in children
 * of fork.
 */
extern struct audit_file *audit_page;

/* Realtime: yes. acquire: pairs with the release of whoever began it. */
static inline struct audit_file *audit_going(void)
{
	return __atomic_load_n(&audit_page, __ATOMIC_ACQUIRE);
}

/* At start. True when this process is to be audited. Not realtime. */
bool audit_start(const char *program);
/*
 * audit_attach.c, helper only: a file in memory for an audit of a process that runs, made
 * and touched, not yet audit_page; NULL and *error otherwise. It is only in the helper's
 * descriptor table, and goes when it is dropped, with what nobody else has open.
 */
struct audit_file *audit_attach_make(bool every, int *error);
void audit_attach_drop(void);
void audit_attach_child(void);
/* The figures of a new file begin here. */
void audit_begin_file(struct audit_file *a, const char *program, bool every);
/* Of pages the kernel may still have to make: atomic, the tables may be in use. */
void audit_touch(struct audit_file *a);
/* Shall a thread of this class be audited, whatever the rules? */
bool audit_wants(int sched);
/* The number of a thread, given at its first call; AUDIT_NOBODY without room or audit. */
uint32_t audit_thread(uint32_t tid, const char *name, int sched, int priority);
/* In the child of a fork: what it does is not written down. */
void audit_child(void);

struct audit_call {
	uint64_t start, ticks; /* time stamp counter at the call; how long it took */
	uint32_t system_calls, lock_calls;
};

/* p NULL is not counted. Realtime: yes, all three. Bound: AUDIT_FRAMES frames and fixed
 * numbers of probes. */
void audit_alloc(uint32_t thread, void *p, size_t size, const struct audit_call *call,
	const struct site_frame *f);
/* Whoever frees: the number of the thread, which may be AUDIT_NOBODY, and from where. */
struct audit_freer {
	uint32_t thread, tid;
	const struct site_frame *frame;
};
/* Before p is freed. */
void audit_forget(const struct audit_freer *who, const void *p, uint64_t now);
/* After it. */
void audit_freed(uint32_t thread, const struct audit_call *call);

#endif
