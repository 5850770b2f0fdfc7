/* SPDX-License-Identifier: MIT */
/*
 * expect.h - the few lines every table-driven unit program of the policy shares
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/model/policy.h"

static int failures;

/* Says what was wrong when ok is false, and counts it. */
__attribute__((format(printf, 2, 3))) static inline void expect(
	bool ok, const char *fmt, ...)
{
	va_list args;

	if (ok)
		return;
	failures++;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* Exit status of the program. */
static inline int expected(void)
{
	if (failures > 0)
		printf("%d failed\n", failures);
	return failures > 0;
}

/* The policy of one file with these bytes. */
static inline struct policy *load_bytes(const void *bytes, size_t len)
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	struct find_list files;
	struct policy *p;
	char name[64];

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	find_named(&files, name);
	p = policy_load(&files);
	find_free(&files);
	close(fd);
	if (p == NULL)
		abort();
	return p;
}

static inline struct policy *load_text(const char *text)
{
	return load_bytes(text, strlen(text));
}

#endif
