/* SPDX-License-Identifier: MIT */
/*
 * format.h - the one formatter of the library and the policy: printf without stdio
 *
 * Knows %s %c %d %u %x %p and %%, with l and z before d, u and x, and %w: a word of the
 * user's, cut at FORMAT_WORD_MAX bytes and made printable (printable.h). Never allocates,
 * never uses the locale. It also runs while the program dies.
 */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdarg.h>

#define FORMAT_WORD_MAX 120

/* The first member of the object that receives the characters, one by one. */
struct format {
	void (*put)(struct format *f, char c);
};

void format_list(struct format *f, const char *fmt, va_list *args);

#endif
