/* SPDX-License-Identifier: MIT */
/*
 * thread.c - the registry of threads: births, ends, fork
 *
 * malloc of a matched thread never calls it. The first malloc of a thread that was not
 * made by pthread_create calls it once. System calls: one or two per change, none per
 * allocation.
 */
#include "thread_private.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/auxv.h>

#include "os/child.h"
#include "os/log.h"
#include "os/proc.h"
#include "os/sys.h"
#include "memory/area.h"
#include "engine/tag.h"
#include "sites/site_thread.h"
#include "trace/audit.h"
#include "observer.h"
#include "rule.h"

#define THREAD_CHUNK 16 /* slots mapped at a time */

CHILD_DATA struct lock thread_lock;
CHILD_DATA struct slot *thread_all; /* append-only list of slots ever made */
CHILD_DATA static struct slot *thread_free_list;
static unsigned char *thread_fresh; /* the next slot that was never used */
static int thread_fresh_left;	    /* and how many there are from there on */
static bool thread_watch;
void (*thread_on_match)(bool now);
static bool thread_ask_sites; /* atomic, relaxed: a rule has a callsite, or an audit */
static bool thread_rules_ask; /* some rule has a callsite condition */
static void (*thread_on_last)(void);
bool thread_ask_names;		    /* some rule has a thread condition */
CHILD_DATA static int thread_slots; /* in use: threads that are or will be */
CHILD_DATA int thread_matched_count, thread_coming_count; /* see thread_private.h */
static pthread_key_t thread_key;
static bool thread_key_made;

bool thread_watching(void)
{
	return __atomic_load_n(&thread_watch, __ATOMIC_ACQUIRE);
}

bool thread_only_one(void)
{
	/* with one thread there is nobody to race with */
	return __atomic_load_n(&thread_slots, __ATOMIC_RELAXED) == 1 &&
	       route_self != &thread_nobody && route_self != &route_gone;
}

int thread_matched(void)
{
	return __atomic_load_n(&thread_matched_count, __ATOMIC_RELAXED);
}

/* ---- the registry ---- */

/* One that was never used. A slot is several pages: none is written to before that. */
static struct slot *thread_fresh_slot(void)
{
	size_t each = (sizeof(struct slot) + AREA_PAGE - 1) & ~(AREA_PAGE - 1);
	struct slot *s;
	long at;

	if (!thread_fresh_left) {
		at = sys_mmap(NULL, each * THREAD_CHUNK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (sys_is_error(at))
			return NULL;
		thread_fresh = (unsigned char *)at;
		thread_fresh_left = THREAD_CHUNK;
	}
	s = (struct slot *)(void *)thread_fresh;
	thread_fresh += each;
	thread_fresh_left--;
	s->link = thread_all;
	thread_all = s;
	return s;
}

static struct slot *thread_take_slot(void)
{
	struct slot *s;
	uint32_t me = lock_tid();

	lock_acquire(&thread_lock, me);
	s = thread_free_list;
	if (s)
		thread_free_list = s->link_free;
	else
		s = thread_fresh_slot();
	if (s) {
		route_reset(s);
		s->name[0] = '\0';
		s->sched = s->priority = 0;
		s->stack_hi = s->walk_lo = 0;
		s->code = (const void *)getauxval(AT_ENTRY);
		s->state = SLOT_BORN;
		thread_slots++;
	}
	lock_release(&thread_lock, me);
	return s;
}

void thread_give_slot_locked(struct slot *s)
{
	thread_slots--;
	if (s->wanted)
		observer()->thread_ended_locked(s);
	route_drop(s);
	route_drain_deferred(s);
	if (s->wanted) /* its heaps are another's to take now */
		__atomic_fetch_sub(&thread_matched_count, 1, __ATOMIC_RELAXED);
	s->wanted = NULL;
	s->state = SLOT_FREE;
	s->link_free = thread_free_list;
	thread_free_list = s;
}

struct slot *thread_prepare(void)
{
	return thread_watching() && proc_mine() ? thread_take_slot() : NULL;
}

void thread_unprepare(struct slot *s)
{
	uint32_t me = lock_tid();

	if (!s)
		return;
	lock_acquire(&thread_lock, me);
	thread_give_slot_locked(s);
	lock_release(&thread_lock, me);
}

/* Runs in every round of key destructors and acts in the last one, so that the
 * destructors of the program still find the thread as it was. */
static void thread_key_destroy(void *arg)
{
	static __thread __attribute__((tls_model("initial-exec"))) unsigned char round;
	struct slot *s = arg;
	uint32_t me = lock_tid();
	bool last;

	if (!proc_mine() || s != route_self)
		return;
	if (++round < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(thread_key, s);
		return;
	}
	site_thread_gone();
	lock_acquire(&thread_lock, me);
	route_self = &route_gone;
	thread_give_slot_locked(s);
	last = thread_slots == 0;
	lock_release(&thread_lock, me);
	if (last)
		thread_on_last();
}

void thread_lock_registry(void)
{
	lock_acquire(&thread_lock, lock_tid());
}

void thread_unlock_registry(void)
{
	lock_release(&thread_lock, lock_tid());
}

void thread_each_locked(void (*fn)(struct slot *, void *), void *arg)
{
	for (struct slot *s = thread_all; s; s = s->link) {
		if (s->state == SLOT_LIVE)
			fn(s, arg);
	}
}

void thread_each(void (*fn)(struct slot *, void *), void *arg)
{
	thread_lock_registry();
	thread_each_locked(fn, arg);
	thread_unlock_registry();
}

/* ---- coming and going ---- */

static void thread_enter_registry(struct slot *s)
{
	uint32_t me = lock_tid();

	s->handle = pthread_self();
	thread_read_own_name(s);
	thread_read_sched(s);
	lock_acquire(&thread_lock, me);
	s->state = SLOT_LIVE;
	lock_release(&thread_lock, me);
	/* from here on the helper finds the slot, and a rule that asks later its stack */
	if (thread_asks_sites())
		site_thread_here();
	thread_match_and_tell(s);
}

struct slot *thread_self(void)
{
	struct slot *s = route_self;

