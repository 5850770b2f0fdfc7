/* SPDX-License-Identifier: MIT */
/*
 * area_limits.c - how much memory may be touched
 *
 * A memory cgroup smaller than the pool answers every way of touching pages with SIGKILL,
 * so the room is looked up first: the smallest rest over all ancestors, in both cgroup
 * versions, MemAvailable, and half of what RLIMIT_AS and RLIMIT_DATA leave. What cannot
 * be read does not limit. Page cache that the kernel would drop at once counts as room.
 */
#include "area.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "os/fds.h"
#include "os/log.h"
#include "os/sys.h"
#include "area_private.h"

/* Page tables, and what others take between the look and the touch. */
#define ROOM_SPARE (512UL << 10)
#define ROOM_SHIFT 6 /* 1/64 */
#define PATH_ROOM  288

struct room {
	size_t bytes;
	char text[2048];		   /* the file at hand */
	char path[PATH_ROOM + 32];	   /* the group at hand, and a file in it */
	char group_v1[256], group_v2[256]; /* of this process; empty: none */
};

/* The decimal number at s. Anything else ("max"): SIZE_MAX. */
static size_t number_at(const char *s)
{
	size_t n = 0;

	if (s == NULL || *s < '0' || *s > '9')
		return SIZE_MAX;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (size_t)(*s - '0'), &n))
			return SIZE_MAX;
	return n;
}

/* What follows "key" and blanks at the start of a line of text, or NULL. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text != NULL && *text) {
		if (strncmp(text, key, len) == 0)
			return text + len + strspn(text + len, " \t");
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

static void room_of_machine(struct room *r)
{
	size_t kib = SIZE_MAX;

	if (fds_slurp("/proc/meminfo", r->text, sizeof r->text) > 0)
		kib = number_at(value_of(r->text, "MemAvailable:"));
	if (kib < SIZE_MAX >> 10 && kib << 10 < r->bytes)
		r->bytes = kib << 10;
}

/* The number in file `name` of the group r->path (length len), SIZE_MAX if none. */
static size_t group_number(struct room *r, size_t len, const char *name)
{
	int n;

	log_format(r->path + len, (unsigned)(sizeof r->path - len), "/%s", name);
	n = fds_slurp(r->path, r->text, sizeof r->text);
	r->path[len] = '\0';
	return n > 0 ? number_at(r->text) : SIZE_MAX;
}

static size_t group_droppable(struct room *r, size_t len, const char *key)
{
	size_t n = SIZE_MAX;

	log_format(r->path + len, (unsigned)(sizeof r->path - len), "/memory.stat");
	if (fds_slurp(r->path, r->text, sizeof r->text) > 0)
		n = number_at(value_of(r->text, key));
	r->path[len] = '\0';
	return n == SIZE_MAX ? 0 : n;
}

static void room_of_group(struct room *r, size_t len, bool v2)
{
	size_t limit = group_number(r, len, v2 ? "memory.max" : "memory.limit_in_bytes");
	size_t used, cache, rest;

	if (limit >= (size_t)1 << 60) /* "max", or version 1's huge number */
		return;
	used = group_number(r, len, v2 ? "memory.current" : "memory.usage_in_bytes");
	if (used == SIZE_MAX)
		return;
	cache = group_droppable(r, len, v2 ? "inactive_file " : "total_inactive_file ");
	used = used > cache ? used - cache : 0;
	rest = limit > used ? limit - used : 0;
	if (rest < r->bytes)
		r->bytes = rest;
}

/* r->path is the group of this process; it and all above it down to the mount count. */
static void room_of_ancestors(struct room *r, size_t mount_len, bool v2)
{
	size_t len = strlen(r->path);

	for (;;) {
		while (len > mount_len && r->path[len - 1] == '/')
			len--;
		r->path[len] = '\0';
		room_of_group(r, len, v2);
		if (len <= mount_len)
			return;
		while (len > mount_len && r->path[len - 1] != '/')
			len--;
	}
}

/*
 * Where systemd, docker and the rest mount the hierarchies. In a container the path in
 * /proc/self/cgroup may be the host's while the mount shows only our part of it: the
 * files below do not exist then and the walk ends at the mount point, which is our group.
 */
