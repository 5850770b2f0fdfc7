/* SPDX-License-Identifier: MIT */
/*
 * audit_attach.c - the file of an audit that begins while the program runs
 *
 * A file in memory that only the helper has open, mapped at an address that is kept for
 * good: a thread that was interrupted while it wrote something down may go on long after
 * the audit has ended, and then writes into memory that nobody reads. Not locked: what
 * may be locked is left to the pools; its pages are there before the first call.
 *
 * Helper only, never on the realtime path. One file at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>

#include "include/rtmem_stats.h"
#include "os/child.h"
#include "os/program.h"
#include "os/sys.h"
#include "memory/area.h"
#include "audit.h"

#define LIVE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static struct audit_book *live_at; /* where each audit is mapped; NULL: not yet */
CHILD_DATA static int live_fd = -1;

/* A negative errno, or the descriptor. */
static int live_file(void)
{
	/* not executable where the kernel knows of that; not past an exec */
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = (int)sys_call3(SYS_memfd_create, (long)RTMEM_STATS_AUDIT_FILE,
		(long)(flags | 8u /* MFD_NOEXEC_SEAL */), 0);
	long ret;

	if (fd == -EINVAL)
		fd = (int)sys_call3(
			SYS_memfd_create, (long)RTMEM_STATS_AUDIT_FILE, (long)flags, 0);
	if (fd < 0)
		return fd;
	ret = sys_call3(SYS_fchmod, fd, 0600, 0);
	if (ret >= 0)
		ret = sys_call4(SYS_fallocate, fd, 0, 0, (long)AUDIT_FILE_BYTES);
	if (ret >= 0)
		ret = sys_call3(SYS_fcntl, fd, F_ADD_SEALS, LIVE_SEALS);
	if (ret >= 0)
		return fd;
	sys_close(fd);
	return ret == -ENOSPC ? -ENOMEM : (int)ret;
}

static int live_map(void)
{
	int ret;

	if (!live_at)
		live_at = audit_memory(NULL);
	if (!live_at)
		return -ENOMEM;
	ret = audit_memory_map(live_at, live_fd);
	return ret < 0 ? ret : audit_memory_fill(live_at);
}

struct audit_book *audit_attach_make(bool every, int *error)
{
	char program[sizeof(((struct audit_file *)0)->program)];

	*error = EPERM;
	if (sys_restricted())
		return NULL;
	*error = ENOMEM;
	if (area_memory_available() < 4 * (AUDIT_FILE_BYTES + AUDIT_BOOK_BYTES))
		return NULL;
	live_fd = live_file();
	if (live_fd < 0) {
		*error = -live_fd;
		return NULL;
	}
	*error = -live_map();
	if (*error) {
		audit_attach_drop();
		return NULL;
	}
	if (!program_name(program, sizeof(program)))
		program[0] = '\0';
	audit_begin_file(live_at, program, every);
	return live_at;
}

void audit_attach_drop(void)
{
	if (live_at)
		audit_memory(live_at);
	if (live_fd >= 0)
		sys_close(live_fd);
	live_fd = -1;
}

void audit_attach_child(void)
{
	if (live_fd < 0)
		return;
	/* the helper's descriptor is not in the child's table */
	live_fd = -1;
	audit_memory(live_at);
}
