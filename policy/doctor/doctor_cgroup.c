/* SPDX-License-Identifier: MIT */
/*
 * doctor_cgroup.c - how much memory the control groups above this process leave
 *
 * A pool larger than that would end the program, however it is locked. The figure is the
 * library's own (room.h); here is only where the groups are mounted. The library looks in
 * the usual places; a mount elsewhere is found, too, because the kernel obeys it.
 *
 * Bound: one file per ancestor, paths of PATH_MAX.
 */
#include "doctor.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model/room.h"
#include "policy/model/units.h"

struct groups {
	struct doctor *d;
	struct room room;
	char tightest[PATH_MAX]; /* the group with the smallest limit */
};

/* Where the hierarchy is mounted, and which group its top is. */
static bool mount_point(
	char *text, bool v2, char root[static PATH_MAX], char at[static PATH_MAX])
{
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *tail = strstr(l, " - "), type[32], super[1024];

		if (!tail || sscanf(tail, " - %31s %*s %1023s", type, super) != 2 ||
			strcmp(type, v2 ? "cgroup2" : "cgroup") != 0)
			continue;
		if (!v2 && !room_has_memory(super, strlen(super)))
			continue;
		if (sscanf(l, "%*s %*s %*s %4095s %4095s", root, at) == 2)
			return true;
	}
	return false;
}

static int read_file(void *arg, const char *path, char *buf, unsigned size)
{
	const struct groups *g = arg;
	char *text = doctor_file(g->d, path);
	int n = text ? snprintf(buf, size, "%s", text) : 0;

	free(text);
	return n;
}

/* The group itself and everything above it that is mounted here. */
static void climb(struct groups *g, bool v2)
{
	char *own = doctor_file(g->d, "/proc/self/cgroup");
	char *mounts = doctor_file(g->d, "/proc/self/mountinfo");
	char group[PATH_MAX], root[PATH_MAX], at[PATH_MAX], path[2 * PATH_MAX + 64];

	if (own && mounts && room_own_group(own, v2, group, sizeof(group)) &&
		mount_point(mounts, v2, root, at)) {
		size_t top = strcmp(root, "/") == 0 ? 0 : strlen(root);
		const char *rest = strncmp(group, root, top) == 0 ? group + top : group;
		size_t mount = strlen(at), limit = g->room.limit;

		snprintf(path, sizeof(path), "%s%s", at, rest);
		room_look(&g->room, path, sizeof(path), mount, v2);
		if (g->room.limit < limit)
			snprintf(g->tightest, sizeof(g->tightest), "%.*s",
				g->room.len > mount ? (int)(g->room.len - mount) : 1,
				g->room.len > mount ? rest : "/");
	}
	free(mounts);
	free(own);
}

void doctor_cgroup(struct doctor *d)
{
	struct groups g = {
		.d = d, .room = {.read = read_file, .left = SIZE_MAX, .limit = SIZE_MAX}};
	char limit[UNITS_PRINT_MAX], left[UNITS_PRINT_MAX], max[UNITS_PRINT_MAX];

	g.room.arg = &g;
	climb(&g, true);
	climb(&g, false);
	if (g.room.limit == SIZE_MAX) {
		doctor_say(d, DOCTOR_OK, "cgroup", NULL, "no memory limit");
		return;
	}
	units_print_size(g.room.limit, limit);
	units_print_size(g.room.left, left);
	units_print_size(d->max, max);
	if (g.room.left >= room_needed(d->max))
		doctor_say(d, DOCTOR_OK, "cgroup", NULL,
			"memory limit %s in %.200s, %s left; the policy's pools take up "
			"to %s",
			limit, g.tightest, left, max);
	else
		doctor_say(d, g.room.limit < d->size ? DOCTOR_FAIL : DOCTOR_WARNING,
			"cgroup",
			"raise memory.max (MemoryMax= in a unit, docker run --memory) or "
			"make the pools smaller",
			"memory limit %s in %.200s, %s left; the policy's pools take up "
			"to %s",
			limit, g.tightest, left, max);
}
