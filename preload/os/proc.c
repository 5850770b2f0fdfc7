/* SPDX-License-Identifier: MIT */
/*
 * proc.c - see proc.h
 *
 * Where the kernel wipes nothing (before Linux 4.14, or without memory for the page), a
 * copy counts as a borrower, because a borrower changes nothing and so breaks nothing.
 * Under a system call filter, which may end the program for the question, no process
 * counts as a borrower.
 */
#include "proc.h"

#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>

#include "child.h"
#include "sys.h"

#define PROC_PAGE 4096UL /* the kernel rounds up */
#define PROC_GONE 10000

static const uint32_t proc_ever = 1;
CHILD_DATA const uint32_t *proc_word = &proc_ever;

CHILD_DATA static pid_t proc_number; /* 0: nothing is owned yet */
static void (*proc_on_copy)(void);

/* A page of its own: the kernel wipes whole mappings. */
static uint32_t *proc_page(void)
{
	long at = sys_mmap(NULL, PROC_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_is_error(at))
		return NULL;
	if (sys_restricted() || sys_madvise((void *)at, PROC_PAGE, MADV_WIPEONFORK) < 0) {
		sys_munmap((void *)at, PROC_PAGE);
		return NULL;
	}
	*(uint32_t *)at = 1;
	return (uint32_t *)at;
}

void proc_own(void (*copied)(void))
{
	uint32_t *page;

	if (proc_number)
		return;
	page = proc_page();
	proc_on_copy = copied;
	if (page) /* relaxed: pairs with proc_copied(), which takes either */
		__atomic_store_n(&proc_word, page, __ATOMIC_RELAXED);
	__atomic_store_n(&proc_number, sys_getpid(), __ATOMIC_RELEASE);
}

/* True for one caller in a copy. */
static bool proc_take(void)
{
	uint32_t wiped = 0;

	/* relaxed: a copy starts with one thread */
	return proc_word != &proc_ever &&
	       __atomic_compare_exchange_n((uint32_t *)(uintptr_t)proc_word, &wiped, 1,
		       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void proc_child(void)
{
	proc_take();
	if (proc_number && !sys_restricted())
		proc_number = sys_getpid();
}

bool proc_mine(void)
{
	/* acquire: pairs with proc_own() */
	if (!__atomic_load_n(&proc_number, __ATOMIC_ACQUIRE))
		return true;
	if (proc_copied() && proc_take())
		proc_on_copy();
	return sys_restricted() || proc_number == sys_getpid();
}

void proc_wait_gone(pid_t tid)
{
	const struct timespec moment = {0, 100000};

	for (int i = 0; i < PROC_GONE && sys_tgkill(sys_getpid(), tid, 0) == 0; i++)
		sys_call3(SYS_nanosleep, (long)&moment, 0, 0);
}
