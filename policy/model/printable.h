/* SPDX-License-Identifier: MIT */
/*
 * printable.h - names of others, made fit for a terminal, a page and a program's input
 *
 * Threads, programs, pools, symbols and files have names that anybody made; a terminal
 * obeys some bytes, and some characters turn a line round. What may stay is UTF-8 without
 * control characters (C0, DEL, C1), line separators and marks of direction; each other
 * byte becomes '?'. The output is never longer than the input. No stdio, no locale.
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <stddef.h>

/* How many bytes the character at s has, of at most n; 0: it must not be printed. */
size_t printable_char(const char *s, size_t n);

/*
 * Copies the text at from, which ends with NUL or after n bytes, into size > 0 bytes:
 * characters whole, NUL at the end. Returns its length. to may be from.
 */
size_t printable(char *to, size_t size, const char *from, size_t n);
/* The same in place. */
void printable_clean(char *text, size_t size);

/* Columns, a character counted as one; bytes of the first so many columns. */
size_t printable_width(const char *s);
size_t printable_bytes(const char *s, size_t columns);

#endif
