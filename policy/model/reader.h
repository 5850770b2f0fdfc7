/* SPDX-License-Identifier: MIT */
/*
 * reader.h - a policy file as a sequence of lines with true numbers and true lengths
 *
 * Reads the whole file first (at most POLICY_FILE_MAX bytes), by read(2), never by stdio.
 * Takes LF and CRLF, skips a UTF-8 byte order mark, strips comments and the blanks
 * around. What cannot be a policy file (missing, unreadable, a directory, a pipe,
 * enormous, a line with NUL bytes) becomes an error of the policy.
 */
#ifndef READER_H
#define READER_H

#include "policy.h"

struct reader {
	struct policy_origin at; /* the line reader_next() returned last */
	char *data;
	size_t size, next;
};

/*
 * file: the policy's own copy. missing_ok: a file that is not there is an empty one.
 * users: only what find_refuses() does not refuse is read; false: it was refused, which
 * is a warning, and the file is empty.
 */
bool reader_open(struct reader *r, struct policy *p, const char *file, bool missing_ok,
	bool users);
/* The next line that is not empty, or NULL at the end. Valid until reader_close(). */
char *reader_next(struct reader *r, struct policy *p);
void reader_close(struct reader *r);

#endif
