/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line on standard error, without stdio and without touching the program's
 * errno
 *
 * log_line() formats into a buffer on the stack and makes one write(2). It may be called
 * from anywhere but the realtime path; there, log_post() leaves a fixed message for the
 * helper. Formats: %s %d %u %lu %ld %lx %zu %p %c %%, nothing else; longer lines are cut.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

#define LOG_LINE_MAX 512

/* "rtmem: " + text + newline. At most one line per distinct format for log_once(). */
__attribute__((format(printf, 1, 2))) void log_line(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_once(const char *fmt, ...);

/* The program misused memory: one line, then abort(), as glibc does. */
__attribute__((noreturn, cold, format(printf, 1, 2))) void log_misuse(
	const char *fmt, ...);

/*
 * Remembers what descriptor 2 is. From now on a line is written only while it is still
 * that: a file that the program opened there is none of ours.
 */
void log_know_stderr(void);

/*
 * The formatter itself: like snprintf, never allocates, any context. Returns the length
 * of what stands in buf (unlike snprintf when the text was cut).
 */
__attribute__((format(printf, 3, 4))) int log_format(
	char *buf, unsigned len, const char *fmt, ...);

/*
 * Realtime: yes. text must be a string literal. Up to 64 different texts are kept, each
 * with the number of times it was posted; what finds no room is counted.
 */
void log_post(const char *text);
/* The helper writes what was posted: one line per text, "(N times)" when N > 1. */
void log_flush_posted(void);

/*
 * The calling thread (the helper) has a descriptor table of its own, in which 2 is not
 * the program's standard error: from now on its lines go to the descriptor 2 of the
 * process. kept: 2 is a copy of it that stays open.
 */
void log_use_process_stderr(bool kept);

#endif
