/* SPDX-License-Identifier: MIT */
/*
 * atfork.c - see atfork.h
 *
 * Allocates nothing, never on the realtime path. Bound: what the functions it calls take.
 */
#include "atfork.h"

#include <sys/single_threaded.h>

#include "os/base.h"
#include "os/libc.h"
#include "os/next.h"

extern void *__dso_handle __attribute__((visibility("hidden")));

static struct {
	bool (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
} atfork_ours;
static bool atfork_on; /* atomic: release in atfork_use() */

/*
 * What this fork has done before it, to be undone after it. jemalloc's locks are left
 * alone where nobody else can have one: one of its own (the fork is a signal handler's)
 * the forking thread lets go itself, in both processes. What jemalloc knows of threads
 * that are not in the child it forgets there in any case.
 */
static __attribute__((tls_model("initial-exec"))) __thread bool atfork_held, atfork_asked,
	atfork_alone;

static void atfork_prepare(void)
{
	atfork_alone = __libc_single_threaded;
	atfork_held = !atfork_alone;
	/* acquire: pairs with atfork_use() */
	atfork_asked = __atomic_load_n(&atfork_on, __ATOMIC_ACQUIRE);
	if (atfork_asked)
		atfork_held &= atfork_ours.prepare();
	if (atfork_held)
		base_fork_prepare();
}

static void atfork_parent(void)
{
	if (atfork_held)
		base_fork_parent();
	if (atfork_asked)
		atfork_ours.parent();
}

static void atfork_child(void)
{
	if (!atfork_alone)
		base_fork_child();
	if (atfork_asked)
		atfork_ours.child();
}

typedef int atfork_register_fn(void (*)(void), void (*)(void), void (*)(void), void *);

int atfork_register(
	void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object)
{
	return NEXT(atfork_register_fn, "__register_atfork")(
		prepare, parent, child, object);
}

void atfork_first(void)
{
	static bool done;

	/* acq_rel: one caller registers; another one cannot be ahead of it by more than
	 * the same instructions */
	if (!__atomic_exchange_n(&done, true, __ATOMIC_ACQ_REL))
		((atfork_register_fn *)libc_function("__register_atfork"))(
			atfork_prepare, atfork_parent, atfork_child, &__dso_handle);
}

void atfork_use(bool (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	atfork_ours.prepare = prepare;
	atfork_ours.parent = parent;
	atfork_ours.child = child;
	/* release: the three before the flag; pairs with atfork_prepare() */
	__atomic_store_n(&atfork_on, true, __ATOMIC_RELEASE);
}
