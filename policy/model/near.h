/* SPDX-License-Identifier: MIT */
/*
 * near.h - "did you mean": the word a person probably wanted to type
 */
#ifndef NEAR_H
#define NEAR_H

#include <stddef.h>

#define NEAR_WORD_MAX 32 /* longer words are never near anything */

/* Edits (insert, delete, replace, swap neighbours) from a to b, without case; a number
 * above NEAR_WORD_MAX when either is too long. */
unsigned near_distance(const char *a, size_t alen, const char *b, size_t blen);

/* A candidate's suitability while the best is looked for. */
struct near {
	const char *word; /* what was typed */
	const char *best; /* NULL: nothing near */
	size_t best_len;
	unsigned distance;
};

void near_begin(struct near *n, const char *word);
void near_offer(struct near *n, const char *candidate, size_t len);

#endif
