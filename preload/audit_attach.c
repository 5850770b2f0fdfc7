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
#include <sys/mman.h>

#include "area.h"
#include "audit.h"
#include "program.h"
#include "sys.h"
#include "../include/rtmem_stats.h"

#define LIVE_BYTES ((sizeof(struct audit_file) + AREA_PAGE - 1) & ~(AREA_PAGE - 1))
#define LIVE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static void *live_at; /* where every file is mapped; NULL: not yet */
static int live_fd = -1;

/* Memory for nothing: what is written there is lost. */
static void *live_nowhere(void *at)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0);
	long got = sys_mmap(at, LIVE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (sys_is_error(got))
		return NULL;
	/* the program's mlockall does not mean it */
	sys_munlock((void *)got, LIVE_BYTES);
	sys_madvise((void *)got, LIVE_BYTES, MADV_DONTNEED);
	sys_madvise((void *)got, LIVE_BYTES, MADV_DONTDUMP);
	return (void *)got;
}

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
		ret = sys_call3(SYS_ftruncate, fd, (long)LIVE_BYTES, 0);
	if (ret >= 0)
		ret = sys_call3(SYS_fcntl, fd, F_ADD_SEALS, LIVE_SEALS);
	if (ret >= 0)
		return fd;
	sys_close(fd);
	return (int)ret;
}

static int live_map(void)
{
	long got;

	if (!live_at)
		live_at = live_nowhere(NULL);
	if (!live_at)
		return -ENOMEM;
	/* a thread that still writes there waits for the kernel, which holds the map */
	got = sys_mmap(live_at, LIVE_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, live_fd, 0);
	if (sys_is_error(got))
		return (int)got;
	sys_munlock(live_at, LIVE_BYTES);
	return 0;
}

struct audit_file *audit_attach_make(bool every, int *error)
{
	char program[sizeof(((struct audit_file *)0)->program)];

	*error = EPERM;
	if (sys_restricted())
		return NULL;
	*error = ENOMEM;
	if (area_memory_available() < 4 * LIVE_BYTES)
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
	audit_touch(live_at);
	audit_begin_file(live_at, program, every);
	return live_at;
}

void audit_attach_drop(void)
{
	if (live_at)
		live_nowhere(live_at);
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
	live_nowhere(live_at);
}
