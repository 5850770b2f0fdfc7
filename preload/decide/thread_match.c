/* SPDX-License-Identifier: MIT */
/*
 * thread_match.c - from the changed facts of a thread to its new route
 *
 * Never called by malloc on a matched thread. The thread lock is held for the decision
 * only. Slow work, such as committing a pool or locking a stack, is done before, without
 * the lock.
 */
#include "thread_private.h"

#include <errno.h>
#include <string.h>

#include "os/proc.h"
#include "os/sys.h"
#include "memory/area.h"
#include "memory/image.h"
#include "engine/tag.h"
#include "sites/site_thread.h"
#include "trace/audit.h"
#include "trace/probe.h"
#include "rule.h"
#include "thread_watch.h"

#define THREAD_PIN_STACK (64UL << 10) /* of a rule without stack =, for pin_process */
#define THREAD_TRIES	 4 /* facts that change while pools are made are looked at again */

/* Every page of a slot present and writable, also where the limit lets nothing be locked.
 * Atomic: its owner may be running; nothing changes. */
static void thread_touch(struct slot *s)
{
	unsigned char *page = (unsigned char *)s;

	for (size_t at = 0; at < sizeof(*s); at += AREA_PAGE)
		__atomic_fetch_or(page + at, 0, __ATOMIC_RELAXED);
	__atomic_fetch_or(page + sizeof(*s) - 1, 0, __ATOMIC_RELAXED);
}

int thread_coming(void)
{
	/* acquire: pairs with the release in thread_match_optional(): who is not coming
	 * any more is matched, and has done with the rules */
	return __atomic_load_n(&thread_coming_count, __ATOMIC_ACQUIRE);
}

/* What a matched thread touches besides its pool: its slot; for audio and video its stack
 * and the object its code is in. */
static void thread_make_ready(struct slot *s, const struct route *r)
{
	const struct policy_rule *rule = r->rule;
	int threads = thread_coming();

	threads += thread_matched();
	for (int i = 0; i < POLICY_RULES_MAX; i++) {
		if (r->pool_of[i])
			pool_ready_heaps(r->pool_of[i], (unsigned)threads);
	}
	image_lock_library();
	if (!s->locked) {
		thread_touch(s);
		area_lock_foreign(s, sizeof(*s));
		tag_lock_memory();
		s->locked = true;
	}
	if (audit_going() || __atomic_load_n(&route_watching, __ATOMIC_RELAXED))
		thread_watch_ready(s);
	s->audit = audit_thread(s->tid, s->name, s->sched, s->priority);
	if (!rule)
		return;
	if (r->want_sites)
		site_walks_make(&s->walks);
	if (rule_pins_process())
		image_pin_process(
			s->stack_hi, rule->stack ? rule->stack : THREAD_PIN_STACK);
	if (rule->kind == POLICY_KIND_ALLOCATOR)
		return;
	if (rule->stack && s == route_self)
		image_lock_stack(0, rule->stack);
	else if (rule->stack && s->stack_hi)
		image_lock_stack_range(
			(void *)(s->stack_hi - rule->stack), (void *)s->stack_hi);
	image_lock_object(s->code);
}

/* No rule for it, but its calls are written down: jemalloc as before. */
static struct route thread_audited;

struct thread_step {
	struct rule_set *set; /* whose rules these are */
	struct match_candidates candidates;
	struct route *route;
	bool need_pools; /* of the candidate rules */
	bool need_ready; /* for the route */
	enum thread_need need;
};

static const char *thread_rule_name(const struct route *r)
{
	return r && r->rule ? r->rule->name : "";
}

/*
 * A program that has one thread may count on that: it enters namespaces, forks without a
 * second thought, looks into /proc/self/task. So where that thread is an ordinary one and
 * its rule asks for nothing that only the helper can do, the helper waits until the pool
 * falls short (helper_matched()). It is started with the second thread at the latest.
 */
static enum thread_need thread_need(const struct slot *s, const struct route *r)
{
	if (!r)
		return THREAD_NONE;
	if (!thread_only_one() || audit_page || rule_reports() || !r->simple ||
		r->recycle || rule_is_realtime_class(s->sched))
		return THREAD_NEEDS_HELPER;
	return THREAD_CAN_WAIT;
}

/* Under the lock: publish, or say what has to be done first. */
static void thread_step_locked(
	struct slot *s, struct thread_step *t, const struct route *ready)
{
	struct match_thread facts = {s->name, s->sched, s->priority};

