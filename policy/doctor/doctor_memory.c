/* SPDX-License-Identifier: MIT */
/*
 * doctor_memory.c - what the kernel does to memory behind a program's back
 *
 * Locked is not pinned: pages that are locked can still be moved, merged and copied.
 */
#include "doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/model/room.h"
#include "policy/model/units.h"

#define MIB 1048576u
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"

static void check_available(struct doctor *d)
{
	char *meminfo = doctor_file(d, "/proc/meminfo");
	char v[DOCTOR_VALUE], have[UNITS_PRINT_MAX], max[UNITS_PRINT_MAX];
	uint64_t bytes = 0;

	if (doctor_field(meminfo, "MemAvailable:", v))
		bytes = strtoull(v, NULL, 10) * 1024;
	/* to the MiB: nobody reads more */
	units_print_size(bytes > MIB ? bytes / MIB * MIB : bytes, have);
	units_print_size(d->max, max);
	if (bytes >= room_needed(d->max))
		doctor_say(d, DOCTOR_OK, "memory", NULL,
			"%s free; the policy's pools take up to %s", have, max);
	else
		doctor_say(d, bytes < d->size ? DOCTOR_FAIL : DOCTOR_WARNING, "memory",
			"end other programs or make the pools smaller",
			"%s free; the policy's pools take up to %s", have, max);
	free(meminfo);
}

static void check_swap(struct doctor *d)
{
	char *swaps = doctor_file(d, "/proc/swaps");
	const char *first = swaps ? strchr(swaps, '\n') : NULL;
	int64_t swappiness = 60;

	doctor_number(d, "/proc/sys/vm/swappiness", &swappiness);
	if (!first || !first[1])
		doctor_say(d, DOCTOR_OK, "swap", NULL, "none");
	else if (swappiness <= 10)
		doctor_say(d, DOCTOR_OK, "swap", NULL, "in use, swappiness %" PRId64,
			swappiness);
	else
		doctor_say(d, DOCTOR_WARNING, "swap", "sysctl vm.swappiness=10",
			"swappiness %" PRId64 ": what is not in a pool is swapped early",
			swappiness);
	free(swaps);
}

/* Does "always [madvise] never" have this one chosen? */
static bool chosen(const char *line, const char *word)
{
	const char *p = strchr(line, '[');

	return p && strncmp(p + 1, word, strlen(word)) == 0 && p[1 + strlen(word)] == ']';
}

static void check_thp(struct doctor *d)
{
	char v[DOCTOR_VALUE];

	if (!doctor_line(d, THP, v))
		doctor_say(d, DOCTOR_OK, "thp", NULL, "not in this kernel");
	else if (chosen(v, "always"))
		doctor_say(d, DOCTOR_WARNING, "thp", "echo madvise >" THP,
			"always: faults outside the pools zero 2 MiB each, and pages are "
			"collapsed in the background");
	else
		doctor_say(d, DOCTOR_OK, "thp", NULL, "%s",
			chosen(v, "never") ? "never" : "madvise");
}

static void check_hugepages(struct doctor *d)
{
	int64_t n = 0;

	doctor_number(d, "/proc/sys/vm/nr_hugepages", &n);
	if (d->huge && n == 0)
		doctor_say(d, DOCTOR_WARNING, "hugepages",
			"sysctl vm.nr_hugepages=N (one for each 2 MiB of those pools)",
			"none reserved, and a pool of the policy asks for them");
	else
		doctor_say(d, DOCTOR_OK, "hugepages", NULL, "%" PRId64 " reserved%s", n,
			d->huge ? "" : ", none asked for by the policy");
}

static void check_ksm(struct doctor *d)
{
	int64_t run = 0;

	doctor_number(d, "/sys/kernel/mm/ksm/run", &run);
	if (run == 1)
		doctor_say(d, DOCTOR_WARNING, "ksm", "echo 2 >/sys/kernel/mm/ksm/run",
			"on: merged pages cost a fault at the next write");
	else
		doctor_say(d, DOCTOR_OK, "ksm", NULL, "off");
}

static void check_numa(struct doctor *d)
{
	char nodes[DOCTOR_VALUE];
	int64_t on = 0;

	doctor_number(d, "/proc/sys/kernel/numa_balancing", &on);
	bool several = doctor_line(d, "/sys/devices/system/node/online", nodes) &&
		       strpbrk(nodes, "-,");
	if (on && several)
		doctor_say(d, DOCTOR_WARNING, "numa", "sysctl kernel.numa_balancing=0",
			"balancing is on: pages are unmapped to see who uses them");
	else
		doctor_say(d, DOCTOR_OK, "numa", NULL, "%s",
			several ? "balancing is off" : "one node");
}

/* May this process have a ring? Asked with arguments that cannot make one. */
static bool ring_refused(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) < 0 &&
	       (errno == ENOSYS || errno == EPERM || errno == EACCES);
}

static bool check_pins(struct doctor *d)
{
	int64_t off = 0;
	bool root = d->caps >> 21 & 1; /* CAP_SYS_ADMIN passes setting 1 */

	doctor_number(d, "/proc/sys/kernel/io_uring_disabled", &off);
	bool refused = off >= 2 || (off == 1 && !root) || (!*d->root && ring_refused());
	if (!refused)
		doctor_say(
			d, DOCTOR_OK, "io_uring", NULL, "allowed: pools can be pinned");
	else
		doctor_say(d, d->fork ? DOCTOR_WARNING : DOCTOR_OK, "io_uring",
			d->fork ? "sysctl kernel.io_uring_disabled=0, or allow it in the "
				  "container's seccomp profile"
				: NULL,
			"not allowed: pools are locked, but cannot be pinned");
	return !refused;
}

static void check_compaction(struct doctor *d, bool pins)
{
	int64_t on = 0;

	doctor_number(d, "/proc/sys/vm/compact_unevictable_allowed", &on);
	if (on && !pins)
		doctor_say(d, DOCTOR_WARNING, "compaction",
			"sysctl vm.compact_unevictable_allowed=0",
			"may move locked pages, a fault each");
	else
		doctor_say(d, DOCTOR_OK, "compaction", NULL, "%s",
			on ? "may move locked pages, but not pinned ones"
			   : "leaves locked pages alone");
}

void doctor_memory(struct doctor *d)
{
	check_available(d);
	check_swap(d);
	check_thp(d);
	check_hugepages(d);
	check_ksm(d);
	check_numa(d);
	check_compaction(d, check_pins(d));
}
