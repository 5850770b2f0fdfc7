/* SPDX-License-Identifier: MIT */
/*
 * area_limits.c - how much memory may be touched and locked, and what to tell the person
 *
 * A memory cgroup smaller than the pool answers every way of touching pages with SIGKILL,
 * so the room is looked up first: the smallest rest over all ancestors, in both cgroup
 * versions, and MemAvailable. What cannot be read does not limit. Page cache that the
 * kernel would drop at once counts as room.
 */
#include "area.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "area_private.h"
#include "fds.h"
#include "log.h"
#include "sys.h"

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

static int look_for_room(void *out)
{
	struct room r = {.bytes = SIZE_MAX};

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

/* ---- advice ---- */

/* "64 MiB", "96 KiB": exact where it can be, else rounded down to a tenth of a MiB. */
static const char *human(char *buf, unsigned len, size_t bytes)
{
	size_t mib = bytes >> 20, rest = bytes & ((1UL << 20) - 1);

	if (mib == 0)
		log_format(buf, len, "%zu KiB", bytes >> 10);
	else if (rest * 10 >> 20 == 0)
		log_format(buf, len, "%zu MiB", mib);
	else
		log_format(buf, len, "%zu.%zu MiB", mib, rest * 10 >> 20);
	return buf;
}

/* "locked A of B": two figures that differ look different. */
static void human_share(char *part, char *whole, unsigned len, size_t some, size_t all)
{
	human(part, len, some);
	human(whole, len, all);
	if (some != all && !strcmp(part, whole)) {
		log_format(part, len, "%zu KiB", some >> 10);
		log_format(whole, len, "%zu KiB", all >> 10);
	}
}

/* What to ask for: twice the area, at least 64 MiB, a power of two of MiB. */
static size_t wanted_mib(const struct area *a)
{
	size_t mib = 64;

	while (mib < a->reserved >> 19 && mib < (size_t)1 << 40)
		mib <<= 1;
	return mib;
}

/* ENOMEM: over the limit; EPERM: a limit of 0. Anything else is not cured by raising it.
 */
static bool is_limit(int error, size_t limit)
{
	return error == ENOMEM || error == EAGAIN || (error == EPERM && limit == 0);
}

void area_lock_advice(const struct area *a, const char *pool_name)
{
	char locked[24], all[24], limit[24];
	struct rlimit rl = {0, 0};
	size_t mib = wanted_mib(a);

	if (a->locked == a->committed && a->lock_error == 0)
		return;
	human_share(locked, all, sizeof locked, a->locked, a->committed);
	sys_call4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, (long)&rl);
	if (rl.rlim_cur == RLIM_INFINITY || !is_limit(a->lock_error, rl.rlim_cur)) {
		log_line("locked %s of %s of pool \"%s\": the system refused (error %d)",
			locked, all, pool_name, a->lock_error);
		return;
	}
	log_line("locked %s of %s of pool \"%s\": RLIMIT_MEMLOCK is %s; raise it: "
		 "\"@audio - "
		 "memlock %zu\" in /etc/security/limits.d/, LimitMEMLOCK=%zuM or "
		 "AmbientCapabilities=CAP_IPC_LOCK in a systemd unit",
		locked, all, pool_name, human(limit, sizeof limit, rl.rlim_cur),
		mib << 10, mib);
}
