/* SPDX-License-Identifier: MIT */
/*
 * text.h - messages without stdio: the little formatter behind errors and `rtmem show`
 *
 * Knows %s (cut at TEXT_WORD_MAX bytes, and made printable: printable.h), %S (whole and
 * unchanged), %d, %u (uint64_t) and %%. Never fails: without memory the text is cut and
 * `lost` is set.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXT_WORD_MAX 120

struct text {
	char *s; /* NUL-terminated; NULL while empty */
	size_t len, room;
	bool fixed; /* s is the caller's and does not grow */
	bool lost;
};

void text_add(struct text *t, const char *fmt, ...);
void text_add_list(struct text *t, const char *fmt, va_list args);
void text_free(struct text *t);

#endif
