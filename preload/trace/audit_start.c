/* SPDX-License-Identifier: MIT */
/*
 * audit_start.c - the file an audit is written into, and the threads it is about
 *
 * Never on the realtime path. The file is made at start; its memory is taken when the
 * first thread is audited, so a program without one costs its directory one page. Where
 * there is no room for it the program goes on without an audit, and one line says so. Of
 * an audit that begins later, audit_attach.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "os/child.h"
#include "os/fd_table.h"
#include "os/lock.h"
#include "os/log.h"
#include "os/sys.h"
#include "memory/area.h"
#include "audit.h"

enum { AUDIT_TRIES = 16 }; /* programs one process becomes by exec */

CHILD_DATA static struct lock audit_lock;
CHILD_DATA static struct audit_book *audit_made; /* at start */
static char audit_dir[256];
/* atomic: a child of fork, whose file is not made yet */
CHILD_DATA static bool audit_parted;

/* More would end the program with SIGXFSZ. */
static bool audit_may_be(size_t size)
{
	struct rlimit64 most;

	return sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&most) < 0 ||
	       most.rlim_cur >= size;
}

/* The first n bytes have memory from now on. */
static int audit_reserve(int fd, size_t n)
{
	static const char nothing[AREA_PAGE];
	long ret = sys_call4(SYS_fallocate, fd, 0, 0, (long)n);

	if (ret != -EOPNOTSUPP && ret != -ENOSYS)
		return (int)ret;
	for (size_t at = 0; at < n; at += sizeof(nothing)) {
		ret = sys_call4(
			SYS_pwrite64, fd, (long)nothing, sizeof(nothing), (long)at);
		if (ret != (long)sizeof(nothing))
			return ret < 0 ? (int)ret : -ENOSPC;
	}
	return 0;
}

/* What the head needs; all of it where the kernel cannot be asked for the rest later. */
static int audit_lay_out(int fd)
{
	struct audit_book *b = audit_memory(NULL);
	int ret = b ? audit_reserve(fd, AREA_PAGE) : -ENOMEM;

	_Static_assert(offsetof(struct audit_file, thread) <= AREA_PAGE, "the head");
	if (ret >= 0)
		ret = (int)sys_call3(SYS_ftruncate, fd, (long)AUDIT_FILE_BYTES, 0);
	if (ret >= 0)
		ret = audit_memory_map(b, fd);
	if (ret >= 0 && !audit_memory_can_fill(b))
		ret = audit_reserve(fd, AUDIT_FILE_BYTES);
	if (ret >= 0)
		audit_made = b;
	else if (b)
		sys_munmap(audit_file_of(b), AUDIT_FILE_BYTES + AUDIT_BOOK_BYTES);
	return ret;
}

