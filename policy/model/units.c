/* SPDX-License-Identifier: MIT */
/*
 * units.c - numbers with units, ranges and words
 *
 * Never allocates, never looks at the locale. Bound: linear in the text.
 */
#include "units.h"

#include <string.h>

#define TOO_BIG "is too big a number"

/* Digits at *text; how many there were. More than fit in 64 bits: *overflow. */
static size_t digits(const char *text, size_t len, uint64_t *out, bool *overflow)
{
	size_t n = 0;

	*out = 0;
	while (n < len && text[n] >= '0' && text[n] <= '9') {
		uint64_t digit = (uint64_t)(text[n] - '0');

		if (__builtin_mul_overflow(*out, UINT64_C(10), out) ||
			__builtin_add_overflow(*out, digit, out))
			*overflow = true;
		n++;
	}
	return n;
}

const char *units_count(const char *text, size_t len, uint64_t *out)
{
	bool overflow = false;
	size_t n = digits(text, len, out, &overflow);

	if (n == 0 || n != len)
		return "is not a number";
	return overflow ? TOO_BIG : NULL;
}

const char *units_size(const char *text, size_t len, uint64_t *out)
{
	bool overflow = false;
	size_t n = digits(text, len, out, &overflow);
	unsigned shift = 0;

	if (n + 1 == len) {
		switch (text[n]) {
		case 'K':
		case 'k':
			shift = 10;
			break;
		case 'M':
		case 'm':
			shift = 20;
			break;
		case 'G':
		case 'g':
			shift = 30;
			break;
		}
		n += shift != 0;
	}
	if (len == 0 || n != len || text[0] < '0' || text[0] > '9')
		return "is not a size (a number of bytes, or with K, M or G)";
	if (overflow || *out > UINT64_MAX >> shift)
		return TOO_BIG;
	*out <<= shift;
	return NULL;
}

const char *units_time(const char *text, size_t len, uint64_t *out)
{
	static const char wrong[] = "is not a time (a number with ms or s)";
	uint64_t unit, fraction, scale;
	bool overflow = false;
	size_t n = digits(text, len, out, &overflow), m = 0;

	if (len >= 2 && memcmp(text + len - 2, "ms", 2) == 0) {
		unit = UINT64_C(1000000);
		len -= 2;
	} else if (len >= 1 && text[len - 1] == 's') {
		unit = UINT64_C(1000000000);
		len--;
	} else if (len == 1 && text[0] == '0') {
		return NULL;
	} else {
		return wrong;
	}
	if (n == 0)
		return wrong;
	if (overflow || __builtin_mul_overflow(*out, unit, out))
		return TOO_BIG;
	if (n < len && text[n] == '.') {
		scale = unit;
		for (m = n + 1; m < len && text[m] >= '0' && text[m] <= '9'; m++) {
			scale /= 10;
			if (scale == 0 && text[m] != '0')
				return "has more digits than a nanosecond";
			fraction = (uint64_t)(text[m] - '0') * scale;
			if (__builtin_add_overflow(*out, fraction, out))
				return TOO_BIG;
		}
		n = m > n + 1 ? m : n;
	}
	return n == len ? NULL : wrong;
}

const char *units_range(
	const char *text, size_t len, units_parser *one, uint64_t *lo, uint64_t *hi)
{
	const char *dots = memmem(text, len, "..", 2), *wrong;
	size_t before, after;

	if (dots == NULL) {
		wrong = one(text, len, lo);
		*hi = *lo;
		return wrong;
	}
	before = (size_t)(dots - text);
	after = len - before - 2;
	*lo = 0;
	*hi = UINT64_MAX;
	if (before == 0 && after == 0)
		return "is a range without ends";
	if (before > 0) {
		wrong = one(text, before, lo);
		if (wrong != NULL)
			return wrong;
	}
	if (after > 0) {
		wrong = one(dots + 2, after, hi);
		if (wrong != NULL)
			return wrong;
	}
	return *lo > *hi ? "is an empty range (its first end is above its second)" : NULL;
}

const char *units_word_at(const char *words, int i, size_t *len)
{
	while (*words != '\0') {
		*len = strcspn(words, " ");
		if (i-- == 0)
			return words;
		words += *len;
		words += *words == ' ';
	}
	return NULL;
}

int units_word(const char *words, const char *text, size_t len)
{
	const char *word;
	size_t n;

	for (int i = 0; (word = units_word_at(words, i, &n)) != NULL; i++)
		if (n == len && memcmp(word, text, len) == 0)
			return i;
	return -1;
}

static const char *print(uint64_t v, const char *unit, char *buf)
{
	char digit[24];
	int n = 0, at = 0;

	do {
		digit[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		buf[at++] = digit[--n];
	strcpy(buf + at, unit);
	return buf;
}

const char *units_print_count(uint64_t v, char *buf)
{
	return print(v, "", buf);
}

const char *units_print_size(uint64_t bytes, char *buf)
{
	static const char *const unit[] = {"", "K", "M", "G"};
	int i = 0;

	while (bytes > 0 && bytes % 1024 == 0 && i < 3) {
		bytes /= 1024;
		i++;
	}
	return print(bytes, unit[i], buf);
}

const char *units_print_time(uint64_t ns, char *buf)
{
	const uint64_t ms = UINT64_C(1000000), s = 1000 * ms;
	size_t len;

	if (ns % s == 0)
		return print(ns / s, ns == 0 ? "" : "s", buf);
	if (ns % ms == 0)
		return print(ns / ms, "ms", buf);
	/* a fraction of a millisecond: six digits, the last ones not 0 */
	print(ns / ms, ".", buf);
	len = strlen(buf);
	for (uint64_t rest = ns % ms, unit = ms / 10; rest > 0; rest %= unit, unit /= 10)
		buf[len++] = (char)('0' + rest / unit);
	strcpy(buf + len, "ms");
	return buf;
}
