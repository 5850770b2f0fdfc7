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

#include "policy/model/audit_file.h"
#include "os/proc.h"
#include "memory/area.h"
#include "sites/site.h"

enum { AUDIT_LIVE = 32768 }; /* blocks followed at a time; a power of two */

struct audit_live {
	uint64_t block; /* 0: unused, 1: being written */
	uint64_t size, born;
	uint32_t stack, thread; /* stack: index + 1, 0: none */
};

/*
 * What an audit goes by: numbers, tables, which place is whose. It lies behind the file,
 * in memory that no other process can open; the file is for others, and any process of
 * this user may write into it.
 */
struct audit_book {
	uint32_t nthread, nmodule;
	bool every;
	uint32_t tid[AUDIT_THREADS];
	struct {
		uint64_t lo, base;
	} module[AUDIT_MODULES];
	uint64_t hash[AUDIT_STACKS]; /* of the stack in this place; 0: unused */
	struct audit_live live[AUDIT_LIVE];
};

#define AUDIT_PAGES(type) \
	((sizeof(type) + (size_t)AREA_PAGE - 1) & ~((size_t)AREA_PAGE - 1))
#define AUDIT_FILE_BYTES AUDIT_PAGES(struct audit_file)
#define AUDIT_BOOK_BYTES AUDIT_PAGES(struct audit_book)

/*
 * NULL: no audit. Atomic: the beginner of an audit sets it with release when the file is
 * complete. The memory stays when the audit ends, so a thread that has loaded it may go
 * on. Cleared in children of fork.
 */
extern struct audit_book *audit_page;

/* Realtime: yes. */
static inline struct audit_file *audit_file_of(struct audit_book *b)
{
	return (struct audit_file *)((char *)b - AUDIT_FILE_BYTES);
}

/* Realtime: yes. acquire: pairs with the release of its beginner. The file is shared
 * with a copy of the process (proc.h), which is not what is audited. */
static inline struct audit_book *audit_going(void)
{
	return proc_copied() ? NULL : __atomic_load_n(&audit_page, __ATOMIC_ACQUIRE);
}

/* At start. True when this process is to be audited. Not realtime. */
bool audit_start(const char *program);
/*
 * audit_attach.c, helper only: a file in memory for an audit of a process that runs, made
 * and touched, not yet audit_page; NULL and *error otherwise. It is only in the helper's
 * descriptor table, and goes when it is dropped, with what nobody else has open.
 */
struct audit_book *audit_attach_make(bool every, int *error);
void audit_attach_drop(void);
void audit_attach_child(void);
/* The figures of a new file begin here. */
void audit_begin_file(struct audit_book *b, const char *program, bool every);
/*
 * audit_memory.c: a place for a file and its book, at `at` or, NULL, anywhere; what is
 * written there is lost. NULL: no memory.
 */
struct audit_book *audit_memory(struct audit_book *at);
/* Maps the file there, and an empty book. A negative errno: there is only the place. */
int audit_memory_map(struct audit_book *b, int fd);
/* All of it is there before it is used. Negative errno: the file has no room. can_fill:
 * does this kernel say so, or would the first store end the program? */
bool audit_memory_can_fill(struct audit_book *b);
int audit_memory_fill(struct audit_book *b);
/* Shall a thread of this class be audited, even without a rule? */
bool audit_wants(int sched);
/* The number of a thread, given at its first call; AUDIT_NOBODY without room or audit. */
uint32_t audit_thread(uint32_t tid, const char *name, int sched, int priority);
/* In the child of a fork: what it does is not written down, until it gets a realtime
 * thread; of an audit of every thread, until it gets a second one. */
void audit_child(void);
/* Before a thread of this class is matched; first: the process has no other. Makes the
 * file of a child that is to have one. Not realtime. */
void audit_part(int sched, bool first);

struct audit_call {
	uint64_t start, ticks; /* time stamp counter at the call; how long it took */
	uint32_t system_calls, lock_calls;
};

/* p NULL is not counted. Realtime: yes, all three. Bound: AUDIT_FRAMES frames and fixed
 * numbers of probes. */
void audit_alloc(uint32_t thread, void *p, size_t size, const struct audit_call *call,
	const struct site_frame *f);
/* Who frees: the number of the thread, or AUDIT_NOBODY, and from where. */
struct audit_freer {
	uint32_t thread, tid;
	const struct site_frame *frame;
};
/* Before p is freed. */
void audit_forget(const struct audit_freer *who, const void *p, uint64_t now);
/* After it. */
void audit_freed(uint32_t thread, const struct audit_call *call);

#endif
