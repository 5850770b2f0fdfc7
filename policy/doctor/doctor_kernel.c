/* SPDX-License-Identifier: MIT */
/*
 * doctor_kernel.c - how soon a realtime thread gets its processor
 */
#include "doctor.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU "/sys/devices/system/cpu"

/* The text of the configuration this kernel was built with, for free(3), or NULL. */
static char *config(const struct doctor *d)
{
	char path[PATH_MAX], release[DOCTOR_VALUE];
	char *text = NULL;

	snprintf(path, sizeof(path), "%s/proc/config.gz", d->root);
	FILE *f = fopen(path, "re");
	if (f) {
		fclose(f);
		text = doctor_output((char *[]){"gzip", "-dc", path, NULL}, NULL);
	}
	if ((!text || !strstr(text, "CONFIG_")) &&
		doctor_line(d, "/proc/sys/kernel/osrelease", release)) {
		free(text);
		snprintf(path, sizeof(path), "/boot/config-%s", release);
		text = doctor_file(d, path);
	}
	return text;
}

static const char *built_in(const struct doctor *d)
{
	static const struct {
		const char *line, *model;
	} known[] = {
		{"CONFIG_PREEMPT_LAZY=y", "lazy"},
		{"CONFIG_PREEMPT=y", "full"},
		{"CONFIG_PREEMPT_VOLUNTARY=y", "voluntary"},
		{"CONFIG_PREEMPT_NONE=y", "none"},
	};
	char *text = config(d), rest[DOCTOR_VALUE];
	const char *model = NULL;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && !model; i++)
		if (doctor_field(text, known[i].line, rest))
			model = known[i].model;
	free(text);
	return model;
}

/*
 * The model in force: what debugfs says, else what was asked for at boot, else what is
 * built in. NULL: nobody says.
 */
static const char *model(const struct doctor *d, char buf[static DOCTOR_VALUE])
{
	char line[DOCTOR_VALUE], *p;

	if (doctor_line(d, "/sys/kernel/debug/sched/preempt", line) &&
		(p = strchr(line, '(')) && strchr(p, ')')) {
		*strchr(p, ')') = '\0';
		return memcpy(buf, p + 1, strlen(p + 1) + 1);
	}
	char *cmdline = doctor_file(d, "/proc/cmdline");
	p = cmdline ? strstr(cmdline, "preempt=") : NULL;
	if (p && (p == cmdline || p[-1] == ' '))
		snprintf(buf, DOCTOR_VALUE, "%.*s", (int)strcspn(p + 8, " \n"), p + 8);
	else
		p = NULL;
	free(cmdline);
	return p ? buf : built_in(d);
}

void doctor_preemption(struct doctor *d)
{
	char version[DOCTOR_VALUE], buf[DOCTOR_VALUE];
	int64_t rt = 0;

	doctor_line(d, "/proc/sys/kernel/version", version);
	if ((doctor_number(d, "/sys/kernel/realtime", &rt) && rt == 1) ||
		strstr(version, "PREEMPT_RT")) {
		doctor_say(d, DOCTOR_OK, "preemption", NULL, "PREEMPT_RT");
		return;
	}
	const char *m = model(d, buf);
	if (m && (strcmp(m, "full") == 0 || strcmp(m, "lazy") == 0))
		doctor_say(d, DOCTOR_OK, "preemption", NULL, "%s", m);
	else
		doctor_say(d, DOCTOR_WARNING, "preemption",
			strstr(version, "PREEMPT_DYNAMIC")
				? "boot with preempt=full"
				: "use a kernel with PREEMPT or PREEMPT_RT",
			"%s: a system call elsewhere may hold up a realtime thread",
			m ? m : "model not known");
}

static void check_throttling(struct doctor *d)
{
	int64_t run = 950000, period = 1000000;

	doctor_number(d, "/proc/sys/kernel/sched_rt_runtime_us", &run);
	doctor_number(d, "/proc/sys/kernel/sched_rt_period_us", &period);
	if (run < 0)
		doctor_say(d, DOCTOR_OK, "throttling", NULL, "off");
	else if (period > 0 && run >= period / 10 * 9)
		doctor_say(d, DOCTOR_OK, "throttling", NULL,
			"realtime threads may run %" PRId64 " of %" PRId64
			" microseconds",
			run, period);
	else
		doctor_say(d, run == 0 ? DOCTOR_FAIL : DOCTOR_WARNING, "throttling",
			"sysctl kernel.sched_rt_runtime_us=950000",
			"realtime threads may run only %" PRId64 " of %" PRId64
			" microseconds",
			run, period);
}

/* Every processor that has a governor should have this one. */
static void check_governor(struct doctor *d)
{
	char path[PATH_MAX], v[DOCTOR_VALUE], first[DOCTOR_VALUE] = "";
	int seen = 0, slow = 0;
	struct dirent *e;

	snprintf(path, sizeof(path), "%s" CPU, d->root);
	DIR *dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, "cpu", 3) != 0)
			continue;
		snprintf(path, sizeof(path), CPU "/%s/cpufreq/scaling_governor",
			e->d_name);
		if (!doctor_line(d, path, v))
			continue;
		seen++;
		if (strcmp(v, "performance") != 0 && slow++ == 0)
			snprintf(first, sizeof(first), "%s", v);
	}
	if (dir)
		closedir(dir);
	if (slow)
		doctor_say(d, DOCTOR_WARNING, "governor",
			"cpupower frequency-set -g performance",
			"%s on %d of %d processors: the clock follows the load too late",
			first, slow, seen);
	else
		doctor_say(d, DOCTOR_OK, "governor", NULL, "%s",
			seen ? "performance" : "the clock is not the kernel's to change");
}

void doctor_kernel(struct doctor *d)
{
	doctor_preemption(d);
	check_throttling(d);
	check_governor(d);
}
