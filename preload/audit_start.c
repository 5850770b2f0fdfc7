/* SPDX-License-Identifier: MIT */
/*
 * audit_start.c - the file an audit is written into, and the threads it is about
 *
 * Never on the realtime path. The file is made at start; its pages are touched when the
 * first thread is audited, so a program without one costs its directory an empty file.
 * Of an audit that begins later, audit_attach.c.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "area.h"
#include "audit.h"
#include "fds.h"
#include "lock.h"
#include "log.h"
#include "sys.h"

enum { AUDIT_TRIES = 16 }; /* programs one process becomes by exec */

static struct lock audit_lock;
static struct audit_file *audit_made; /* at start */

static int audit_open(void *arg)
{
	char path[300];
	int fd = -1;

	for (int i = 0; i < AUDIT_TRIES && fd < 0; i++) {
		log_format(path, sizeof(path), "%s/%d.%d", (const char *)arg,
			sys_getpid(), i);
		fd = sys_openat(
			AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return fd;
	if (sys_call3(SYS_ftruncate, fd, sizeof(struct audit_file), 0) == 0) {
		long at = sys_mmap(NULL, sizeof(struct audit_file),
			PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		audit_made = sys_is_error(at) ? NULL : (struct audit_file *)at;
	}
	sys_close(fd);
	return audit_made ? 0 : -1;
}

void audit_begin_file(struct audit_file *a, const char *program, bool every)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	a->pid = (uint32_t)sys_getpid();
	a->ticks = __builtin_ia32_rdtsc();
	a->ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	a->every = every;
	strncpy(a->program, program, sizeof(a->program) - 1);
	a->version = AUDIT_VERSION;
	/* release: the reader looks for it before anything else */
	__atomic_store_n(&a->magic, AUDIT_MAGIC, __ATOMIC_RELEASE);
}

bool audit_start(const char *program)
{
	const char *dir = getenv("RTMEM_AUDIT");
	const char *every = getenv("RTMEM_AUDIT_ALL");

	if (!dir || *dir != '/' || strlen(dir) > 250 || getauxval(AT_SECURE))
		return false;
	if (fds_run(audit_open, (void *)(uintptr_t)dir) < 0) {
		log_line("no audit of this program: no file can be made in %s", dir);
		return false;
	}
	audit_begin_file(audit_made, program, every && *every);
	__atomic_store_n(&audit_page, audit_made, __ATOMIC_RELEASE);
	return true;
}

bool audit_wants(int sched)
{
	const struct audit_file *a = audit_going();

	return a && (a->every || sched == SCHED_FIFO || sched == SCHED_RR ||
			    sched == SCHED_DEADLINE);
}

void audit_touch(struct audit_file *a)
{
	for (size_t at = 0; at < sizeof(*a); at += AREA_PAGE)
		__atomic_fetch_or((unsigned char *)a + at, 0, __ATOMIC_RELAXED);
}

static uint32_t audit_take_thread(struct audit_file *a, uint32_t tid)
{
	for (uint32_t i = 0; i < a->nthread; i++) {
		if (a->thread[i].tid == tid)
			return i + 1;
	}
	if (a->nthread == AUDIT_THREADS) {
		a->no_thread++;
		return AUDIT_NOBODY;
	}
	if (a->nthread == 0 && a == audit_made) {
		audit_touch(a);
		a->locked = sys_mlock(a, sizeof(*a)) == 0;
	}
	a->thread[a->nthread].tid = tid;
	return a->nthread + 1;
}

uint32_t audit_thread(uint32_t tid, const char *name, int sched, int priority)
{
	uint32_t me = lock_tid(), n;
	struct audit_file *a = audit_going();
	struct audit_thread *t;

	if (!a)
		return AUDIT_NOBODY;
	lock_acquire(&audit_lock, me);
	n = audit_take_thread(a, tid);
	if (n != AUDIT_NOBODY) {
		t = &a->thread[n - 1];
		memcpy(t->name, name, sizeof(t->name));
		t->sched = sched;
		t->priority = (uint32_t)priority;
		/* release: the record before the number that shows it to the reader */
		if (n > a->nthread)
			__atomic_store_n(&a->nthread, n, __ATOMIC_RELEASE);
	}
	lock_release(&audit_lock, me);
	return n;
}

void audit_child(void)
{
	/* relaxed: the child has one thread */
	__atomic_store_n(&audit_page, NULL, __ATOMIC_RELAXED);
	audit_lock.word = 0;
	audit_attach_child();
}
