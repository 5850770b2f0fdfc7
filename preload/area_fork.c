/* SPDX-License-Identifier: MIT */
/*
 * area_fork.c - a fork elsewhere in the program costs a realtime thread no page fault
 *
 * fork() write-protects every private page of the parent, locked or not, and each is
 * faulted on the next write. Pages that are pinned (area_pin.c) are copied by the kernel
 * instead. For areas with AREA_PIN that are not pinned to the last page, three steps do
 * the same from here:
 *
 *	prepare  copy what is committed to fresh memory, take the area out of the fork
 *	parent   put the area back, give the copy away
 *	child    move the copy to the area's address: private memory with the same bytes
 *
 * The copy is as exact as fork() itself, which does not stop other threads either. Where
 * there is no memory for it, this fork is plain copy-on-write. The area lock is held from
 * prepare to parent: the helper's commits wait, realtime threads never take it.
 */
#include "area.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "area_private.h"
#include "fds.h"
#include "log.h"
#include "sys.h"

static struct {
	struct area *area;
	void *copy;
	size_t len;
} shots[AREA_MAX];
static int shot_count;

/* The thread that is between prepare and parent; a signal handler of it may fork again.
 */
static pid_t forker;
static unsigned forker_depth;

static bool wants_copy(const struct area *a)
{
	return a && a->flags & AREA_PIN && a->committed > 0 && a->pinned < a->committed;
}

static void take_shot(struct area *a)
{
	long copy = sys_mmap(NULL, a->committed, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_is_error(copy))
		return;
	if (area_populate((unsigned char *)copy, a->committed) < 0 ||
		sys_madvise(a->base, a->committed, MADV_DONTFORK) < 0) {
		sys_munmap((void *)copy, a->committed);
		return;
	}
	memcpy((void *)copy, a->base, a->committed);
	shots[shot_count].area = a;
	shots[shot_count].copy = (void *)copy;
	shots[shot_count++].len = a->committed;
}

static void take_shots(void)
{
	size_t bytes = 0;

	for (int i = 0; i < AREA_MAX; i++)
		if (wants_copy(area_all[i]))
			bytes += area_all[i]->committed;
	if (bytes == 0 || area_restricted || area_check_memory(bytes) < 0)
		return;
	for (int i = 0; i < AREA_MAX; i++)
		if (wants_copy(area_all[i]))
			take_shot(area_all[i]);
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

	if (--forker_depth > 0)
		return;
	sys_sigprocmask(SIG_SETMASK, &all, &signals);
	for (int i = 0; i < shot_count; i++) {
		sys_madvise(shots[i].area->base, shots[i].len, MADV_DOFORK);
		sys_munmap(shots[i].copy, shots[i].len);
	}
	shot_count = 0;
	__atomic_store_n(&forker, 0, __ATOMIC_RELAXED); /* as in prepare */
	area_release_lock(&signals);
}

void area_fork_child(void)
{
	for (int i = 0; i < shot_count; i++) {
		long got = sys_mremap(shots[i].copy, shots[i].len, shots[i].len,
			MREMAP_MAYMOVE | MREMAP_FIXED, shots[i].area->base);

		if (sys_is_error(got))
			log_line("fork: pool memory is missing in the child (error %ld)",
				-got);
	}
	shot_count = 0;
	/* neither locks nor pins are inherited */
	for (int i = 0; i < AREA_MAX; i++)
		if (area_all[i])
			area_all[i]->locked = area_all[i]->pinned = 0;
	forker = 0;
	forker_depth = 0;
	area_pin_child();
	fds_child();
	area_lock_child();
}
