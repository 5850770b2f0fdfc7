/* SPDX-License-Identifier: MIT */
/*
 * policy.h - the model of a policy: what a person asked for, before anything is done
 * about it
 *
 * Shared by the preloaded library and by the tool. Pure data: nothing here locks, maps,
 * starts or prints anything. A policy is built once by policy_load() and read-only after.
 *
 * Never used on the realtime path: match.c condenses it into a struct match_candidates
 * there.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_NAME_MAX	    63	      /* longest name of a pool or rule, bytes */
#define POLICY_FILE_MAX	    (1 << 20) /* largest file that is read, bytes */
#define POLICY_ERRORS_MAX   1000      /* errors kept; the rest is one more line */
#define POLICY_SECTIONS_MAX 512	      /* of one kind, in all files */
#define POLICY_VALUES_MAX \
	8192 /* list items in all rules: what follows takes their square */
#define POLICY_RULES_MAX \
	64 /* rules that may apply to one program: a rule mask is 64 bits */
#define POLICY_REFUSED	     96	  /* bytes of a sentence */
#define POLICY_POOL_JEMALLOC (-1) /* pool = jemalloc: exempt */

/* Where a value was written. file NULL: built-in default. */
struct policy_origin {
	const char *file;
	int line;
};

enum policy_kind { POLICY_KIND_ALLOCATOR, POLICY_KIND_AUDIO, POLICY_KIND_VIDEO };
enum policy_lock { POLICY_LOCK_REQUIRE, POLICY_LOCK_TRY, POLICY_LOCK_NO };
enum policy_full { POLICY_FULL_JEMALLOC, POLICY_FULL_FAIL };
enum policy_commit { POLICY_COMMIT_MATCH, POLICY_COMMIT_START };
enum policy_fork { POLICY_FORK_AUTO, POLICY_FORK_COW };
enum policy_huge { POLICY_HUGE_NO, POLICY_HUGE_TRY };

/* Bits of policy_rule.sched; POLICY_SCHED_RT is what `rt` in the file stands for. */
enum {
	POLICY_SCHED_OTHER = 1 << 0,	/* SCHED_OTHER    (0) */
	POLICY_SCHED_FIFO = 1 << 1,	/* SCHED_FIFO     (1) */
	POLICY_SCHED_RR = 1 << 2,	/* SCHED_RR       (2) */
	POLICY_SCHED_BATCH = 1 << 3,	/* SCHED_BATCH    (3) */
	POLICY_SCHED_IDLE = 1 << 5,	/* SCHED_IDLE     (5) */
	POLICY_SCHED_DEADLINE = 1 << 6, /* SCHED_DEADLINE (6) */
	POLICY_SCHED_RT = POLICY_SCHED_FIFO | POLICY_SCHED_RR | POLICY_SCHED_DEADLINE,
};

/* An inclusive range; an open end is 0 or UINT64_MAX. */
struct policy_range {
	uint64_t lo, hi;
	bool negated; /* a leading ! */
};

struct policy_ranges {
	struct policy_range *v;
	int n; /* 0: no condition */
};

struct policy_glob {
	char *pattern;
	bool negated;
};

struct policy_globs {
	struct policy_glob *v;
	int n;
};

/* One value of `callsite`: object[!symbol]. symbol NULL: any symbol of that object. */
struct policy_site {
	char *object;
	char *symbol;
	bool negated;
};

struct policy_sites {
	struct policy_site *v;
	int n;
};

struct policy_realtime {
	bool allocator, audio, video, report, pin_process;
	uint64_t default_pool; /* bytes */
};

struct policy_app {
	char *name; /* glob on basename, or on the full path when it has a slash */
	bool enabled, inherit;
	struct policy_origin origin;
	struct policy_origin *key_origin; /* one per key of [app] in keys.def order */
};

struct policy_pool {
	char *name;
	uint64_t size, max; /* bytes; max >= size */
	enum policy_lock lock;
	enum policy_huge hugepages;
	enum policy_full when_full;
	enum policy_commit commit;
	enum policy_fork fork;
	struct policy_origin origin;
	struct policy_origin *key_origin;
};

