/* SPDX-License-Identifier: MIT */
/*
 * escape.c - see escape.h
 */
#include "escape.h"

#include <string.h>

#include "policy/model/printable.h"

/* What stands for a character in a format; all others stand for themselves. */
struct escape {
	char c;
	const char *as;
};

static const struct escape escape_in_json[] = {
	{'"', "\\\""}, {'\\', "\\\\"}, {'<', "\\u003c"}, {'\n', " "}, {'\t', " "}, {0}};
static const struct escape escape_in_label[] = {
	{'"', "\\\""}, {'\\', "\\\\"}, {'\n', " "}, {'\t', " "}, {0}};
static const struct escape escape_in_html[] = {{'<', "&lt;"}, {'>', "&gt;"},
	{'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}, {'\n', "\n"}, {'\t', "\t"},
	{0}};

static void escape(FILE *to, const char *s, const struct escape *table)
{
	size_t left = strlen(s), len;

	for (; left; s += len, left -= len) {
		const struct escape *e = table;

		while (e->c && e->c != *s)
			e++;
		len = e->c ? 1 : printable_char(s, left);
		if (e->c)
			fputs(e->as, to);
		else if (len)
			fwrite(s, 1, len, to);
		else
			putc('?', to);
		len = len ? len : 1;
	}
}

void escape_json(FILE *to, const char *s)
{
	putc('"', to);
	escape(to, s, escape_in_json);
	putc('"', to);
}

void escape_label(FILE *to, const char *s)
{
	putc('"', to);
	escape(to, s, escape_in_label);
	putc('"', to);
}

void escape_html(FILE *to, const char *s)
{
	escape(to, s, escape_in_html);
}
