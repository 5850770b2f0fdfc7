/* SPDX-License-Identifier: MIT */
/*
 * area_limits.c - how much memory may be touched
 *
 * When a memory cgroup is smaller than the pool, touching the pool ends in SIGKILL. So
 * the room is looked up first: the memory that all groups above leave
 * (policy/model/room.h, which rtmem doctor asks too), MemAvailable, and half of the room
 * under RLIMIT_AS and RLIMIT_DATA. A limit that cannot be read does not count.
 */
#include "area.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "policy/model/room.h"
#include "os/fd_table.h"
#include "os/log.h"
#include "os/sys.h"
#include "area_private.h"

#define PATH_ROOM 320

struct look {
	size_t bytes;	    /* the room */
	struct room groups; /* and the text of the file at hand */
	char path[PATH_ROOM];
	char group_v1[256], group_v2[256]; /* of this process; empty: none */
};

static int read_file(void *arg, const char *path, char *buf, unsigned size)
{
	return fd_table_slurp(path, buf, size);
}

static bool read_text(struct look *l, const char *path)
{
	return fd_table_slurp(path, l->groups.text, sizeof l->groups.text) > 0;
}

static void room_of_machine(struct look *l)
{
	size_t kib = SIZE_MAX;

	if (read_text(l, "/proc/meminfo"))
		kib = room_number(room_value(l->groups.text, "MemAvailable:"));
	if (kib < SIZE_MAX >> 10 && kib << 10 < l->bytes)
		l->bytes = kib << 10;
}

static void find_groups(struct look *l)
{
	if (!read_text(l, "/proc/self/cgroup"))
		return;
	room_own_group(l->groups.text, false, l->group_v1, sizeof l->group_v1);
	room_own_group(l->groups.text, true, l->group_v2, sizeof l->group_v2);
}

/*
 * Where systemd, docker and the rest mount the hierarchies. In a container the path in
 * /proc/self/cgroup may be the host's while the mount shows only our part of it: the
 * files below do not exist then and the walk ends at the mount point, which is our group.
 */
static void room_of_groups(struct look *l)
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
		const char *group = mounts[i].v2 ? l->group_v2 : l->group_v1;

		if (*group == '\0')
			continue;
		log_format(l->path, PATH_ROOM, "%s%s", mounts[i].mount, group);
		room_look(&l->groups, l->path, sizeof l->path, strlen(mounts[i].mount),
			mounts[i].v2);
	}
	if (l->groups.left < l->bytes)
		l->bytes = l->groups.left;
}

/* The n-th number of a line, from 0; 0: there is none. */
static size_t nth_number(const char *s, int n)
{
	while (n-- > 0 && s)
		s = strchr(s, ' ') ? strchr(s, ' ') + 1 : NULL;
	return s && room_number(s) < SIZE_MAX ? room_number(s) : 0;
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
static void room_of_limits(struct look *l)
{
	size_t used, rest, limit;

	if (!read_text(l, "/proc/self/statm"))
		l->groups.text[0] = '\0';
	for (size_t i = 0; i < sizeof room_limits / sizeof *room_limits; i++) {
		limit = room_limit(room_limits[i].limit);
		if (limit == SIZE_MAX)
			continue;
		used = nth_number(l->groups.text, room_limits[i].field) * AREA_PAGE;
		rest = limit > used ? limit - used : 0;
		if (rest / 2 < l->bytes)
			l->bytes = rest / 2;
	}
}

static int look_for_limits(void *out)
{
	struct look l = {.bytes = SIZE_MAX};

	room_of_limits(&l);
	*(size_t *)out = l.bytes;
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
		fd_table_run(look_for_limits, &bytes);
	return bytes;
}

static int look_for_room(void *out)
{
	struct look l = {.bytes = SIZE_MAX,
		.groups = {.read = read_file, .left = SIZE_MAX, .limit = SIZE_MAX}};

	room_of_limits(&l);
	room_of_machine(&l);
	find_groups(&l);
	room_of_groups(&l);
	*(size_t *)out = l.bytes;
	return 0;
}

size_t area_memory_available(void)
{
	size_t bytes = SIZE_MAX;

	if (!sys_restricted())
		fd_table_run(look_for_room, &bytes);
	return bytes;
}

int area_check_memory(size_t bytes)
{
	size_t room = area_memory_available();

	if (room == SIZE_MAX)
		return 0;
	return room_needed(bytes) <= room ? 0 : -ENOMEM;
}
