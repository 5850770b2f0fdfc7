/* SPDX-License-Identifier: MIT */
/*
 * area_fork.c - a fork elsewhere in the program costs a realtime thread no page fault
 *
 * fork() write-protects every private page of the parent, locked or not, and each is
 * faulted on the next write. Pages that are pinned (area_pin.c) are copied by the kernel
 * instead. For areas with AREA_PIN that are not pinned to the last page, three steps do
 * the same from here:
 *
 *	prepare  Copy what is committed to fresh memory. Mark the area "zeroes in a
 *	         child", so that the kernel leaves its pages alone.
 *	parent   Take the mark away, give the copy back.
 *	child    Move the copy to the area's address: private memory with the same bytes.
 *
 * Zeroes rather than a hole, because libc writes to some blocks in the child before the
 * handlers run; what it reads there keeps plain copy-on-write, page by page
 * (area_streams.c). The copy is as exact as fork() itself, which does not stop other
 * threads either. Where there is no memory for it, or the forking thread itself lives in
 * the area, this fork is plain copy-on-write. The area lock is held from prepare to
 * parent: the helper's commits wait, realtime threads never take it. Bound: KEPT_MAX
 * pages.
 */
#include "area.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "os/child.h"
#include "os/fd_table.h"
#include "os/log.h"
#include "os/sys.h"
#include "area_private.h"

#define KEPT_MAX 64

static struct {
	struct area *area;
	unsigned char *copy;
	size_t len;
} shots[AREA_MAX];
CHILD_DATA static int shot_count;

/* Pages inside areas that children inherit as ever. */
static unsigned char *kept[KEPT_MAX];
CHILD_DATA static int kept_count;

/* The thread that is between prepare and parent; a signal handler of it may fork again.
 */
CHILD_DATA static pid_t forker;
CHILD_DATA static unsigned forker_depth;

static bool inside(const struct area *a, const void *p)
{
	return (uintptr_t)p - (uintptr_t)a->base < a->committed;
}

static bool wants_copy(const struct area *a)
{
	return a && a->flags & AREA_PIN && a->committed > 0 && a->pinned < a->committed &&
	       !inside(a, __builtin_frame_address(0)) &&
	       !inside(a, __builtin_thread_pointer());
}

static void take_shot(struct area *a)
{
	long copy = sys_mmap(NULL, a->committed, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_is_error(copy))
		return;
	if (area_populate((unsigned char *)copy, a->committed) < 0 ||
		sys_madvise(a->base, a->committed, MADV_WIPEONFORK) < 0) {
		sys_munmap((void *)copy, a->committed);
		return;
	}
	memcpy((void *)copy, a->base, a->committed);
	shots[shot_count].area = a;
	shots[shot_count].copy = (unsigned char *)copy;
	shots[shot_count++].len = a->committed;
}

static void drop_shots(void)
{
	for (int i = 0; i < shot_count; i++) {
		sys_madvise(shots[i].area->base, shots[i].len, MADV_KEEPONFORK);
		sys_munmap(shots[i].copy, shots[i].len);
	}
	shot_count = 0;
	kept_count = 0;
}

static bool keep_page(unsigned char *page)
{
	for (int i = 0; i < kept_count; i++)
		if (kept[i] == page)
			return true;
	if (kept_count == KEPT_MAX || sys_madvise(page, AREA_PAGE, MADV_KEEPONFORK) < 0)
		return false;
	kept[kept_count++] = page;
	return true;
}

/* For area_streams_each(): false when there are too many pages to keep. */
static bool keep(const void *start, size_t len)
{
	uintptr_t page = (uintptr_t)start & ~(AREA_PAGE - 1);

	for (; page < (uintptr_t)start + len; page += AREA_PAGE)
		for (int i = 0; i < shot_count; i++)
			if (inside(shots[i].area, (void *)page) &&
				!keep_page((unsigned char *)page))
				return false;
	return true;
}

static void take_shots(void)
{
	size_t bytes = 0;

	for (int i = 0; i < AREA_MAX; i++)
		if (wants_copy(area_all[i]))
			bytes += area_all[i]->committed;
	if (bytes == 0 || sys_restricted() || area_check_memory(bytes) < 0)
		return;
	for (int i = 0; i < AREA_MAX; i++)
		if (wants_copy(area_all[i]))
			take_shot(area_all[i]);
	if (shot_count == 0)
		return;
	if (!area_streams_hold()) {
		drop_shots();
	} else if (!area_streams_each(keep)) {
		area_streams_let_go(false);
		drop_shots();
	}
}

void area_fork_prepare(void)
{
	pid_t self = sys_gettid();
	uint64_t signals;

	/* relaxed: only this thread can have stored its own tid */
	if (__atomic_load_n(&forker, __ATOMIC_RELAXED) == self) {
		forker_depth++;
		return;
	}
	area_acquire(&signals);
	take_shots();
	forker_depth = 1;
	__atomic_store_n(&forker, self, __ATOMIC_RELAXED); /* as above */
	/* the program's other handlers and fork() itself run with its own mask */
	sys_sigprocmask(SIG_SETMASK, &signals, NULL);
}

void area_fork_parent(void)
{
	uint64_t all = ~0ULL, signals;

	if (forker_depth == 0 || --forker_depth > 0)
		return;
	sys_sigprocmask(SIG_SETMASK, &all, &signals);
	if (shot_count > 0) {
		area_streams_let_go(false);
		drop_shots();
	}
	__atomic_store_n(&forker, 0, __ATOMIC_RELAXED); /* as in prepare */
	area_release_lock(&signals);
}

/* The first kept page at or after p, or end. */
static unsigned char *next_kept(const unsigned char *p, unsigned char *end)
{
	unsigned char *found = end;

	for (int i = 0; i < kept_count; i++)
		if (kept[i] >= p && kept[i] < found)
			found = kept[i];
	return found;
}

static void restore(struct area *a, unsigned char *copy, size_t len)
{
	unsigned char *at = a->base, *end = a->base + len, *stop;

	for (; at < end; at = stop + AREA_PAGE) {
		stop = next_kept(at, end);
		if (stop == at)
			continue;
		if (sys_is_error(sys_mremap(copy + (at - a->base), (size_t)(stop - at),
			    (size_t)(stop - at), MREMAP_MAYMOVE | MREMAP_FIXED, at)))
			memcpy(at, copy + (at - a->base), (size_t)(stop - at));
	}
	sys_munmap(copy, len);
}

void area_fork_child(void)
{
	if (shot_count > 0)
		area_streams_let_go(true);
	for (int i = 0; i < shot_count; i++)
		restore(shots[i].area, shots[i].copy, shots[i].len);
	CHILD_SET(shot_count, 0);
	CHILD_SET(kept_count, 0);
	/* neither locks nor pins are inherited */
	for (int i = 0; i < AREA_MAX; i++) {
		if (area_all[i]) {
			CHILD_SET(area_all[i]->locked, 0);
			CHILD_SET(area_all[i]->pinned, 0);
		}
	}
	CHILD_SET(forker, 0);
	CHILD_SET(forker_depth, 0);
	area_pin_child();
	fd_table_child();
	area_lock_child();
}