static void room_of_groups(struct room *r)
{
	static const struct {
		const char *mount;
		bool v2;
	} mounts[] = {
		{"/sys/fs/cgroup/memory", false},
		{"/sys/fs/cgroup/unified", true},
		{"/sys/fs/cgroup", true},
	};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		const char *group = mounts[i].v2 ? r->group_v2 : r->group_v1;

		if (*group == '\0')
			continue;
		log_format(r->path, PATH_ROOM, "%s%s", mounts[i].mount, group);
		room_of_ancestors(r, strlen(mounts[i].mount), mounts[i].v2);
	}
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH"; cut paths find no files. */
static void note_group(struct room *r, const char *line, size_t len)
{
	const char *names = memchr(line, ':', len);
	const char *path =
		names ? memchr(names + 1, ':', len - (size_t)(names - line) - 1) : NULL;
	char *out;
	size_t size;

	if (path == NULL)
		return;
	size = (size_t)(path - names); /* of ":CONTROLLERS" */
	if (size == 1)
		out = r->group_v2;
	else if (memmem(names, size, "memory", 6))
		out = r->group_v1;
	else
		return;
	path++;
	size = len - (size_t)(path - line);
	if (size >= sizeof r->group_v1)
		return;
	memcpy(out, path, size);
	out[size] = '\0';
}

static void find_groups(struct room *r)
{
	const char *line = r->text, *end;

	if (fds_slurp("/proc/self/cgroup", r->text, sizeof r->text) <= 0)
		return;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		note_group(r, line, (size_t)(end - line));
}

/* The n-th number of a line, from 0; 0: there is none. */
static size_t nth_number(const char *s, int n)
{
	while (n-- > 0 && s)
		s = strchr(s, ' ') ? strchr(s, ' ') + 1 : NULL;
	return s && number_at(s) < SIZE_MAX ? number_at(s) : 0;
}

/* In the order of /proc/self/statm, in pages: all, …, data and stacks. */
static const struct {
	int limit, field;
} room_limits[] = {{RLIMIT_AS, 0}, {RLIMIT_DATA, 5}};

static size_t room_limit(int limit)
{
	struct rlimit l;

	if (sys_call4(SYS_prlimit64, 0, limit, 0, (long)&l) < 0)
		return SIZE_MAX;
	return l.rlim_cur; /* RLIM_INFINITY is SIZE_MAX */
}

/*
 * What the process may map: half of what is left is the program's, so that it is not a
 * pool that takes the last of it. Where nobody says what is used, nothing is.
 */
static void room_of_limits(struct room *r)
{
	size_t used, rest, limit;

	if (fds_slurp("/proc/self/statm", r->text, sizeof r->text) <= 0)
		r->text[0] = '\0';
	for (size_t i = 0; i < sizeof room_limits / sizeof *room_limits; i++) {
		limit = room_limit(room_limits[i].limit);
		if (limit == SIZE_MAX)
			continue;
		used = nth_number(r->text, room_limits[i].field) * AREA_PAGE;
		rest = limit > used ? limit - used : 0;
		if (rest / 2 < r->bytes)
			r->bytes = rest / 2;
	}
}

static int look_for_limits(void *out)
{
	struct room r = {.bytes = SIZE_MAX};

	room_of_limits(&r);
	*(size_t *)out = r.bytes;
	return 0;
}

size_t area_limits_leave(void)
{
	size_t bytes = SIZE_MAX;
	bool limited = false;

	if (sys_restricted())
		return bytes;
	for (size_t i = 0; i < sizeof room_limits / sizeof *room_limits; i++)
		limited |= room_limit(room_limits[i].limit) < SIZE_MAX;
	if (limited)
		fds_run(look_for_limits, &bytes);
	return bytes;
}

static int look_for_room(void *out)
{
	struct room r = {.bytes = SIZE_MAX};

	room_of_limits(&r);
	room_of_machine(&r);
	find_groups(&r);
	room_of_groups(&r);
	*(size_t *)out = r.bytes;
	return 0;
}

size_t area_memory_available(void)
{
	size_t bytes = SIZE_MAX;

	if (!sys_restricted())
		fds_run(look_for_room, &bytes);
	return bytes;
}

int area_check_memory(size_t bytes)
{
	size_t room = area_memory_available();

	if (room == SIZE_MAX)
		return 0;
	return bytes + (bytes >> ROOM_SHIFT) + ROOM_SPARE <= room ? 0 : -ENOMEM;
}
