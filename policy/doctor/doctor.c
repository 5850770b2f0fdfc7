/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - how a check is printed, and how the system is read
 *
 * Knows no check. Bound: 1 MiB of each file or output.
 *
 * No library writes the JSON: a check is printed as soon as it is done, and some take
 * seconds. See audit_json.c.
 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/model/printable.h"
#include "policy/system/escape.h"

#define FILE_MAX_BYTES (1u << 20)
#define OUTPUT_SECONDS 10

extern char **environ;

static const struct {
	const char *label, *colour, *json;
} level_look[] = {
	[DOCTOR_OK] = {"[ OK ]", "\033[32m", "ok"},
	[DOCTOR_WARNING] = {"[ WARNING ]", "\033[33m", "warning"},
	[DOCTOR_FAIL] = {"[ FAIL ]", "\033[31m", "fail"},
};

static void print_json(struct doctor *d, enum doctor_level level, const char *name,
	const char *cure, const char *text)
{
	fputs(d->said ? ",\n  {\"name\": " : "\n  {\"name\": ", stdout);
	escape_json(stdout, name);
	printf(", \"status\": \"%s\", \"text\": ", level_look[level].json);
	escape_json(stdout, text);
	if (cure) {
		fputs(", \"cure\": ", stdout);
		escape_json(stdout, cure);
	}
	putchar('}');
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *name,
	const char *cure, const char *fmt, ...)
{
	char text[DOCTOR_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printable_clean(text, sizeof(text));
	if (d->json)
		print_json(d, level, name, cure, text);
	else
		printf("%s%-11s%s %s: %s%s%s\n",
			d->colour ? level_look[level].colour : "",
			level_look[level].label, d->colour ? "\033[0m" : "", name, text,
			cure ? "; " : "", cure ? cure : "");
	d->said++;
	d->bad += level != DOCTOR_OK;
}

/* Everything of a descriptor, up to the bound and, in ms, the deadline (-1: none). */
static char *read_all(int fd, int ms)
{
	char *buf = malloc(FILE_MAX_BYTES + 1);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t len = 0;

	while (buf && len < FILE_MAX_BYTES) {
		ssize_t n;

		if (ms >= 0 && poll(&p, 1, ms) <= 0)
			break;
		n = read(fd, buf + len, FILE_MAX_BYTES - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (buf)
		buf[len] = '\0';
	return buf;
}

char *doctor_file(const struct doctor *d, const char *path)
{
	char full[PATH_MAX];
	char *text;
	int fd;

	if (snprintf(full, sizeof(full), "%s%s", d->root, path) >= (int)sizeof(full))
		return NULL;
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NULL;
	text = read_all(fd, -1);
	close(fd);
	return text;
}

bool doctor_line(const struct doctor *d, const char *path, char out[static DOCTOR_VALUE])
{
	char *text = doctor_file(d, path);

	out[0] = '\0';
	if (!text)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(out, DOCTOR_VALUE, "%s", text);
	free(text);
	return true;
}

bool doctor_number(const struct doctor *d, const char *path, int64_t *out)
{
	char line[DOCTOR_VALUE], *end;

	if (!doctor_line(d, path, line))
		return false;
	errno = 0;
	*out = strtoll(line, &end, 10);
	return end != line && errno == 0;
}

bool doctor_field(const char *text, const char *key, char out[static DOCTOR_VALUE])
{
	size_t len = strlen(key);

	out[0] = '\0';
	while (text && *text) {
		size_t line = strcspn(text, "\n");

		if (strncmp(text, key, len) == 0) {
			size_t skip = len + strspn(text + len, " \t");

			if (skip > line)
				skip = line;
			snprintf(out, DOCTOR_VALUE, "%.*s", (int)(line - skip),
				text + skip);
			return true;
		}
		text += line + (text[line] == '\n');
	}
	return false;
}

char *doctor_output(char *const argv[], char *const env[])
{
	posix_spawn_file_actions_t act;
	char *text = NULL;
	int out[2], failed;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) != 0)
		return NULL;
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_addopen(&act, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&act, out[1], 1);
	posix_spawn_file_actions_adddup2(&act, out[1], 2);
	failed = posix_spawnp(&pid, argv[0], &act, NULL, argv, env ? env : environ);
	posix_spawn_file_actions_destroy(&act);
	close(out[1]);
	if (!failed) {
		text = read_all(out[0], OUTPUT_SECONDS * 1000);
		kill(pid, SIGKILL); /* it has closed its output, or will not */
		waitpid(pid, NULL, 0);
	}
	close(out[0]);
	return text;
}
