/* SPDX-License-Identifier: MIT */
/*
 * phys_zone.c - is there free memory between two physical addresses?
 *
 * The kernel serves a program from the highest zone of RAM that has free memory; only
 * when that is used it goes lower. /proc/zoneinfo tells where the zones lie, and how
 * much of each a program may have: what is free above the low watermark and the reserve
 * that lower zones keep from requests that could go higher.
 *
 * Never allocates. Bound: one reading of the file, some KiB for each processor.
 */
#include "phys_find.h"

#include <fcntl.h>
#include <string.h>

#include "os/fd_table.h"
#include "os/sys.h"

struct phys_zone {
	const struct phys_want *want;
	uint64_t free, low, kept, spanned; /* pages, of the zone at hand */
	struct phys_free out;
};

static uint64_t zone_number(const char **s)
{
	uint64_t n = 0;

	while (**s && (**s < '0' || **s > '9'))
		++*s;
	for (; **s >= '0' && **s <= '9'; ++*s)
		n = n * 10 + (uint64_t)(**s - '0');
	return n;
}

static bool zone_begins(const char **line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(*line, key, len) != 0)
		return false;
	*line += len;
	return true;
}

/* The last line of a zone says where it starts. */
static void zone_ends(struct phys_zone *z, uint64_t start)
{
	uint64_t from = start << PHYS_PAGE_SHIFT;
	uint64_t to = (start + z->spanned) << PHYS_PAGE_SHIFT, kept = z->low + z->kept;

	uint64_t usable = z->free > kept ? (z->free - kept) << PHYS_PAGE_SHIFT : 0;

	if (from >= z->want->high)
		z->out.above += usable;
	else if (to > z->want->low)
		z->out.inside += usable;
	z->free = z->low = z->kept = z->spanned = 0;
}

static void zone_line(struct phys_zone *z, const char *line)
{
	line += strspn(line, " ");
	if (zone_begins(&line, "pages free "))
		z->free = zone_number(&line);
	else if (zone_begins(&line, "low "))
		z->low = zone_number(&line);
	else if (zone_begins(&line, "spanned "))
		z->spanned = zone_number(&line);
	else if (zone_begins(&line, "start_pfn:"))
		zone_ends(z, zone_number(&line));
	else if (zone_begins(&line, "protection: "))
		while (*line) {
			uint64_t n = zone_number(&line);

			z->kept = n > z->kept ? n : z->kept;
		}
}

/* Reads the file by pieces: it is longer the more processors there are. */
static int zone_read(void *arg)
{
	struct phys_zone *z = arg;
	char text[4096];
	size_t have = 0;
	ssize_t got;
	int fd = sys_openat(AT_FDCWD, "/proc/zoneinfo", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	while ((got = sys_read(fd, text + have, sizeof text - 1 - have)) > 0) {
		char *line = text, *end;

		have += (size_t)got;
		text[have] = '\0';
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			zone_line(z, line);
		}
		/* a line that fills the buffer is none of those above */
		have = line > text ? (size_t)(text + have - line) : 0;
		memmove(text, line, have);
	}
	sys_close(fd);
	return (int)got;
}

bool phys_zone_free(const struct phys_want *w, struct phys_free *out)
{
	struct phys_zone z = {.want = w};
	bool told = fd_table_run(zone_read, &z) == 0;

	*out = told ? z.out : (struct phys_free){SIZE_MAX, 0};
	return told;
}