struct policy_rule {
	char *name;
	struct policy_globs app;
	struct policy_globs thread;
	unsigned sched; /* mask of POLICY_SCHED_*; 0: no condition (negation is resolved)
			 */
	struct policy_ranges priority;
	struct policy_sites callsite;
	int depth; /* 1..64 */
	struct policy_ranges size;
	enum policy_kind kind;
	int pool;	  /* index into policy.pool, or POLICY_POOL_JEMALLOC */
	char *pool_name;  /* as written */
	uint64_t stack;	  /* bytes; 0: leave the stack alone */
	uint64_t recycle; /* nanoseconds; 0: off */
	bool broken;	  /* some key of it is an error */
	struct policy_origin origin;
	struct policy_origin *key_origin;
};

/* One thing wrong with a policy. fatal: the policy may not be used. */
struct policy_error {
	struct policy_origin origin;
	char *text; /* without "file:line: " */
	bool fatal; /* false: a warning (a shadowed rule); the policy works */
};

struct policy {
	struct policy_realtime realtime;
	struct policy_origin
		*realtime_origin; /* one per key of [realtime] in keys.def order */
	struct policy_app *app;
	int napp;
	struct policy_pool *pool;
	int npool;
	struct policy_rule *rule; /* in reading order: the last that matches wins */
	int nrule;
	char **file; /* every file read, in reading order */
	int nfile;
	char **refused; /* a user's files and directories that are another's */
	int nrefused;
	struct policy_error *error;
	int nerror; /* every problem of every file */
	int nfatal; /* how many of them are fatal */
};

/*
 * Which files a policy is read from. find_files() fills it; the caller frees it with
 * find_free(). secure: as if AT_SECURE were set (no environment, no user files).
 */
struct find_list {
	char **file;
	int n;
	bool explicit_file; /* RTMEM_CONF or the user named it: it must exist */
	bool none;	    /* RTMEM_CONF is empty: no policy */
	bool lost;	    /* there was no memory for some name: the list is not whole */
	int nuser; /* so many at the end are the user's: find_refuses() decides */
};
void find_files(struct find_list *out, bool secure);
void find_free(struct find_list *l);

/*
 * What the environment says about it, kept for looking again later: the environment may
 * be another one then. find_again() reads the directories, nothing else.
 */
struct find_where {
	bool none;    /* RTMEM_CONF is empty */
	char *named;  /* RTMEM_CONF, a full path; NULL: the search order */
	char *config; /* the user's configuration directory, or NULL */
	bool lost;    /* there was no memory for some of it */
};
void find_where(struct find_where *out, bool secure);
void find_again(struct find_list *out, const struct find_where *w);
void find_where_free(struct find_where *w);
/* Calls fn for each directory whose entries decide what find_again() finds, there or not.
 */
void find_each_directory(const struct find_where *w,
	void (*fn)(const char *directory, void *arg), void *arg);

/*
 * A user's file counts when nobody but this process's user and root can have written it,
 * so the environment of another user (su without -) gives root no policy. NULL, or what
 * is wrong with the file or directory: "it belongs to user 1000".
 */
struct stat;
const char *find_refuses(const struct stat *st, char why[static POLICY_REFUSED]);

/* A list of one file that must exist. A relative name is completed with the working
 * directory, so that a later reload finds the same file. */
void find_named(struct find_list *out, const char *file);
/* The search itself: /usr/lib and /etc below root ("" for the real ones), then the user's
 * directory; config_home NULL: no user files. */
void find_search(struct find_list *out, const char *root, const char *config_home);

/*
 * Reads the files in order into one policy. Never fails as a whole: problems are in
 * p->error. A policy with p->nfatal > 0 must not be acted upon. NULL: out of memory. The
 * policy does not refer to the list afterwards.
 *
 * What is read later wins: a value of [realtime] replaces the earlier value; an [app],
 * [pool] or [rule] section with a name seen before replaces that section whole, and a
 * rule takes its place in the reading order from the later section.
 *
 * Realtime: no. Threads: any, one policy each. Errno is kept.
 */
struct policy *policy_load(const struct find_list *files);
void policy_free(struct policy *p);
/* Writes "file:line: text" of error i into buf, cut to len; returns buf. */
const char *policy_error_text(const struct policy *p, int i, char *buf, size_t len);
/* Index of the first error about a file that was refused, or -1. */
int policy_first_refused(const struct policy *p);
/* Index of the first fatal error (in order of files and lines), or -1. It may be nerror
 * when there was no memory to keep it: policy_error_text() knows. */
int policy_first_fatal(const struct policy *p);

#endif
