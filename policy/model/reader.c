/* SPDX-License-Identifier: MIT */
/*
 * reader.c - policy files, read whole and handed out line by line
 *
 * Never blocks: pipes and terminals are not policy files. Never leaves a descriptor open.
 */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"
#include "printable.h"
#include "quote.h"

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The file's bytes into r->data, one more allocated than read. NULL or what went wrong.
 */
static const char *read_all(struct reader *r, int fd, size_t expected)
{
	size_t room = expected + 64;
	ssize_t n;

	r->data = malloc(room + 1);
	while (r->data != NULL) {
		n = read(fd, r->data + r->size, room - r->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerrordesc_np(errno);
		r->size += (size_t)n;
		if (r->size > POLICY_FILE_MAX)
			return "larger than 1 MiB: not a policy";
		if (n == 0)
			return NULL;
		if (r->size == room) {
			char *more = realloc(r->data, room * 2 + 1);

			if (more == NULL)
				break;
			r->data = more;
			room *= 2;
		}
	}
	return "out of memory";
}

/* refused: NULL: any owner will do; else the answer of find_refuses(), or "". */
static const char *read_file(
	struct reader *r, const char *file, bool missing_ok, char *refused)
{
	const char *wrong = NULL;
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && missing_ok && (errno == ENOENT || errno == ENOTDIR))
		return NULL;
	if (fd < 0)
		return strerrordesc_np(errno);
	if (fstat(fd, &st) != 0)
		wrong = strerrordesc_np(errno);
	else if (refused != NULL && find_refuses(&st, refused) != NULL)
		wrong = refused;
	else if (S_ISDIR(st.st_mode))
		wrong = "is a directory";
	else if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		wrong = "not a regular file";
	else if (S_ISREG(st.st_mode) && st.st_size > POLICY_FILE_MAX)
		wrong = "larger than 1 MiB: not a policy";
	else
		wrong = read_all(r, fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0);
	close(fd);
	return wrong;
}

bool reader_open(
	struct reader *r, struct policy *p, const char *file, bool missing_ok, bool users)
{
	char refused[POLICY_REFUSED] = "";
	const char *wrong;

	*r = (struct reader){.at = {.file = file}};
	wrong = read_file(r, file, missing_ok, users ? refused : NULL);
	if (refused[0] != '\0') {
		model_error(p, &r->at, false, "not used: %s", refused);
		return false;
	}
	if (wrong != NULL) {
		model_error(p, &r->at, true, "cannot be read: %w", wrong);
		r->size = 0;
	}
	if (r->size >= 3 && memcmp(r->data, "\xef\xbb\xbf", 3) == 0)
		r->next = 3;
	return true;
}

void reader_close(struct reader *r)
{
	free(r->data);
	r->data = NULL;
}

/* Does a comment begin at line[i]: a ; or # put first, or behind a blank? */
static bool comment(const char *line, size_t i)
{
	return (line[i] == ';' || line[i] == '#') && (i == 0 || blank(line[i - 1]));
}

/* Ends the line where a comment begins that is not in quotes, and not in a heading. */
static char *strip(char *line, size_t len)
{
	size_t end = 0;

	while (len > 0 && blank(*line)) {
		line++;
		len--;
	}
	if (len > 0 && *line == '[')
		while (end + 1 < len && line[end] != ']')
			end++;
	while (end < len && !comment(line, end))
		end += quote_skip(line, end, len);
	while (end > 0 && blank(line[end - 1]))
		end--;
	line[end] = '\0';
	return line;
}

/* Is there a byte that no policy needs and that would disturb a terminal? */
static bool has_control(const char *line)
{
	for (; *line != '\0'; line++)
		if (((unsigned char)*line < 32 && *line != '\t') || *line == 127)
			return true;
	return false;
}

/* What is compared byte by byte with names that are UTF-8, nearly all of them. */
static void warn_encoding(const struct reader *r, struct policy *p, const char *line)
{
	size_t len = strlen(line);

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		unsigned char c = (unsigned char)line[i];

		n = c < 0x80 ? 1 : printable_char(line + i, len - i);
		if (n == 0) {
			model_error(p, &r->at, false,
				"the line is not UTF-8 (Latin-1?): its names match only "
				"names with the same bytes; save the file as UTF-8");
			return;
		}
		/* U+0300 to U+036F */
		if (c == 0xcc || (c == 0xcd && (unsigned char)line[i + 1] <= 0xaf)) {
			model_error(p, &r->at, false,
				"an accent is a character of its own here (decomposed "
				"form): a name with the accented letter in one does not "
				"match");
			return;
		}
	}
}

char *reader_next(struct reader *r, struct policy *p)
{
	while (r->next < r->size) {
		char *line = r->data + r->next;
		char *newline = memchr(line, '\n', r->size - r->next);
		size_t len =
			newline != NULL ? (size_t)(newline - line) : r->size - r->next;

		r->next += len + (newline != NULL);
		r->at.line++;
		if (memchr(line, '\0', len) != NULL) {
			model_error(p, &r->at, true,
				"the line has NUL bytes: not text, or not UTF-8");
			continue;
		}
		line = strip(line, len);
		if (has_control(line))
			model_error(p, &r->at, true, "the line has control characters");
		else if (line[0] != '\0') {
			warn_encoding(r, p, line);
			return line;
		}
	}
	return NULL;
}
