/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - one check: what was looked at, how it stands, and the cure
 *
 * Looks only; changes nothing. The system is read below d->root, so that one that was
 * copied can be looked at as well. Strings that are read are cut, never followed.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/model/match.h"

#define DOCTOR_LINE  512 /* bytes of a message */
#define DOCTOR_VALUE 256 /* bytes of a value below /proc/sys or /sys */

enum doctor_level { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAIL };

struct doctor {
	const char *root; /* "" for this machine, else "DIR" */
	bool json, colour;
	int said;	    /* checks */
	int bad;	    /* of them, not ok */
	uint64_t size, max; /* bytes the policy's pools lock at first, and at most */
	bool huge;	    /* some pool asks for huge pages */
	bool fork;	    /* some pool is to be pinned */
	uint64_t caps;	    /* effective capabilities, a mask of 1 << CAP_* */
};

/* Prints one check. cure NULL: there is nothing to do. */
__attribute__((format(printf, 5, 6))) void doctor_say(struct doctor *d,
	enum doctor_level level, const char *name, const char *cure, const char *fmt,
	...);

/*
 * The whole file below the root, NUL-terminated, for free(3); NULL when it cannot be
 * read. At most 1 MiB.
 */
char *doctor_file(const struct doctor *d, const char *path);
/* Its first line, without the newline; false and "" when it cannot be read. */
bool doctor_line(const struct doctor *d, const char *path, char out[static DOCTOR_VALUE]);
/* Its first line as a number. */
bool doctor_number(const struct doctor *d, const char *path, int64_t *out);
/* The first line that starts with `key`, behind it and its blanks; false: no such line.
 */
bool doctor_field(const char *text, const char *key, char out[static DOCTOR_VALUE]);

/*
 * What a program prints on both its outputs, for free(3); NULL: it could not be started.
 * It is killed after 10 seconds; at most 1 MiB is kept. env NULL: that of this process.
 */
char *doctor_output(char *const argv[], char *const env[]);

/* The checks. */
void doctor_limits(struct doctor *d);
void doctor_cgroup(struct doctor *d);
void doctor_memory(struct doctor *d);
void doctor_kernel(struct doctor *d);
void doctor_preemption(struct doctor *d);
/* words: the command as typed. Needs the policy's rules for it; policy NULL: none can be
 * used. */
void doctor_program(struct doctor *d, const struct policy *p, char *const *words);

#endif
