/* SPDX-License-Identifier: MIT */
/*
 * printable.c - names of others: what may reach a terminal, and what becomes of the rest;
 * and the formats the tool writes
 */
#include "policy/model/printable.h"

#include "expect.h"

static const struct {
	const char *from, *to;
} names[] = {
	{"", ""},
	{"mpv", "mpv"},
	{"h\xc3\xb6r", "h\xc3\xb6r"},
	{"\xe9\x9f\xb3\xe6\xa5\xbd", "\xe9\x9f\xb3\xe6\xa5\xbd"},
	{"\xf0\x9f\x8e\xb5", "\xf0\x9f\x8e\xb5"},
	{"\x1b[31m\n\t\x7f", "?[31m???"},
	{"a\xc2\x9b"
	 "31m",
		"a??31m"}, /* C1 */
	{"a\x9b"
	 "31m",
		"a?31m"},			/* the same, of one byte */
	{"\xc0\x9b\xe0\x80\x9b", "?????"},	/* not of the shortest form */
	{"\xed\xa0\x80", "???"},		/* a surrogate */
	{"\xf4\x90\x80\x80\xf8\xff", "??????"}, /* above the last */
	{"\xe2\x80\xae"
	 "txt",
		"???txt"}, /* turns the line round */
	{"\xe2\x81\xa6\xe2\x80\xa8\xef\xbb\xbf", "?????????"},
	{"\xc3", "?"},
	{"\xe9\x9f", "??"},
	{"\xf0\x9f\x8e", "???"}, /* cut */
	{"\xc3\xc3\xb6", "?\xc3\xb6"},
};

static void each_name(void)
{
	char text[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = printable(text, sizeof(text), names[i].from, 99);

		expect(!strcmp(text, names[i].to), "name %zu became '%s'", i, text);
		expect(n == strlen(text), "name %zu: length %zu", i, n);
		strcpy(text, names[i].from);
		printable_clean(text, sizeof(text));
		expect(!strcmp(text, names[i].to), "name %zu in place", i);
		printable_clean(text, sizeof(text));
		expect(!strcmp(text, names[i].to), "name %zu a second time", i);
	}
}

/* Whatever the room: it ends, is what the whole begins with, and has no half character.
 */
static void each_room(void)
{
	const char *whole = "a\xc3\xb6\xe9\x9f\xb3\xf0\x9f\x8e\xb5z";
	char text[16];

	for (size_t size = 1; size <= 13; size++) {
		size_t n;

		memset(text, 'x', sizeof(text));
		n = printable(text, size, whole, 99);
		expect(n < size && !text[n], "room %zu: no end", size);
		expect(!memcmp(text, whole, n), "room %zu: other bytes", size);
		expect(text[size] == 'x', "room %zu: beyond it", size);
		expect(!strchr(text, '?'), "room %zu: '%s'", size, text);
	}
	memcpy(text, "0123456789abcdef", 16);
	printable_clean(text, sizeof(text));
	expect(!strcmp(text, "0123456789abcde"), "what has no end gets one");
	expect(printable(text, sizeof(text), "abc", 2) == 2, "only so many bytes");
}

static void columns(void)
{
	const char *s = "a\xc3\xb6\xe9\x9f\xb3z";
	static const size_t bytes[] = {0, 1, 3, 6, 7, 7};

	expect(printable_width(s) == 4, "four columns");
	for (size_t i = 0; i < 6; i++)
		expect(printable_bytes(s, i) == bytes[i], "%zu columns: %zu bytes", i,
			printable_bytes(s, i));
}

/* No byte string at all gives anything a terminal obeys. */
static void any_bytes(void)
{
	char from[8], text[8];

	srandom(1);
	for (int i = 0; i < 300000; i++) {
		for (int k = 0; k < 7; k++)
			from[k] = (char)(random() >> 7);
		printable(text, sizeof(text), from, 7);
		for (const char *s = text; *s;) {
			size_t n = printable_char(s, strlen(s));

			expect(n > 0, "byte %02x came through", (unsigned char)*s);
			s += n ? n : 1;
		}
	}
}

int main(void)
{
	each_name();
	each_room();
	columns();
	any_bytes();
	return expected();
}
