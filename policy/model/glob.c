/* SPDX-License-Identifier: MIT */
/*
 * glob.c - shell patterns
 *
 * The matcher remembers one position: the last star and how much text it has swallowed.
 * On a mismatch that star takes one byte more; an earlier star never has to, because what
 * stood between the two has matched already. Hence no recursion and at most
 * strlen(pattern) * strlen(text) steps.
 *
 * Never allocates, never calls anything but strlen-like loops of its own.
 */
#include "glob.h"

/* End of the set that opens at p ("[…]"): its ']', or NULL. A ']' put first is a member.
 */
static const char *set_end(const char *p)
{
	p++;
	if (*p == '!' || *p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p != '\0' && *p != ']')
		p++;
	return *p == ']' ? p : NULL;
}

static bool set_has(const char *p, const char *end, unsigned char c)
{
	bool negated = p[1] == '!' || p[1] == '^', found = false;

	for (p += negated ? 2 : 1; p < end; p++) {
		unsigned char lo = (unsigned char)*p, hi = lo;

		if (p[1] == '-' && p + 2 < end) {
			hi = (unsigned char)p[2];
			p += 2;
		}
		found |= lo <= c && c <= hi;
	}
	return found != negated;
}

/* Does the one-byte element at p match c? *next is what follows it. Not for '*'. */
static bool one(const char *p, char c, const char **next)
{
	const char *end;

	if (*p == '[') {
		end = set_end(p);
		if (end != NULL) {
			*next = end + 1;
			return set_has(p, end, (unsigned char)c);
		}
	}
	*next = p + 1;
	return *p == '?' || *p == c;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *taken = NULL, *next;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			taken = text;
		} else if (*pattern != '\0' && one(pattern, *text, &next)) {
			pattern = next;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++taken;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool starts(const char *text, const char *with)
{
	while (*with != '\0' && *text == *with) {
		text++;
		with++;
	}
	return *with == '\0';
}

/* /bin, /sbin and /lib are links into /usr nearly everywhere, and people write either. */
static bool match_full(const char *pattern, const char *path)
{
	static const char usr[] = "/usr";

	if (glob_match(pattern, path))
		return true;
	if (starts(path, "/usr/bin/") || starts(path, "/usr/sbin/") ||
		starts(path, "/usr/lib"))
		return glob_match(pattern, path + sizeof(usr) - 1);
	if (starts(path, "/bin/") || starts(path, "/sbin/") || starts(path, "/lib"))
		return starts(pattern, usr) &&
		       glob_match(pattern + sizeof(usr) - 1, path);
	return false;
}

bool glob_match_path(const char *pattern, const char *path)
{
	const char *base = path;

	for (const char *p = pattern; *p != '\0'; p++)
		if (*p == '/')
			return match_full(pattern, path);
	for (const char *p = path; *p != '\0'; p++)
		if (*p == '/')
			base = p + 1;
	return glob_match(pattern, base);
}

bool glob_literal(const char *pattern)
{
	for (; *pattern != '\0'; pattern++)
		if (*pattern == '*' || *pattern == '?' ||
			(*pattern == '[' && set_end(pattern) != NULL))
			return false;
	return true;
}

bool glob_valid(const char *pattern)
{
	while (*pattern != '\0') {
		if (*pattern == '[') {
			pattern = set_end(pattern);
			if (pattern == NULL)
				return false;
		}
		pattern++;
	}
	return true;
}

size_t glob_shortest(const char *pattern)
{
	size_t n = 0;

	while (*pattern != '\0') {
		const char *end = *pattern == '[' ? set_end(pattern) : NULL;

		n += *pattern != '*';
		pattern = end != NULL ? end + 1 : pattern + 1;
	}
	return n;
}
