/* SPDX-License-Identifier: MIT */
/*
 * text.c - a growing string and a formatter for it
 *
 * Never uses stdio or the locale: it also runs inside other people's programs.
 */
#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"
#include "units.h"

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

static void add_plain(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		add_char(t, *s);
}

/* A word of the user's: shortened, harmless. */
static void add_word(struct text *t, const char *s)
{
	size_t n = strlen(s), shown = n <= TEXT_WORD_MAX ? n : TEXT_WORD_MAX - 3;
	char word[TEXT_WORD_MAX + 1];

	printable(word, shown + 1, s, n);
	add_plain(t, word);
	if (shown < n)
		add_plain(t, "...");
}

static void add_signed(struct text *t, int v)
{
	char buf[UNITS_PRINT_MAX];

	if (v < 0)
		add_char(t, '-');
	add_plain(t, units_print_count((uint64_t)(v < 0 ? -(int64_t)v : v), buf));
}

void text_add_list(struct text *t, const char *fmt, va_list args)
{
	char buf[UNITS_PRINT_MAX];

	for (; *fmt != '\0'; fmt++) {
		if (*fmt != '%') {
			add_char(t, *fmt);
			continue;
		}
		switch (*++fmt) {
		case 's':
			add_word(t, va_arg(args, const char *));
			break;
		case 'S':
			add_plain(t, va_arg(args, const char *));
			break;
		case 'd':
			add_signed(t, va_arg(args, int));
			break;
		case 'u':
			add_plain(t, units_print_count(va_arg(args, uint64_t), buf));
			break;
		default:
			add_char(t, *fmt);
		}
	}
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_add_list(t, fmt, args);
	va_end(args);
}

void text_free(struct text *t)
{
	if (!t->fixed)
		free(t->s);
	*t = (struct text){0};
}