static int audit_open(void *arg)
{
	char path[300];
	int fd = audit_may_be(AUDIT_FILE_BYTES) ? -EEXIST : -EFBIG, ret;

	for (int i = 0; i < AUDIT_TRIES && fd == -EEXIST; i++) {
		log_format(path, sizeof(path), "%s/%d.%d", (const char *)arg,
			sys_getpid(), i);
		fd = sys_openat(
			AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return fd;
	ret = audit_lay_out(fd);
	if (ret < 0)
		sys_call3(SYS_unlink, (long)path, 0, 0);
	sys_close(fd);
	return ret;
}

void audit_begin_file(struct audit_book *b, const char *program, bool every)
{
	struct audit_file *a = audit_file_of(b);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	a->pid = (uint32_t)sys_getpid();
	a->ticks = __builtin_ia32_rdtsc();
	a->ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	a->every = b->every = every;
	strncpy(a->program, program, sizeof(a->program) - 1);
	a->version = AUDIT_VERSION;
	/* release: the reader looks for it before anything else */
	__atomic_store_n(&a->magic, AUDIT_MAGIC, __ATOMIC_RELEASE);
}

static void audit_say_none(const char *dir, int error)
{
	if (error == -ENOSPC || error == -EDQUOT || error == -EFBIG || error == -ENOMEM)
		log_line("no audit of this program: no room in %s", dir);
	else
		log_line("no audit of this program: no file can be made in %s", dir);
}

/* The file of this process; its program is called so, and may be of the file before. */
static int audit_make(const char *program, bool every)
{
	int ret = fd_table_run(audit_open, audit_dir);

	if (ret < 0)
		return ret;
	audit_begin_file(audit_made, program, every);
	/* release: the file is complete; pairs with audit_going() */
	__atomic_store_n(&audit_page, audit_made, __ATOMIC_RELEASE);
	return 0;
}

bool audit_start(const char *program)
{
	const char *dir = getenv("RTMEM_AUDIT");
	const char *every = getenv("RTMEM_AUDIT_ALL");
	int ret;

	if (!dir || *dir != '/' || strlen(dir) > 250 || getauxval(AT_SECURE))
		return false;
	memcpy(audit_dir, dir, strlen(dir) + 1);
	ret = audit_make(program, every && *every);
	if (ret < 0)
		audit_say_none(dir, ret);
	return ret >= 0;
}

static bool audit_is_realtime(int sched)
{
	return sched == SCHED_FIFO || sched == SCHED_RR || sched == SCHED_DEADLINE;
}

bool audit_wants(int sched)
{
	const struct audit_book *a = audit_going();

	return a && (a->every || audit_is_realtime(sched));
}

void audit_part(int sched, bool first)
{
	struct audit_book *before = audit_made;
	int ret;

	/* relaxed, both: the thread that clears it makes the file; others find it later */
	if (!__atomic_load_n(&audit_parted, __ATOMIC_RELAXED) || sys_restricted() ||
		!(audit_is_realtime(sched) || (before->every && !first)) ||
		!__atomic_exchange_n(&audit_parted, false, __ATOMIC_RELAXED))
		return;
	ret = audit_make(audit_file_of(before)->program, before->every);
	if (ret < 0)
		audit_say_none(audit_dir, ret);
}

/* Of the audit since the start: when its first thread appears. */
static bool audit_ready(struct audit_book *b)
{
	int ret = sys_restricted() ? -ENOSPC : audit_memory_fill(b);

	if (ret < 0) {
		/* the part that it got is of no use: others may have it */
		sys_madvise((char *)audit_file_of(b) + AREA_PAGE,
			AUDIT_FILE_BYTES - AREA_PAGE, MADV_REMOVE);
		audit_file_of(b)->no_room = 1;
		__atomic_store_n(&audit_page, NULL, __ATOMIC_RELEASE);
		audit_say_none(audit_dir, -ENOSPC);
		return false;
	}
	audit_file_of(b)->locked =
		sys_mlock(audit_file_of(b), AUDIT_FILE_BYTES + AUDIT_BOOK_BYTES) == 0;
	return true;
}

static uint32_t audit_take_thread(struct audit_book *b, uint32_t tid)
{
	for (uint32_t i = 0; i < b->nthread; i++) {
		if (b->tid[i] == tid)
			return i + 1;
	}
	if (b->nthread == AUDIT_THREADS) {
		audit_file_of(b)->no_thread++;
		return AUDIT_NOBODY;
	}
	if (b->nthread == 0 && b == audit_made && !audit_ready(b))
		return AUDIT_NOBODY;
	b->tid[b->nthread] = audit_file_of(b)->thread[b->nthread].tid = tid;
	return b->nthread + 1;
}

uint32_t audit_thread(uint32_t tid, const char *name, int sched, int priority)
{
	uint32_t me = lock_tid(), n;
	struct audit_book *b = audit_going();
	struct audit_thread *t;

	if (!b)
		return AUDIT_NOBODY;
	lock_acquire(&audit_lock, me);
	n = audit_take_thread(b, tid);
	if (n != AUDIT_NOBODY) {
		t = &audit_file_of(b)->thread[n - 1];
		memcpy(t->name, name, sizeof(t->name));
		t->sched = sched;
		t->priority = (uint32_t)priority;
		/* release: the record before the number that shows it to the reader */
		if (n > b->nthread)
			__atomic_store_n(&audit_file_of(b)->nthread, n, __ATOMIC_RELEASE);
		if (n > b->nthread)
			b->nthread = n;
	}
	lock_release(&audit_lock, me);
	return n;
}

void audit_child(void)
{
	/* the child has one thread */
	CHILD_SET(audit_page, NULL);
	CHILD_SET(audit_parted, audit_made != NULL);
	lock_child(&audit_lock);
	audit_attach_child();
}
