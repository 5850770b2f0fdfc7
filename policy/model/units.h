/* SPDX-License-Identifier: MIT */
/*
 * units.h - numbers with units, ranges and words, as written in a policy
 *
 * Sizes: 4096, 64K, 4M, 1G (1024-based). Times: 20ms, 0.5s. Ranges: a..b, either end
 * open, or one value. Every parser wants the whole text, refuses overflow and returns
 * NULL on success or a sentence that says what is wrong (static, without a full stop).
 *
 * Pure: no allocation, no locale. Bound: linear in the text.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_PRINT_MAX 32 /* bytes a printed number needs, NUL included */

typedef const char *units_parser(const char *text, size_t len, uint64_t *out);

units_parser units_size;  /* bytes */
units_parser units_time;  /* nanoseconds */
units_parser units_count; /* a plain number */

/* An open end becomes 0 or UINT64_MAX; lo > hi is an error. */
const char *units_range(
	const char *text, size_t len, units_parser *one, uint64_t *lo, uint64_t *hi);

/* Index of text in a list of words separated by one space, or -1. */
int units_word(const char *words, const char *text, size_t len);
/* Word i of the list; *len is its length. NULL when there are fewer. */
const char *units_word_at(const char *words, int i, size_t *len);

/* The shortest text that parses back to v. Returns buf (UNITS_PRINT_MAX bytes). */
const char *units_print_count(uint64_t v, char *buf);
const char *units_print_size(uint64_t bytes, char *buf);
const char *units_print_time(uint64_t ns, char *buf);

#endif
