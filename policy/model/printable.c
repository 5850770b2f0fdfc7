/* SPDX-License-Identifier: MIT */
/*
 * printable.c - see printable.h
 *
 * The decoder is strict: shortest form only, no surrogates, nothing above U+10FFFF.
 */
#include "printable.h"

#include <stdbool.h>
#include <stdint.h>

struct span {
	uint32_t lo, hi;
};

/* Beside C0 and DEL: what a terminal obeys, what ends a line, what turns it round. */
static const struct span printable_not[] = {
	{0x80, 0x9f},	  /* C1 */
	{0x61c, 0x61c},	  /* a mark of direction */
	{0x200e, 0x200f}, /* likewise */
	{0x2028, 0x202e}, /* separators of lines, embedding and override */
	{0x2066, 0x206f}, /* isolates, deprecated formats */
	{0xd800, 0xdfff}, /* surrogates */
	{0xfeff, 0xfeff}, /* of no width */
	{0xfff9, 0xfffb}, /* annotations */
	{0xfffe, 0xffff}, /* no characters */
};

static bool printable_code(uint32_t code)
{
	for (size_t i = 0; i < sizeof(printable_not) / sizeof(*printable_not); i++) {
		if (code >= printable_not[i].lo && code <= printable_not[i].hi)
			return false;
	}
	return code <= 0x10ffff;
}

size_t printable_char(const char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = n ? (unsigned char)*s : 0;
	size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	uint32_t code = first & (0xffu >> (len + 1));

	if (first < 0x80)
		return first >= 0x20 && first != 0x7f;
	if (first < 0xc2 || first > 0xf4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	return code >= least[len] && printable_code(code) ? len : 0;
}

size_t printable(char *to, size_t size, const char *from, size_t n)
{
	size_t at = 0, have = 0;

	while (have < n && from[have])
		have++;
	for (size_t i = 0; i < have;) {
		size_t len = printable_char(from + i, have - i);
		size_t bytes = len ? len : 1;

		if (at + bytes >= size)
			break;
		for (size_t k = 0; k < bytes; k++)
			to[at++] = len ? from[i + k] : '?';
		i += bytes;
	}
	to[at] = '\0';
	return at;
}

void printable_clean(char *text, size_t size)
{
	printable(text, size, text, size);
}

static bool printable_begins(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t printable_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += printable_begins(*s);
	return n;
}

size_t printable_bytes(const char *s, size_t columns)
{
	size_t at = 0;

	while (s[at] && (columns || !printable_begins(s[at])))
		columns -= printable_begins(s[at++]);
	return at;
}
