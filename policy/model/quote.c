/* SPDX-License-Identifier: MIT */
/*
 * quote.c - see quote.h
 */
#include "quote.h"

#include <string.h>

#include "text.h"

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Does a word begin at line[i]? */
static bool begins(const char *line, size_t i)
{
	while (i > 0 && is_blank(line[i - 1]))
		i--;
	return i == 0 || line[i - 1] == '=' || line[i - 1] == ':' || line[i - 1] == ',' ||
	       line[i - 1] == '!';
}

size_t quote_skip(const char *line, size_t i, size_t len)
{
	const char *end;

	if (!is_quote(line[i]) || !begins(line, i))
		return 1;
	end = memchr(line + i + 1, line[i], len - i - 1);
	return end != NULL ? (size_t)(end - (line + i)) + 1 : 1;
}

bool quote_strip(char **word)
{
	char *w = *word, *end;

	if (!is_quote(w[0]))
		return true;
	end = strchr(w + 1, w[0]);
	if (end == NULL || end[1] != '\0')
		return false;
	*end = '\0';
	*word = w + 1;
	return true;
}

/* Would it be read as something else? */
static bool needs_quotes(const char *word, bool list)
{
	size_t len = strlen(word);

	if (len == 0 || is_blank(word[0]) || is_blank(word[len - 1]) ||
		is_quote(word[0]) || word[0] == ';' || word[0] == '#' ||
		(list && (word[0] == '!' || strchr(word, ',') != NULL)))
		return true;
	for (size_t i = 1; i < len; i++)
		if ((word[i] == ';' || word[i] == '#') && is_blank(word[i - 1]))
			return true;
	return false;
}

void quote_print(const char *word, bool list, struct text *out)
{
	const char *quote = strchr(word, '"') != NULL ? "'" : "\"";

	if (needs_quotes(word, list))
		text_add(out, "%s%s%s", quote, word, quote);
	else
		text_add(out, "%s", word);
}
