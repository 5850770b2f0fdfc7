/* SPDX-License-Identifier: MIT */
/*
 * near.c - edit distance, for suggestions in error messages
 *
 * Never allocates. Bound: NEAR_WORD_MAX squared steps a candidate.
 */
#include "near.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned near_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned row[3][NEAR_WORD_MAX + 1]; /* two rows back, last row, this row */

	if (alen > NEAR_WORD_MAX || blen > NEAR_WORD_MAX)
		return NEAR_WORD_MAX + 1;
	for (unsigned j = 0; j <= blen; j++)
		row[0][j] = row[1][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		row[2][0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);
			unsigned best = row[1][j - 1] + (x != y);

			best = least(best, row[1][j] + 1);
			best = least(best, row[2][j - 1] + 1);
			if (i > 1 && j > 1 && x == lower(b[j - 2]) &&
				lower(a[i - 2]) == y)
				best = least(best, row[0][j - 2] + 1);
			row[2][j] = best;
		}
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
	}
	return row[1][blen];
}

void near_begin(struct near *n, const char *word)
{
	size_t len = strlen(word);

	/* a third of the word may be wrong, at most three letters, one at least */
	*n = (struct near){.word = word,
		.distance = len < 3 ? 2 : (unsigned)least((unsigned)(len / 3), 3) + 1};
}

void near_offer(struct near *n, const char *candidate, size_t len)
{
	unsigned d = near_distance(n->word, strlen(n->word), candidate, len);

	if (d < n->distance && d < len) {
		n->distance = d;
		n->best = candidate;
		n->best_len = len;
	}
}
