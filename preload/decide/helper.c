/* SPDX-License-Identifier: MIT */
/*
 * helper.c - the background thread: commits, grows, drains, looks
 *
 * The program sees its name and nothing else of it. It blocks every signal except the two
 * that libc needs to reach all threads. It has a descriptor table of its own, with the
 * statistics page and an inotify descriptor. It never runs code of the program.
 *
 * The helper has the lowest realtime class where the process may have one, and else the
 * ordinary class (helper_birth.c). Other threads may starve it in both: nothing on the
 * realtime path waits for it. It works in steps and sleeps between them, because the
 * kernel ends a process whose realtime thread exceeds RLIMIT_RTTIME without a sleep.
 */
#include "helper.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "os/base.h"
#include "os/child.h"
#include "os/log.h"
#include "os/proc.h"
#include "os/sys.h"
#include "engine/pools.h"
#include "engine/recycle.h"
#include "sites/site.h"
#include "helper_birth.h"
#include "helper_group.h"
#include "observer.h"
#include "reload.h"
#include "rule.h"
#include "thread.h"

/* One turn of the loop: fast while a growing pool may run short, slow when idle. */
#define HELPER_TURN_GROWING_NS 500000L
#define HELPER_TURN_MATCHED_NS 5000000L
#define HELPER_TURN_IDLE_NS    50000000L
/* Facts and names are looked at this often (the promise is 300 ms). */
#define HELPER_LOOK_NS	50000000L
#define HELPER_NAMES_NS 150000000L

#define HELPER_GROW_MIN (256UL << 10)
#define HELPER_GROW_MAX (2UL << 20)
#define HELPER_LOW_MAX	(4UL << 20)

CHILD_DATA static int helper_state; /* atomic: 0 none, 1 started */
static uint32_t helper_leave;	    /* futex */
static pthread_t helper_thread;
static pid_t helper_tid;	  /* written by the helper, read by who has joined it */
static bool helper_natives;	  /* atomic, relaxed: a pool of the API may grow */
static void (*helper_also)(void); /* atomic: release by who asks, acquire by the helper */

bool helper_running(void)
{
	return proc_mine() && __atomic_load_n(&helper_state, __ATOMIC_ACQUIRE) == 1;
}

struct helper_turn {
	bool growing; /* some pool may still grow */
};

/* About an eighth of what the pool may reach. */
static size_t helper_step(const struct pool *p, size_t left)
{
	size_t step = p->max / 8;

	step = step < HELPER_GROW_MIN ? HELPER_GROW_MIN : step;
	step = step > HELPER_GROW_MAX ? HELPER_GROW_MAX : step;
	return step > left ? left : step;
}

/* Grow ahead of need: below the low-water mark. */
static void helper_pool(struct pool *p, void *arg)
{
	struct helper_turn *t = arg;
	size_t low, left;

	if (!p->ready || pools_inherited(p))
		return;
	pool_say_full(p);
	pool_tend(p);
	left = p->area.reserved - p->area.committed;
	if (left < AREA_PAGE || p->max <= p->size || p->grow_failed)
		return;
	t->growing = true;
	low = p->size / 2 < HELPER_LOW_MAX ? p->size / 2 : HELPER_LOW_MAX;
	if (pool_available(p) >= low)
		return;
	if (pool_grow(p, helper_step(p, left)) < 0) {
		p->grow_failed = true; /* said once, not tried again */
		log_line(
			"pool \"%s\" cannot grow beyond %zu KiB: no memory left to lock or touch without danger",
			p->name, p->area.committed >> 10);
	}
}

static void helper_drain(struct slot *s, void *arg)
{
	route_drain_deferred(s);
}

/* For a thread that got nothing of jemalloc: it does not wait for the helper's look. */
static void helper_relieve(void)
{
	thread_each(helper_drain, NULL);
	base_purge();
}

static int64_t helper_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Waking early is harmless; signals are blocked. */
static void helper_sleep(long ns)
{
	struct timespec ts = {0, ns};

	sys_futex(&helper_leave, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts);
}

static void helper_look(int64_t now)
{
	static int64_t next_look, next_names;
	bool names = now >= next_names;

	if (now < next_look)
		return;
	next_look = now + HELPER_LOOK_NS;
	if (names)
		next_names = now + HELPER_NAMES_NS;
	thread_look(names);
	site_poll();
}

/*
 * A table of its own, empty: it keeps no pipe of the program open and takes no number the
 * program expects to get. Under a filter of the program it shares the program's, and
 * opens nothing. Where the whole program was started under one (a service), the call that
 * reaches the program's standard error from outside may be fatal: a copy is kept.
 */
static void helper_own_table(void)
{
	bool keep = sys_prctl(PR_GET_SECCOMP, 0) > 0;

	if (sys_call3(SYS_close_range, keep ? 3 : 0, ~0U, 2 /* CLOSE_RANGE_UNSHARE */) <
		0)
		return;
	if (keep) {
		sys_close(0);
		sys_close(1);
	}
	log_use_process_stderr(keep);
	helper_group_join();
	observer()->open(helper_now());
	reload_open(helper_now());
}

