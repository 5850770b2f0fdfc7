/* SPDX-License-Identifier: MIT */
/*
 * doctor_limits.c - what this user may: lock memory, be realtime, keep capabilities
 */
#include "doctor.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/model/units.h"

#define MIB 1048576u

static bool has(uint64_t caps, int cap)
{
	return caps >> cap & 1;
}

static uint64_t field_hex(const char *status, const char *key)
{
	char v[DOCTOR_VALUE];

	return doctor_field(status, key, v) ? strtoull(v, NULL, 16) : 0;
}

/* The soft limit of that name; UINT64_MAX: unlimited. */
static bool soft_limit(const char *limits, const char *name, uint64_t *out)
{
	char v[DOCTOR_VALUE], *end;

	if (!doctor_field(limits, name, v))
		return false;
	*out = strtoull(v, &end, 10);
	if (end == v)
		*out = UINT64_MAX;
	return true;
}

static void check_capabilities(struct doctor *d, const char *status)
{
	uint64_t ambient = field_hex(status, "CapAmb:");
	uint64_t ours = 1ull << CAP_SYS_NICE | 1ull << CAP_IPC_LOCK;
	char uid[DOCTOR_VALUE];
	bool root = doctor_field(status, "Uid:", uid) && strtoul(uid, NULL, 10) == 0;

	d->caps = field_hex(status, "CapEff:");
	/* of an ordinary user, execve(2) takes what is not ambient */
	if (!root)
		d->caps &= ambient | ~ours;
	if (has(d->caps, CAP_SYS_NICE) && has(d->caps, CAP_IPC_LOCK))
		doctor_say(d, DOCTOR_OK, "capabilities", NULL,
			"CAP_SYS_NICE and CAP_IPC_LOCK: limits do not apply");
	else
		doctor_say(d, DOCTOR_OK, "capabilities", NULL, "%s: the limits decide",
			has(d->caps, CAP_SYS_NICE)   ? "CAP_SYS_NICE, not CAP_IPC_LOCK"
			: has(d->caps, CAP_IPC_LOCK) ? "CAP_IPC_LOCK, not CAP_SYS_NICE"
						     : "none that matter");
}

static void check_memlock(struct doctor *d, const char *limits)
{
	char have[UNITS_PRINT_MAX], size[UNITS_PRINT_MAX], max[UNITS_PRINT_MAX];
	char cure[DOCTOR_LINE];
	uint64_t limit;

	if (!soft_limit(limits, "Max locked memory", &limit)) {
		doctor_say(d, DOCTOR_WARNING, "memlock", "see /proc/self/limits",
			"the limit is not known");
		return;
	}
	if (limit == UINT64_MAX || has(d->caps, CAP_IPC_LOCK)) {
		doctor_say(d, DOCTOR_OK, "memlock", NULL, "unlimited");
		return;
	}
	/* the stacks and code that rules of kind audio and video lock come on top */
	uint64_t mib = d->max / MIB + (d->max % MIB != 0) + 2;
	snprintf(cure, sizeof(cure),
		"'@audio - memlock %" PRIu64 "' in /etc/security/limits.d/rtmem.conf and "
		"a new login, or LimitMEMLOCK=%" PRIu64 "M in a unit",
		mib * 1024, mib);
	units_print_size(limit, have);
	units_print_size(d->size, size);
	units_print_size(d->max, max);
	if (limit < d->max)
		doctor_say(d, limit < d->size ? DOCTOR_FAIL : DOCTOR_WARNING, "memlock",
			cure, "%s may be locked; the policy's pools take %s, up to %s",
			have, size, max);
	else
		doctor_say(d, DOCTOR_OK, "memlock", NULL,
			"%s may be locked; the policy's pools take %s, up to %s", have,
			size, max);
}

static void check_rtprio(struct doctor *d, const char *limits)
{
	uint64_t limit = 0;

	if (has(d->caps, CAP_SYS_NICE))
		doctor_say(d, DOCTOR_OK, "rtprio", NULL, "any priority (CAP_SYS_NICE)");
	else if (soft_limit(limits, "Max realtime priority", &limit) && limit > 0)
		doctor_say(d, DOCTOR_OK, "rtprio", NULL, "up to %" PRIu64,
			limit > 99 ? 99 : limit);
	else
		doctor_say(d, DOCTOR_WARNING, "rtprio",
			"'@audio - rtprio 95' in /etc/security/limits.d/rtmem.conf and a "
			"new login, or LimitRTPRIO=95 in a unit",
			"0: threads get realtime priority only where rtkit gives it");
}

void doctor_limits(struct doctor *d)
{
	char *status = doctor_file(d, "/proc/self/status");
	char *limits = doctor_file(d, "/proc/self/limits");

	check_capabilities(d, status);
	check_memlock(d, limits);
	check_rtprio(d, limits);
	free(limits);
	free(status);
}
