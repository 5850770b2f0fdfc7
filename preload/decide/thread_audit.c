/* SPDX-License-Identifier: MIT */
/*
 * thread_audit.c - an audit begins and ends while the program runs
 *
 * As with routes, each thread changes over by itself at its next malloc or free; here it
 * is only told to. The next look finds a thread that was missed meanwhile.
 *
 * Helper only, never on the realtime path.
 */
#include "thread_audit.h"

#include "sites/site_thread.h"
#include "rule.h"
#include "thread_private.h"
#include "thread_watch.h"

static void audit_find_stack(struct slot *s, void *arg)
{
	s->audit = AUDIT_NOBODY;
	thread_find_stack(s, NULL);
}

/* A walk goes through every module; what that took stays for the next audit. */
static void audit_prepare_sites(void)
{
	static bool prepared;

	if (!prepared) {
		site_walk_everything();
		site_init(rule_sites_known());
		prepared = true;
	}
	thread_audit_asks(true);
}

/* Under the thread lock. False: it has to be matched. */
static bool audit_change_locked(struct slot *s, struct audit_book *a)
{
	if (s->state != SLOT_LIVE)
		return true;
	if (!s->wanted && audit_wants(s->sched))
		return false;
	if (!s->wanted) {
		/* it only tells whose blocks it frees */
		if (route_plain(s))
			route_publish(s, NULL);
	} else if (s->audit == AUDIT_NOBODY && a->nthread < AUDIT_THREADS) {
		thread_watch_ready(s);
		s->audit = audit_thread(s->tid, s->name, s->sched, s->priority);
		route_publish(s, (struct route *)(uintptr_t)s->wanted);
	}
	return true;
}

void thread_audit_look(void)
{
	struct audit_book *a = audit_going();
	uint32_t me = lock_tid();
	bool done;

	/* the list only grows, at its head; a later look finds what is new */
	for (struct slot *s = thread_all; a && s; s = s->link) {
		lock_acquire(&thread_lock, me);
		done = audit_change_locked(s, a);
		lock_release(&thread_lock, me);
		if (!done)
			thread_match(s);
	}
}

void thread_audit_begin(struct audit_book *a)
{
	audit_prepare_sites();
	thread_each(audit_find_stack, NULL);
	/* release: the file is complete; pairs with audit_going() */
	__atomic_store_n(&audit_page, a, __ATOMIC_RELEASE);
	thread_audit_look();
}

void thread_audit_end(void)
{
	uint32_t me = lock_tid();

	/* relaxed: nothing is read through it any more; who has loaded it goes on */
	__atomic_store_n(&audit_page, NULL, __ATOMIC_RELAXED);
	thread_audit_asks(false);
	for (struct slot *s = thread_all; s; s = s->link) {
		/* those that no rule names are no longer matched */
		thread_match(s);
		lock_acquire(&thread_lock, me);
		if (s->state == SLOT_LIVE)
			route_publish(s, (struct route *)(uintptr_t)s->wanted);
		lock_release(&thread_lock, me);
	}
}