	if (s->state != SLOT_LIVE)
		return;
	t->set = rule_in_use();
	match_thread(rule_process(t->set), &facts, &t->candidates);
	t->need_pools = !rule_ready(t->set, &t->candidates);
	if (t->need_pools)
		return;
	t->route = rule_route(t->set, &t->candidates, s->sched);
	if (!t->route && audit_wants(s->sched))
		t->route = &thread_audited;
	t->need = thread_need(s, t->route);
	if (t->route == s->wanted)
		return;
	t->need_ready = t->route && t->route != ready;
	if (t->need_ready)
		return;
	__atomic_fetch_add(&thread_matched_count,
		(t->route != NULL) - (s->wanted != NULL), __ATOMIC_RELAXED);
	PROBE_RULE(
		s->tid, s->name, thread_rule_name(t->route), thread_rule_name(s->wanted));
	s->wanted = t->route;
	route_publish(s, t->route);
}

static enum thread_need thread_match_tries(struct slot *s)
{
	uint32_t me = lock_tid();
	const struct route *ready = NULL;

	for (int i = 0; rule_in_use() && i < THREAD_TRIES; i++) {
		struct thread_step t = {.route = NULL};

		lock_acquire(&thread_lock, me);
		thread_step_locked(s, &t, ready);
		lock_release(&thread_lock, me);
		if (t.need_pools)
			rule_make(t.set, &t.candidates);
		else if (t.need_ready)
			thread_make_ready(s, t.route);
		else
			return t.need;
		ready = t.route;
	}
	return THREAD_NONE;
}

static enum thread_need thread_match_optional(struct slot *s)
{
	enum thread_need need;

	audit_part(s->sched, thread_only_one());
	/* relaxed: of two that come at once, the second sees both */
	__atomic_fetch_add(&thread_coming_count, 1, __ATOMIC_RELAXED);
	need = thread_match_tries(s);
	/* release: pairs with thread_coming() */
	__atomic_fetch_sub(&thread_coming_count, 1, __ATOMIC_RELEASE);
	return need;
}

enum thread_need thread_match(struct slot *s)
{
	enum thread_need need;

	sys_begin_optional();
	need = thread_match_optional(s);
	sys_end_optional();
	return need;
}

void thread_match_and_tell(struct slot *s)
{
	enum thread_need need = thread_match(s);

	if (need != THREAD_NONE)
		thread_on_match(need == THREAD_NEEDS_HELPER);
}

static void thread_refresh(struct slot *s)
{
	if (s)
		thread_match_and_tell(s);
}

static bool thread_is(const struct slot *s, pid_t tid, const pthread_t *handle)
{
	return s->state == SLOT_LIVE &&
	       (handle ? pthread_equal(s->handle, *handle) : s->tid == (uint32_t)tid);
}

/* The slot of a thread, its facts read again. name: its new one, NULL: not known to
 * change. */
static struct slot *thread_read_again(
	pid_t tid, const pthread_t *handle, const char *name)
{
	uint32_t me = lock_tid();
	struct slot *s;

	lock_acquire(&thread_lock, me);
	for (s = thread_all; s && !thread_is(s, tid, handle); s = s->link)
		;
	if (s) {
		if (name) {
			strncpy(s->name, name, sizeof(s->name) - 1);
			s->name[sizeof(s->name) - 1] = '\0';
		} else if (s->tid == me) {
			thread_read_own_name(s);
		}
		thread_read_sched(s);
	}
	lock_release(&thread_lock, me);
	return s;
}

void thread_changed(pid_t tid)
{
	pid_t me;

	if (!thread_watching() || !proc_mine())
		return;
	me = (pid_t)lock_tid();
	if (tid == 0 || tid == me)
		thread_self();
	thread_refresh(thread_read_again(tid ? tid : me, NULL, NULL));
}

void thread_changed_handle(pthread_t handle, const char *name)
{
	if (!thread_watching() || !proc_mine())
		return;
	if (pthread_equal(handle, pthread_self()))
		thread_self();
	thread_refresh(thread_read_again(0, &handle, name));
}

static bool thread_look_at_locked(struct slot *s, bool names)
{
	if (s->state != SLOT_LIVE)
		return false;
	if (!sys_restricted() && sys_tgkill(sys_getpid(), (pid_t)s->tid, 0) == -ESRCH) {
		/* it left by a raw exit: nobody runs its slot any more */
		thread_give_slot_locked(s);
		return false;
	}
	thread_read_sched(s);
	if (names && thread_ask_names)
		thread_read_name(s);
	return true;
}

void thread_look(bool names)
{
	uint32_t me = lock_tid();
	struct slot *s;
	bool there;

	lock_acquire(&thread_lock, me);
	s = thread_all;
	lock_release(&thread_lock, me);
	for (; s; s = s->link) {
		lock_acquire(&thread_lock, me);
		there = thread_look_at_locked(s, names);
		lock_release(&thread_lock, me);
		if (there)
			thread_match(s);
	}
}
