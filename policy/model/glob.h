/* SPDX-License-Identifier: MIT */
/*
 * glob.h - shell patterns: * any text, ? any byte, [abc] [a-z] [!abc] one byte of a set
 *
 * There is no escape: a literal star is [*]. A '/' is a byte like any other. A '[' that
 * is never closed stands for itself (glob_valid() tells).
 *
 * Realtime: yes. Threads: any. No allocation, no recursion, no locale.
 * Bound: strlen(pattern) * strlen(text) steps.
 */
#ifndef GLOB_H
#define GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Does the whole text match? */
bool glob_match(const char *pattern, const char *text);
/* As above on the part of `path` after its last '/', unless the pattern has a '/': then
 * on the path, where "/bin", "/sbin" and "/lib…" mean the same with "/usr" in front. */
bool glob_match_path(const char *pattern, const char *path);

/* No wildcards: only one text matches. */
bool glob_literal(const char *pattern);
/* False: a '[' is never closed. */
bool glob_valid(const char *pattern);
/* Bytes the shortest matching text has. */
size_t glob_shortest(const char *pattern);

#endif
