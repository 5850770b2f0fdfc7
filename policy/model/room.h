/* SPDX-License-Identifier: MIT */
/*
 * room.h - how much memory control groups leave, and how much a pool needs
 *
 * The library asks before it touches a pool: a group that is too small answers with
 * SIGKILL. rtmem doctor says beforehand what the library will find. Both are answered
 * here, for version 1 and 2 of the groups.
 *
 * Never opens a file itself, allocates or uses stdio. What cannot be read does not limit.
 *
 * Bound: three files per group, ROOM_TEXT bytes of each.
 */
#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>
#include <stddef.h>

#define ROOM_TEXT 2048

struct room {
	/* Fills buf and ends it with NUL. How many bytes; 0 or less: it cannot be read.
	 */
	int (*read)(void *arg, const char *path, char *buf, unsigned size);
	void *arg;
	size_t left;	      /* the smallest of all groups; at first SIZE_MAX */
	size_t limit;	      /* the smallest limit; at first SIZE_MAX */
	size_t len;	      /* how much of the path was the group with that limit */
	char text[ROOM_TEXT]; /* the file at hand */
};

/*
 * The group of a process, from the text of its /proc/PID/cgroup. False: it has none in
 * this version, or its path is longer than size.
 */
bool room_own_group(const char *text, bool v2, char *out, size_t size);

/* Is the controller of memory in this list, parted by commas? */
bool room_has_memory(const char *list, size_t len);

/*
 * Looks at the group whose directory is `path`, and at all above it, down to the mount,
 * which is the first `mount` bytes. size: what path has room for, file names included.
 */
void room_look(struct room *r, char *path, size_t size, size_t mount, bool v2);

/* How much must be left, so that so many bytes may be touched. */
size_t room_needed(size_t bytes);

/* The decimal number at s. Anything else ("max", NULL): SIZE_MAX. */
size_t room_number(const char *s);
/* What follows `key` and blanks at the start of a line of text, or NULL. */
const char *room_value(const char *text, const char *key);

#endif
