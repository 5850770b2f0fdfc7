/* SPDX-License-Identifier: MIT */
/*
 * area_advice.c - the line that says how much memory could not be locked or had, why,
 * and the cure
 *
 * One line a pool. Never advises a file capability: it makes the loader drop the preload.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "os/log.h"
#include "os/sys.h"
#include "area_private.h"

#define RAISE_IT                                                          \
	"raise it: \"@audio - memlock %zu\" in /etc/security/limits.d/, " \
	"LimitMEMLOCK=%zuM or AmbientCapabilities=CAP_IPC_LOCK in a systemd unit"

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

/* What to ask for: twice the bytes, at least 64 MiB, a power of two of MiB. */
static size_t wanted_mib(size_t bytes)
{
	size_t mib = 64;

	while (mib < bytes >> 19 && mib < (size_t)1 << 40)
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
	size_t mib = wanted_mib(a->reserved);

	if (a->locked == a->committed && a->lock_error == 0)
		return;
	human_share(locked, all, sizeof locked, a->locked, a->committed);
	sys_call4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, (long)&rl);
	if (rl.rlim_cur == RLIM_INFINITY || !is_limit(a->lock_error, rl.rlim_cur)) {
		log_line("locked %s of %s of pool \"%s\": the system refused (error %d)",
			locked, all, pool_name, a->lock_error);
		return;
	}
	log_line("locked %s of %s of pool \"%s\": RLIMIT_MEMLOCK is %s; " RAISE_IT,
		locked, all, pool_name, human(limit, sizeof limit, rl.rlim_cur),
		mib << 10, mib);
}

void area_refused_advice(size_t bytes, bool required, int error, const char *pool_name)
{
	char all[24], other[24];
	struct rlimit rl = {0, 0};
	size_t mib = wanted_mib(bytes);

	human(all, sizeof all, bytes);
	sys_call4(SYS_prlimit64, 0, RLIMIT_MEMLOCK, 0, (long)&rl);
	if (required && bytes > rl.rlim_cur && is_limit(error, rl.rlim_cur))
		log_line(
			"pool \"%s\": cannot lock %s, and lock = require: its rules are off and jemalloc serves them; RLIMIT_MEMLOCK is %s; " RAISE_IT,
			pool_name, all, human(other, sizeof other, rl.rlim_cur),
			mib << 10, mib);
	else if (error == ENOMEM && area_check_memory(bytes) < 0)
		log_line(
			"pool \"%s\": cannot have %s, there are %s without danger: its rules are off and jemalloc serves them",
			pool_name, all,
			human(other, sizeof other, area_memory_available()));
	else
		log_line(
			"pool \"%s\": cannot have %s (error %d): its rules are off and jemalloc serves them",
			pool_name, all, error);
}