	if (s != &thread_nobody)
		return s;
	/* the thread that lent its memory registers itself, when it runs again */
	if (!proc_mine())
		return &route_gone;
	s = thread_take_slot();
	if (!s)
		return &route_gone;
	/* from here on malloc in this thread finds a slot and does not come back here */
	s->tid = lock_tid();
	route_self = s;
	if (thread_key_made)
		pthread_setspecific(thread_key, s);
	thread_read_stack(s);
	thread_enter_registry(s);
	return s;
}

void thread_born(struct slot *s, const void *code)
{
	s->code = code;
	s->tid = lock_tid();
	route_self = s;
	base_thread_warm();
	pthread_setspecific(thread_key, s);
	/* what called us is only the thread's first frames: nothing to find above */
	s->stack_hi = (uintptr_t)__builtin_frame_address(0);
	thread_enter_registry(s);
}

/* ---- start and fork ---- */

void thread_find_stack(struct slot *s, void *arg)
{
	/* the registry is locked and the thread in it, so it has not ended but by a raw
	 * exit */
	if (!s->walk_lo && sys_tgkill(sys_getpid(), (pid_t)s->tid, 0) == 0)
		s->walk_lo = site_thread_find(s->handle, s->tid, &s->walk_hi);
}

bool thread_asks_sites(void)
{
	return __atomic_load_n(&thread_ask_sites, __ATOMIC_RELAXED);
}

void thread_audit_asks(bool on)
{
	__atomic_store_n(&thread_ask_sites, on || thread_rules_ask, __ATOMIC_RELAXED);
}

static void thread_read_rules(const struct match_process *m)
{
	/* once asked for, always: threads may still follow the rules before these */
	for (int i = m->first; i < m->nrule; i++) {
		thread_ask_names |= m->rule[i]->thread.n > 0;
		thread_rules_ask |= m->rule[i]->callsite.n > 0;
	}
	thread_audit_asks(audit_going() != NULL);
}

void thread_follow(struct rule_set *set)
{
	thread_read_rules(rule_process(set));
	if (thread_rules_ask)
		thread_each(thread_find_stack, NULL);
	thread_lock_registry();
	observer()->rules_change_locked(rule_process(rule_in_use()), rule_process(set));
	rule_use(set);
	thread_unlock_registry();
	thread_look(thread_ask_names);
}

void thread_start(struct rule_set *set, void (*on_match)(bool now), void (*on_last)(void))
{
	rule_use(set);
	thread_on_match = on_match;
	thread_on_last = on_last;
	thread_rules_ask = audit_going() != NULL;
	thread_read_rules(rule_process(set));
	thread_key_made = pthread_key_create(&thread_key, thread_key_destroy) == 0;
	/* release: the rules before the flag; pairs with thread_watching() */
	__atomic_store_n(&thread_watch, true, __ATOMIC_RELEASE);
	thread_ask_nobody();
	thread_self();
}

/* ---- figures ---- */

static void thread_add_held(struct slot *s, void *arg)
{
	const struct cache *c = (const struct cache *)(const void *)s->cache;
	struct tag_held *held = arg;
	long blocks, bytes;
	uint8_t tag = cache_figures(c, &blocks, &bytes);

	held->blocks[tag] += blocks;
	held->bytes[tag] += bytes;
}

void thread_held_locked(struct tag_held *held)
{
	memset(held, 0, sizeof(*held));
	thread_each_locked(thread_add_held, held);
}

/* ---- fork ---- */

/*
 * The slot of the thread that forked, when no rule matched it: none matches it in the
 * child, which has its name and, as it is an ordinary one, its class. So nothing is asked
 * again. NULL: it is to be registered anew.
 */
static struct slot *thread_stays(void)
{
	struct slot *s = route_self;

	if (s == &thread_nobody || s == &route_gone || !route_plain(s) ||
		s->state != SLOT_LIVE || s->wanted || s->entered_depth || s->sched)
		return NULL;
	return s;
}

/* All slots but one are free, in the order in which they are made, so that few links
 * change. */
static void thread_free_others(const struct slot *stays)
{
	struct slot **link = &thread_free_list;

	for (struct slot *s = thread_all; s; s = s->link) {
		if (s == stays)
			continue;
		if (s->state != SLOT_FREE || s->locked) {
			route_reset(s);
			s->state = SLOT_FREE;
			s->locked = false;
		}
		CHILD_SET(*link, s);
		link = &s->link_free;
	}
	CHILD_SET(*link, NULL);
}

void thread_child(void)
{
	struct slot *stays = thread_stays();

	lock_child(&thread_lock);
	thread_free_others(stays);
	CHILD_SET(thread_matched_count, 0);
	CHILD_SET(thread_coming_count, 0);
	CHILD_SET(thread_slots, stays != NULL);
	if (stays) {
		stays->tid = lock_tid();
		CHILD_SET(stays->locked, false);
	} else if (route_self != &route_gone) {
		route_self = &thread_nobody;
		thread_ask_nobody();
	}
}