static void *helper_main(void *arg)
{
	/* its mallocs, and libc's in its name, go to jemalloc and are never matched */
	route_self = &route_gone;
	sys_begin_optional();
	sys_mark_own_thread();
	sys_prctl(PR_SET_NAME, (unsigned long)"rtmem-helper");
	helper_birth_self();
	helper_tid = (pid_t)lock_tid();
	if (!sys_restricted())
		helper_own_table();
	sys_end_optional();
	while (!__atomic_load_n(&helper_leave, __ATOMIC_ACQUIRE)) {
		struct helper_turn t = {false};
		bool matched = thread_matched() > 0;
		void (*also)(void);

		sys_begin_optional();
		thread_each(helper_drain, NULL);
		if (matched || __atomic_load_n(&helper_natives, __ATOMIC_RELAXED))
			pools_each_held(helper_pool, &t);
		also = __atomic_load_n(&helper_also, __ATOMIC_ACQUIRE);
		if (also)
			also();
		recycle_age_all();
		log_flush_posted();
		helper_look(helper_now());
		reload_turn(helper_now());
		observer()->turn(helper_now());
		sys_end_optional();
		helper_sleep(t.growing ? HELPER_TURN_GROWING_NS
			     : matched ? HELPER_TURN_MATCHED_NS
				       : HELPER_TURN_IDLE_NS);
	}
	reload_close();
	observer()->close();
	return NULL;
}

static void helper_create(void)
{
	int error = helper_birth(&helper_thread, helper_main);

	if (error == 0)
		return;
	/* EINVAL: its children are to have another PID namespace; it cannot have any
	 * thread */
	if (error != EINVAL)
		log_once(
			"cannot start the helper thread: pools will not grow, and threads promoted by other processes will not be seen");
	/* release: the next who wants it tries again */
	__atomic_store_n(&helper_state, 0, __ATOMIC_RELEASE);
}

/* An ordinary thread, the only one, in a malloc that found its pool too short. */
static bool helper_grow_alone(struct pool *p, size_t size)
{
	size_t step, left;
	bool grown = false;

	/* acq_rel: only the thread that takes the function away acts */
	if (!proc_mine() || !__atomic_exchange_n(&route_alone, NULL, __ATOMIC_ACQ_REL))
		return false;
	if (p && !pools_inherited(p) && p->max > p->size) {
		left = p->area.reserved - p->area.committed;
		step = helper_step(p, left);
		/* twice: what is left of the chunk has to hold it whole */
		step = step < size * 2 ? size * 2 : step;
		grown = step <= left && pool_grow(p, step) == 0;
	}
	helper_start();
	return grown;
}

void helper_matched(bool now)
{
	/* release: pairs with the acquire in route_base_relieved_slow() */
	__atomic_store_n(&route_relieve, helper_relieve, __ATOMIC_RELEASE);
	if (now)
		helper_start();
	else if (!helper_running())
		__atomic_store_n(&route_alone, helper_grow_alone, __ATOMIC_RELEASE);
}

void helper_start_growing(void)
{
	__atomic_store_n(&helper_natives, true, __ATOMIC_RELAXED);
	helper_start();
}

void helper_start_for(void (*fn)(void))
{
	/* release: what fn looks at; pairs with the helper's acquire */
	__atomic_store_n(&helper_also, fn, __ATOMIC_RELEASE);
	helper_start();
}

void helper_start(void)
{
	int none = 0;

	if (!proc_mine())
		return;
	__atomic_store_n(&route_alone, NULL, __ATOMIC_RELEASE);
	/* acq_rel: one caller wins; the others need not wait for it */
	if (__atomic_compare_exchange_n(
		    &helper_state, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		helper_create();
}

static void helper_end(int state)
{
	/* release: pairs with the helper's acquire */
	__atomic_store_n(&helper_leave, 1, __ATOMIC_RELEASE);
	sys_futex(&helper_leave, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
	pthread_join(helper_thread, NULL);
	helper_leave = 0;
	__atomic_store_n(&helper_state, state, __ATOMIC_RELEASE);
}

void helper_stop(void)
{
	if (helper_running())
		helper_end(0);
}

bool helper_make_room(void)
{
	int started = 1;

	/* acq_rel: one caller ends it; 2 is neither running nor to be started */
	if (!helper_running() || !__atomic_compare_exchange_n(&helper_state, &started, 2,
					 false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return false;
	helper_end(2);
	proc_wait_gone(helper_tid); /* pthread_join() is earlier */
	log_line(
		"the program may have no more threads (ulimit -u, pids.max): the helper thread has made room for its own, and pools do not grow any more");
	return true;
}

void helper_child(void)
{
	CHILD_SET(route_alone, NULL);
	CHILD_SET(helper_state, 0);
}
