/* SPDX-License-Identifier: MIT */
/*
 * audit_report.h - an audit as the tool has it: files of the audited processes, what was
 * seen meanwhile, names of addresses; and the forms it is printed in
 */
#ifndef AUDIT_REPORT_H
#define AUDIT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/model/audit_file.h"
#include "policy/system/stats_read.h"

enum { AUDIT_PROCESSES = 256, AUDIT_SAMPLES = 4096, AUDIT_NAMES = 8 };

/* Figures at one moment of the run. */
struct audit_sample {
	double at; /* seconds since the process was seen to start */
	uint64_t allocations, frees, live;
};

/* What /proc said of a thread the last time. */
struct audit_seen {
	uint32_t tid; /* as we see it; 0: not known */
	char name[16];
	uint64_t minor, major;
	uint64_t minor_first, major_first;
	bool faults; /* they were read */
};

struct audit_process {
	char file_name[64]; /* in the directory */
	uint32_t pid;	    /* as we see it; 0: it had ended before it was seen */
	bool joined;	    /* it ran before; faults are counted from our first look */
	struct audit_file *file;       /* our copy, of the last look */
	int fd;			       /* of the file; -1: it stands still */
	struct audit_objects *objects; /* of a process that was joined, or NULL */
	struct audit_seen seen[AUDIT_THREADS];
	struct audit_sample *sample;
	int nsample, skip; /* every 2^skip-th moment is kept */
	unsigned moments, looks;
	double seconds;	     /* how long it was followed */
	double ticks_per_us; /* of the time stamp counter */
	struct {
		uint32_t tid, ours; /* ours: as we see it */
		char name[16];
	} freer[AUDIT_THREADS]; /* threads that freed others' blocks, as far as known */
	int nfreer;
	int order[AUDIT_STACKS]; /* its stacks, most calls first */
	int nstack;
	struct audit_symbols *symbols;
};

struct audit_report {
	char dir[64];
	struct audit_process *process[AUDIT_PROCESSES];
	int nprocess;
	int seen;     /* processes in all, also those that ended with nothing to say */
	int left_out; /* at the last look: processes that found no room */
};

/* The audit of a process that runs. */
struct audit_join {
	struct stats_page page; /* held with flock() */
	uint64_t number;	/* of the audit, to the library */
	double heard,
		beaten; /* when it published last; when it was last asked to go on */
	uint64_t published;
};
/*
 * audit_join.c: begins one, and adds the process to r. An exit code; what is wrong is
 * said in one line. Waits at most 8 s.
 */
int audit_join(struct audit_join *j, struct audit_report *r, pid_t pid, bool every);
/* At least once a second: asks it to go on. False: the process has ended, or has become
 * another program. */
bool audit_join_goes_on(struct audit_join *j);
/* The process goes on without it, and its figures stand still: at most a second. */
void audit_join_end(struct audit_join *j);

/*
 * audit_copy.c: a file that a process writes is copied, never mapped: it may shrink.
 * Counts in the copy are bounded and strings end. NULL, false: it is none, or not of this
 * version; the copy is then what it was. stacks: not only what the threads have done.
 */
struct audit_file *audit_copy(int fd);
bool audit_copy_again(int fd, struct audit_file *copy, bool stacks);
/* Adds it to r, with its descriptor; false: no room. */
bool audit_add(struct audit_report *r, const char *name, uint32_t pid,
	struct audit_file *f, int fd);

/*
 * audit_objects.c: the object files of a process that runs, as the kernel knows them:
 * what a path leads to here may be another file there, or none at all.
 */
struct audit_objects *audit_objects_open(pid_t pid);
void audit_objects_close(struct audit_objects *o);
/* Looks for those of f that were not there at the last look. */
void audit_objects_look(struct audit_objects *o, const struct audit_file *f);
/* A descriptor of module i, which is the caller's from now on; -1: not known. */
int audit_objects_take(struct audit_objects *o, uint32_t i);
/* Does the process belong to another user? */
bool audit_objects_foreign(const struct audit_objects *o);
/* How many threads it has; never more than AUDIT_THREADS. */
uint32_t audit_threads(const struct audit_file *f);
double audit_now(void);

/* audit_load.c: looks at the directory, if there is one, and at /proc; called at
 * intervals and at the end.
 */
void audit_look(struct audit_report *r);
/* What audit_finish() has opened. */
void audit_process_close(struct audit_process *p);
/* Does one of them run that has an audited thread? */
bool audit_goes_on(const struct audit_report *r);
/* Orders and names what was collected; how many threads there are. Processes without one
 * are left out. */
int audit_finish(struct audit_report *r);
/* How many allocations so far, in how many threads. */
uint64_t audit_progress(const struct audit_report *r, int *threads);
/* audit_dir.c: a directory for the files, which goes when this program ends, also by a
 * signal. False: it could not be made, which was said. */
bool audit_directory(struct audit_report *r);
/* Removes it with its files. */
void audit_remove(struct audit_report *r);

/* audit_names.c: an address is one function, or several when some were inlined. */
struct audit_name {
	const char
		*function; /* never NULL; "0x…" below an object when it has no symbol */
	const char *object; /* basename */
	const char *file;   /* source, or NULL */
	int line;
};
struct audit_symbols *audit_symbols_open(const struct audit_process *p);
void audit_symbols_close(struct audit_symbols *s);
/* Fills at most AUDIT_NAMES, innermost first; returns how many, at least one. */
int audit_names_of(struct audit_symbols *s, uint64_t ret, struct audit_name *out);

/* Numbers of a process and of its thread i, as we see them where that is known. */
uint32_t audit_pid(const struct audit_process *p);
uint32_t audit_tid(const struct audit_process *p, uint32_t i);
/* Thread i of a process: its last known name, "-" without one. */
const char *audit_thread_name(const struct audit_process *p, int i);
/* Of a thread that freed blocks of another: its last known name, "-" without one. */
const char *audit_freer_name(const struct audit_process *p, uint32_t tid);
/* Its number, as we see it where that is known. */
uint32_t audit_freer_tid(const struct audit_process *p, uint32_t tid);
/* Where it did, NULL: not known. */
const struct audit_stack *audit_freer_stack(
	const struct audit_process *p, const struct audit_stack *s);
/* "FIFO 60", "OTHER" */
const char *audit_class(const struct audit_thread *t, char buf[32]);
double audit_us(const struct audit_process *p, uint64_t ticks);

/* The forms. */
void audit_text(const struct audit_report *r, FILE *to);
void audit_json(const struct audit_report *r, FILE *to);
void audit_html(const struct audit_report *r, FILE *to);
void audit_suggest(const struct audit_report *r, FILE *to);

#endif
