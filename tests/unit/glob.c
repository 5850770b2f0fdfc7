/* SPDX-License-Identifier: MIT */
/*
 * glob.c - the matcher against a table of verdicts, against a plain recursive one on
 * random input, and against the patterns that explode elsewhere
 */
#include "policy/model/glob.h"

#include <time.h>

#include "expect.h"

static const struct {
	const char *pattern, *text;
	bool match;
} verdicts[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"*", "", true},
	{"*", "anything", true},
	{"**", "x", true},
	{"audio*", "audio", true},
	{"audio*", "audio-gui", true},
	{"audio*", "Audio", false},
	{"*.so*", "libfoo.so.1", true},
	{"*a*b*c", "xxaxxbxxc", true},
	{"*a*b*c", "xxaxxcxxb", false},
	{"?", "", false},
	{"?", "a", true},
	{"a?c", "abc", true},
	{"a?c", "ac", false},
	{"[abc]x", "bx", true},
	{"[abc]x", "dx", false},
	{"[a-c]x", "bx", true},
	{"[!a-c]x", "bx", false},
	{"[!a-c]x", "dx", true},
	{"[^a-c]x", "dx", true},
	{"[]]", "]", true},
	{"[!]]", "]", false},
	{"[!]]", "a", true},
	{"[a-]", "-", true},
	{"[-a]", "-", true},
	{"[*]", "*", true},
	{"[*]", "x", false},
	{"[z-a]", "m", false},
	{"[", "[", true},
	{"a[", "a[", true},
	{"[abc", "[abc", true},
	{"[abc", "a", false},
	{"a\\*", "a\\b", true},
	{"*x", "xxxxxxxxxxy", false},
	{"a*a*a", "aa", false},
	{"a*a*a", "aaa", true},
	{"\xc3*", "\xc3\xa9", true},
	{"[\x80-\xff]", "\xe9", true},
	{"/usr/*/mpv", "/usr/local/bin/mpv", true},
};

static const struct {
	const char *pattern, *path;
	bool match;
} paths[] = {
	{"mpv", "/usr/bin/mpv", true},
	{"mpv", "mpv", true},
	{"usr", "/usr/bin/mpv", false},
	{"*", "/usr/bin/mpv", true},
	{"/usr/bin/*", "/usr/bin/mpv", true},
	{"/usr/bin/*", "/opt/usr/bin/mpv", false},
	{"*/bin/mpv", "/opt/usr/bin/mpv", true},
	{"bin/mpv", "/usr/bin/mpv", false},
	{"", "/usr/bin/", true},
};

/* The definition, without any cleverness. Sets only as [xy]. */
static bool plain(const char *p, const char *t)
{
	if (*p == '\0')
		return *t == '\0';
	if (*p == '*')
		return plain(p + 1, t) || (*t != '\0' && plain(p, t + 1));
	if (*t == '\0')
		return false;
	if (*p == '[')
		return (p[1] == *t || p[2] == *t) && plain(p + 4, t + 1);
	return (*p == '?' || *p == *t) && plain(p + 1, t + 1);
}

static void random_patterns(void)
{
	static const char *const part[] = {"a", "b", "*", "?", "[ab]", "[bc]", "a", "*"};

	srandom(1);
	for (int i = 0; i < 200000; i++) {
		char pattern[64] = "", text[12] = "";
		long parts = random() % 7, len = random() % 10;

		for (long k = 0; k < parts; k++)
			strcat(pattern, part[random() % 8]);
		for (long k = 0; k < len; k++)
			text[k] = (char)('a' + random() % 3);
		expect(glob_match(pattern, text) == plain(pattern, text), "'%s' on '%s'",
			pattern, text);
	}
}

/* 2,000 stars against 4,000 bytes: exponential for the recursive kind. Counted in CPU
 * time only to end: a wrong matcher would not return. */
static void explosive(void)
{
	static char pattern[4097], text[4097];

	for (int i = 0; i < 4096; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[4095] = 'b';
	memset(text, 'a', 4096);
	expect(!glob_match(pattern, text), "explosive pattern");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		expect(glob_match(verdicts[i].pattern, verdicts[i].text) ==
				verdicts[i].match,
			"'%s' on '%s'", verdicts[i].pattern, verdicts[i].text);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect(glob_match_path(paths[i].pattern, paths[i].path) == paths[i].match,
			"'%s' on path '%s'", paths[i].pattern, paths[i].path);
	random_patterns();
	explosive();
	expect(glob_literal("mpv") && !glob_literal("m*") && !glob_literal("[m]pv") &&
			glob_literal("[mpv"),
		"literal");
	expect(glob_valid("a[b]c") && !glob_valid("a[bc") && glob_valid("[]]") &&
			!glob_valid("[]"),
		"valid");
	expect(glob_shortest("a*b?[cde]") == 4 && glob_shortest("*") == 0, "shortest");
	return expected();
}
