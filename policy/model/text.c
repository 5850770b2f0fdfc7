/* SPDX-License-Identifier: MIT */
/*
 * text.c - a growing string
 *
 * Never uses stdio or the locale: it also runs inside other people's programs.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

static bool make_room(struct text *t, size_t more)
{
	size_t room = t->room != 0 ? t->room : 64;
	char *s;

	if (t->len + more + 1 <= t->room)
		return true;
	while (room < t->len + more + 1)
		room *= 2;
	s = t->fixed ? NULL : realloc(t->s, room);
	if (s == NULL) {
		t->lost = true;
		return false;
	}
	t->s = s;
	t->room = room;
	return true;
}

static void add_char(struct text *t, char c)
{
	if (!make_room(t, 1))
		return;
	t->s[t->len++] = c;
	t->s[t->len] = '\0';
}

struct text_format {
	struct format format;
	struct text *text;
};

static void text_put(struct format *f, char c)
{
	add_char(((struct text_format *)(void *)f)->text, c);
}

void text_add_list(struct text *t, const char *fmt, va_list *args)
{
	struct text_format f = {{text_put}, t};

	format_list(&f.format, fmt, args);
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_add_list(t, fmt, &args);
	va_end(args);
}

void text_free(struct text *t)
{
	if (!t->fixed)
		free(t->s);
	*t = (struct text){0};
}
