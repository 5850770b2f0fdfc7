/* SPDX-License-Identifier: MIT */
/*
 * cxx_name.c - see cxx_name.h
 */
#include "cxx_name.h"

#include <stdarg.h>
#include <string.h>

#include "glob.h"

/* What is longer, nested as deep as it can be, would need more stack than a thread of
 * the library has. */
#define LINKERS_MAX 512

/* libstdc++'s; the name is given to it by the Makefile. 0: done. */
int cxx_demangle_callback(const char *linkers,
	void (*fn)(const char *text, size_t len, void *arg), void *arg);

/* What its code calls besides. The first two it does not, as it is used here. */
void *cxx_name_realloc(void *p, size_t size);
void cxx_name_free(void *p);
int cxx_name_number(char *to, const char *format, ...);

void *cxx_name_realloc(void *p, size_t size)
{
	(void)p;
	(void)size;
	return NULL;
}

void cxx_name_free(void *p)
{
	(void)p;
}

/* "%d" or "%ld", into room for any number. */
int cxx_name_number(char *to, const char *format, ...)
{
	char digits[24], *at = digits + sizeof(digits);
	va_list args;
	long n;
	int len;

	va_start(args, format);
	n = strchr(format, 'l') != NULL ? va_arg(args, long) : va_arg(args, int);
	va_end(args);
	for (unsigned long left = n < 0 ? -(unsigned long)n : (unsigned long)n;
		left > 0 || at == digits + sizeof(digits); left /= 10)
		*--at = (char)('0' + left % 10);
	if (n < 0)
		*--at = '-';
	len = (int)(digits + sizeof(digits) - at);
	memcpy(to, at, (size_t)len);
	to[len] = '\0';
	return len;
}

struct copy {
	char *at;
	size_t left;
	bool cut;
};

static void copy_text(const char *text, size_t len, void *arg)
{
	struct copy *c = arg;

	if (len >= c->left) {
		c->cut = true;
		return;
	}
	memcpy(c->at, text, len);
	c->at += len;
	c->left -= len;
}

bool cxx_name_demangle(const char *linkers, char buf[static CXX_NAME_MAX])
{
	struct copy c = {.at = buf, .left = CXX_NAME_MAX};

	if (linkers[0] != '_' || linkers[1] != 'Z' || strlen(linkers) > LINKERS_MAX ||
		cxx_demangle_callback(linkers, copy_text, &c) != 0 || c.cut)
		return false;
	*c.at = '\0';
	return true;
}

/* ---- parts of a demangled name ---- */

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of "operator()", "operator<<" …, whose signs are no brackets; 0: none begins. */
static size_t operator_at(const char *name, size_t i)
{
	size_t n = sizeof("operator") - 1;

	if (!begins(name + i, "operator") || (i > 0 && is_word(name[i - 1])) ||
		is_word(name[i + n]))
		return 0;
	if (begins(name + i + n, "()") || begins(name + i + n, "[]"))
		return n + 2;
	/* a conversion: "operator bool" */
	if (name[i + n] == ' ')
		return n + 1 + strcspn(name + i + n + 1, "(<:");
	return n + strspn(name + i + n, "+-*/%^&|~!=<>,");
}

/* Bytes from i on that no part of a name ends in: a bracket with what is in it, an
 * operator, one byte of anything else. */
static size_t step(const char *name, size_t i)
{
	size_t n = operator_at(name, i), at = i;
	int depth = 0;

	if (n)
		return n;
	do {
		n = depth ? operator_at(name, at) : 0;
		if (n == 0) {
			depth += name[at] && strchr("(<{[", name[at]) != NULL;
			depth -= name[at] && strchr(")>}]", name[at]) != NULL;
			n = 1;
		}
		at += n;
	} while (depth > 0 && name[at] != '\0');
	return at - i;
}

/* [*from, *to): without what it returns, and up to its arguments. */
static void without_arguments(const char *name, size_t *from, size_t *to)
{
	size_t i = 0;

	*from = 0;
	while (name[i] != '\0') {
		if (name[i] == '(' && !begins(name + i, "(anonymous namespace)"))
			break;
		if (name[i] == ' ')
			*from = i + 1;
		i += step(name, i);
	}
	*to = i;
}

bool cxx_name_match(const char *glob, const char *name)
{
	char part[CXX_NAME_MAX];
	size_t from, to, last = 0;

	if (glob_match(glob, name))
		return true;
	/* nothing of C++ in it */
	if (strpbrk(name, ":(<") == NULL || strlen(name) >= sizeof(part))
		return false;
	without_arguments(name, &from, &to);
	memcpy(part, name + from, to - from);
	part[to - from] = '\0';
	if (glob_match(glob, part))
		return true;
	for (size_t i = 0; part[i] != '\0'; i += step(part, i))
		if (begins(part + i, "::"))
			last = i + 2;
	if (glob_match(glob, part + last))
		return true;
	for (size_t i = last; part[i] != '\0'; i += step(part, i))
		if (part[i] == '<') {
			part[i] = '\0';
			return glob_match(glob, part + last);
		}
	return false;
}

/* ---- is it worth the while ---- */

/* Words that a demangler writes and the linker abbreviates. */
static const char *const abbreviated[] = {"std", "allocator", "basic_string", "string",
	"char_traits", "basic_istream", "basic_ostream", "basic_iostream", "istream",
	"ostream", "iostream", "operator", "anonymous", "namespace", "lambda", "unnamed",
	"type", "new", "delete", "thunk", "virtual", "non", "to", "for", "clone", "void",
	"bool", "char", "short", "int", "long", "unsigned", "signed", "float", "double",
	"const", "volatile", "auto", "decltype", "guard", "variable", "initializer",
	"cold", "part"};

/* Is glob[i …] one of them, or a piece of one that a wildcard has cut? */
static bool may_be_abbreviated(const char *glob, size_t i, size_t len)
{
	bool cut = (i > 0 && strchr("*?", glob[i - 1]) != NULL) ||
		   (glob[i + len] != '\0' && strchr("*?[", glob[i + len]) != NULL);

	for (size_t k = 0; k < sizeof(abbreviated) / sizeof(*abbreviated); k++) {
		size_t n = strlen(abbreviated[k]);

		if (cut ? memmem(abbreviated[k], n, glob + i, len) != NULL
			: n == len && memcmp(abbreviated[k], glob + i, len) == 0)
			return true;
	}
	return false;
}

bool cxx_name_likely(const char *glob, const char *linkers)
{
	size_t best = 0, best_len = 0, end = strcspn(glob, "(<[");

	for (size_t i = 0, len; i < end; i += len ? len : 1) {
		len = 0;
		while (i + len < end && is_word(glob[i + len]))
			len++;
		if (len > best_len && !may_be_abbreviated(glob, i, len)) {
			best = i;
			best_len = len;
		}
	}
	return best_len == 0 ||
	       memmem(linkers, strlen(linkers), glob + best, best_len) != NULL;
}
