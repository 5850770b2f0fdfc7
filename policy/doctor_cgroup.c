/* SPDX-License-Identifier: MIT */
/*
 * doctor_cgroup.c - how much memory the control groups above this process leave
 *
 * A pool larger than a limit would end the program, however it is locked: the tightest of
 * all ancestors counts, in version 1 and 2 of the hierarchy.
 *
 * Bound: one file per ancestor, paths of PATH_MAX.
 */
#include "doctor.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

#define NO_LIMIT (1ull << 60) /* version 1 says "none" as a number near 2^63 */

struct version {
	const char *type; /* of the mount */
	const char *limit, *used;
};

static const struct version versions[] = {
	{"cgroup2", "memory.max", "memory.current"},
	{"cgroup", "memory.limit_in_bytes", "memory.usage_in_bytes"},
};

struct tightest {
	uint64_t limit, left;
	char group[PATH_MAX];
};

/* Is `word` one of the words of a list parted by commas? */
static bool in_list(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p < list + len;) {
		size_t w = 0;

		while (p + w < list + len && p[w] != ',')
			w++;
		if (w == n && memcmp(p, word, n) == 0)
			return true;
		p += w + 1;
	}
	return false;
}

/* This process's group: "ID:CONTROLLERS:PATH" lines of /proc/self/cgroup. */
static bool own_group(const char *text, bool v2, char out[static PATH_MAX])
{
	for (const char *line = text; *line;
		line += strcspn(line, "\n"), line += !!*line) {
		size_t len = strcspn(line, "\n");
		const char *list = memchr(line, ':', len);
		const char *path =
			list ? memchr(list + 1, ':', (size_t)(line + len - list - 1))
			     : NULL;

		if (!path)
			continue;
		size_t nlist = (size_t)(path - list - 1);
		if (v2 ? nlist != 0 : !in_list(list + 1, nlist, "memory"))
			continue;
		snprintf(out, PATH_MAX, "%.*s", (int)(line + len - path - 1), path + 1);
		return true;
	}
	return false;
}

/* Where the hierarchy is mounted, and which group its top is. */
static bool mount_point(char *text, const struct version *v, char root[static PATH_MAX],
	char at[static PATH_MAX])
{
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *tail = strstr(l, " - "), type[32], super[1024];

		if (!tail || sscanf(tail, " - %31s %*s %1023s", type, super) != 2 ||
			strcmp(type, v->type) != 0)
			continue;
		if (v == &versions[1] && !in_list(super, strlen(super), "memory"))
			continue;
		if (sscanf(l, "%*s %*s %*s %4095s %4095s", root, at) == 2)
			return true;
	}
	return false;
}

static void look(const struct doctor *d, const struct version *v, const char *dir,
	const char *group, struct tightest *t)
{
	char path[2 * PATH_MAX + 64];
	int64_t limit, used = 0;

	snprintf(path, sizeof(path), "%s%s/%s", dir, group, v->limit);
	/* "max" is no number */
	if (!doctor_number(d, path, &limit) || limit < 0 || (uint64_t)limit >= NO_LIMIT)
		return;
	snprintf(path, sizeof(path), "%s%s/%s", dir, group, v->used);
	if (!doctor_number(d, path, &used) || used < 0)
		used = 0;
	uint64_t left = used < limit ? (uint64_t)(limit - used) : 0;
	if ((uint64_t)limit < t->limit) {
		t->limit = (uint64_t)limit;
		snprintf(t->group, sizeof(t->group), "%s", *group ? group : "/");
	}
	if (left < t->left)
		t->left = left;
}

/* The group itself and everything above it that is mounted here. */
static void climb(const struct doctor *d, const struct version *v, struct tightest *t)
{
	char *cgroup = doctor_file(d, "/proc/self/cgroup");
	char *mounts = doctor_file(d, "/proc/self/mountinfo");
	char group[PATH_MAX], root[PATH_MAX], at[PATH_MAX];

	if (cgroup && mounts && own_group(cgroup, v == &versions[0], group) &&
		mount_point(mounts, v, root, at)) {
		size_t top = strcmp(root, "/") == 0 ? 0 : strlen(root);
		char *rest = strncmp(group, root, top) == 0 ? group + top : group;

		for (char *slash = rest + strlen(rest); slash;
			slash = strrchr(rest, '/')) {
			*slash = '\0';
			look(d, v, at, rest, t);
		}
	}
	free(mounts);
	free(cgroup);
}

void doctor_cgroup(struct doctor *d)
{
	struct tightest t = {.limit = UINT64_MAX, .left = UINT64_MAX};
	char limit[UNITS_PRINT_MAX], left[UNITS_PRINT_MAX], max[UNITS_PRINT_MAX];

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		climb(d, &versions[i], &t);
	if (t.limit == UINT64_MAX) {
		doctor_say(d, DOCTOR_OK, "cgroup", NULL, "no memory limit");
		return;
	}
	units_print_size(t.limit, limit);
	units_print_size(t.left, left);
	units_print_size(d->max, max);
	if (t.left >= d->max)
		doctor_say(d, DOCTOR_OK, "cgroup", NULL,
			"memory limit %s in %.200s, %s left; the policy's pools take up "
			"to %s",
			limit, t.group, left, max);
	else
		doctor_say(d, t.limit < d->size ? DOCTOR_FAIL : DOCTOR_WARNING, "cgroup",
			"raise memory.max (MemoryMax= in a unit, docker run --memory) or "
			"make the pools smaller",
			"memory limit %s in %.200s, %s left; the policy's pools take up "
			"to %s",
			limit, t.group, left, max);
}
