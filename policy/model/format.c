/* SPDX-License-Identifier: MIT */
/*
 * format.c - see format.h
 *
 * Bound: the format and the words in it.
 */
#include "format.h"

#include <stdbool.h>
#include <string.h>

#include "printable.h"

static void put_string(struct format *f, const char *s)
{
	for (s = s ? s : "(null)"; *s; s++)
		f->put(f, *s);
}

static void put_word(struct format *f, const char *s)
{
	size_t n = strlen(s), shown = n <= FORMAT_WORD_MAX ? n : FORMAT_WORD_MAX - 3;
	char word[FORMAT_WORD_MAX + 1];

	printable(word, shown + 1, s, n);
	put_string(f, word);
	if (shown < n)
		put_string(f, "...");
}

static void put_number(struct format *f, unsigned long n, unsigned base)
{
	char digits[20];
	unsigned i = 0;

	do
		digits[i++] = "0123456789abcdef"[n % base];
	while ((n /= base) != 0);
	while (i > 0)
		f->put(f, digits[--i]);
}

static void put_signed(struct format *f, long n)
{
	if (n < 0)
		f->put(f, '-');
	put_number(f, n < 0 ? 0 - (unsigned long)n : (unsigned long)n, 10);
}

static unsigned long next_unsigned(va_list *args, bool wide)
{
	return wide ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
}

/* One conversion; fmt points behind the %. Returns the first character after it. */
static const char *put_conversion(struct format *f, const char *fmt, va_list *args)
{
	bool wide = *fmt == 'l' || *fmt == 'z';

	switch (wide ? *++fmt : *fmt) {
	case 's':
		put_string(f, va_arg(*args, const char *));
		break;
	case 'w':
		put_word(f, va_arg(*args, const char *));
		break;
	case 'c':
		f->put(f, (char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(f, wide ? va_arg(*args, long) : va_arg(*args, int));
		break;
	case 'u':
		put_number(f, next_unsigned(args, wide), 10);
		break;
	case 'x':
		put_number(f, next_unsigned(args, wide), 16);
		break;
	case 'p':
		put_string(f, "0x");
		put_number(f, (unsigned long)va_arg(*args, void *), 16);
		break;
	case '\0':
		return fmt;
	default:
		f->put(f, *fmt);
	}
	return fmt + 1;
}

void format_list(struct format *f, const char *fmt, va_list *args)
{
	while (*fmt) {
		if (*fmt != '%')
			f->put(f, *fmt++);
		else
			fmt = put_conversion(f, fmt + 1, args);
	}
}
