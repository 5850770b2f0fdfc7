/* SPDX-License-Identifier: MIT */
/*
 * text.h - a growing string, for errors and `rtmem show`
 *
 * Formats are those of format.h. Never fails: without memory the text is cut and `lost`
 * is set.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *s; /* NUL-terminated; NULL while empty */
	size_t len, room;
	bool fixed; /* s is the caller's and does not grow */
	bool lost;
};

void text_add(struct text *t, const char *fmt, ...);
void text_add_list(struct text *t, const char *fmt, va_list *args);
void text_free(struct text *t);

#endif
