/* SPDX-License-Identifier: MIT */
/*
 * quote.h - words in quotes, as people write them: "DSP #1", 'a, b'
 *
 * A quote opens only where a word begins: behind = , ! or at the start; so don't is a
 * word like any other. What stands in quotes is taken as it is: no comment, no list and
 * no ! begins there. There is no escape character; a word with one kind of quote stands
 * in the other.
 *
 * Never allocates.
 */
#ifndef QUOTE_H
#define QUOTE_H

#include <stdbool.h>
#include <stddef.h>

struct text;

/* How far to go on from line[i]: behind the quotes that open there, or one byte. */
size_t quote_skip(const char *line, size_t i, size_t len);
/* The word without its quotes, in place; false: they are not closed, or text follows. */
bool quote_strip(char **word);
/* A word as it has to be written; list: a comma ends it there, and a ! means not. */
void quote_print(const char *word, bool list, struct text *out);

#endif
