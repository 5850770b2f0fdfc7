/* SPDX-License-Identifier: MIT */
/*
 * stats.c - the statistics page: a file in memory that only the helper has open
 *
 * Everything is written under the thread lock into a private image, and the page is a
 * copy of it (stats_page.h). Readers write request numbers and a flag into the page. The
 * helper looks whether they have changed, and uses them for nothing else.
 *
 * Never on the realtime path: the helper reads figures where their owners keep them.
 */
#include "stats.h"

#include <sys/auxv.h>
#include <time.h>

#include "os/child.h"
#include "os/sys.h"
#include "engine/pools.h"
#include "trace/probe.h"
#include "decide/observer.h"
#include "decide/reload.h"
#include "decide/route_watch.h"
#include "decide/thread.h"
#include "decide/thread_watch.h"
#include "stats_fill.h"
#include "stats_page.h"
#include "stats_request.h"

#define STATS_POOLS   64u
#define STATS_TAGS    128u
#define STATS_THREADS 48u
#define STATS_GONE    16u

#define STATS_WATCHED_NS 100000000L  /* between publications */
#define STATS_IDLE_NS	 1000000000L /* the same while nobody looks */

static struct stats_page stats_page; /* under the thread lock */
static const struct policy *stats_rules;
static int64_t stats_next, stats_watch_until, stats_counted_from;
static uint64_t stats_watch_seen, stats_reload_seen, stats_tick_first;

/* ---- the page ---- */

static uint32_t stats_section(
	struct rtmem_stats_section *s, uint32_t at, size_t size, uint32_t max)
{
	*s = (struct rtmem_stats_section){.at = at, .size = (uint32_t)size, .max = max};
	return at + (uint32_t)size * max;
}

/* Sections one behind the other; returns how long the page is. */
static uint32_t stats_lay_out(struct rtmem_stats_head *h)
{
	uint32_t at = 1024;

	at = stats_section(&h->pool, at, sizeof(struct rtmem_stats_pool), STATS_POOLS);
	at = stats_section(
		&h->rule, at, sizeof(struct rtmem_stats_rule), POLICY_RULES_MAX);
	at = stats_section(&h->tag, at, sizeof(struct rtmem_stats_tag), STATS_TAGS);
	at = stats_section(
		&h->thread, at, sizeof(struct rtmem_stats_thread), STATS_THREADS);
	at = stats_section(&h->gone, at, sizeof(struct rtmem_stats_thread), STATS_GONE);
	return (at + (uint32_t)AREA_PAGE - 1) & ~((uint32_t)AREA_PAGE - 1);
}

static void stats_head_policy(struct rtmem_stats_head *h)
{
	int n = stats_rules ? stats_rules->nfile : 0;

	h->files = (uint32_t)n;
	stats_copy_name(h->policy, n ? stats_rules->file[n - 1] : "", sizeof(h->policy));
}

static void stats_head(struct rtmem_stats_head *h, int64_t now)
{
	h->version = RTMEM_STATS_VERSION;
	h->head_size = sizeof(*h);
	h->pid = (uint32_t)sys_getpid();
	h->started = (uint64_t)now;
	stats_head_policy(h);
}

static void stats_open(int64_t now)
{
	struct rtmem_stats_head head = {0};
	struct stats_page page;
	uint32_t size = stats_lay_out(&head);

	if (getauxval(AT_SECURE) || sys_restricted() || !stats_page_make(&page, size))
		return;
	head.size = size;
	stats_head(&head, now);
	*page.image = head;
	stats_request_open(&page.shared->request);
	stats_tick_first = route_watch_ticks();
	stats_next = stats_watch_until = stats_counted_from = 0;
	stats_watch_seen = stats_reload_seen = 0;
	thread_lock_registry();
	stats_page = page;
	stats_page_write(&stats_page);
	thread_unlock_registry();
}

static void stats_close(void)
{
	struct stats_page page = stats_page;

	if (!page.image)
		return;
	stats_request_close(&page.shared->request);
	if (route_watching)
		thread_watch_calls(false);
	thread_lock_registry();
	stats_page.image = NULL;
	thread_unlock_registry();
	stats_page_drop(&page);
}

void stats_child(void)
{
	CHILD_SET(stats_page.image, NULL);
	CHILD_SET(route_watching, false);
	stats_request_child();
	stats_fill_child();
}

/* ---- publishing ---- */

static int64_t stats_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void stats_clock(struct rtmem_stats_head *h, int64_t now)
{
	uint64_t ns = (uint64_t)now - h->started;

	if (ns >= 1000000) /* before, the reading of the clocks would count */
		h->tick_hz =
			(uint64_t)((__uint128_t)(route_watch_ticks() - stats_tick_first) *
				   1000000000u / ns);
	h->watching = route_watching;
	if (stats_counted_from) {
		h->watched += (uint64_t)(now - stats_counted_from);
		stats_counted_from = now;
	}
	h->published++;
	h->published_at = (uint64_t)now;
}

/* Under the thread lock. */
static void stats_publish_locked(int64_t now)
{
	stats_fill(stats_page.image);
	stats_clock(stats_page.image, now);
	stats_page_write(&stats_page);
}

static void stats_refresh(struct slot *s, void *arg)
{
	thread_watch_late_locked(s);
	thread_watch_facts(s);
}

static void stats_publish(int64_t now)
{
	struct stats_base base = {0};

	if (route_watching)
		stats_read_base(&base);
	thread_lock_registry();
	if (route_watching) {
		thread_each_locked(stats_refresh, NULL);
		stats_fill_base(stats_page.image, &base);
	}
	stats_publish_locked(now);
	thread_unlock_registry();
}

static void stats_watch(int64_t now)
{
	/* relaxed: a number that is compared with the last one */
	uint64_t seen = __atomic_load_n(&stats_page.shared->watch, __ATOMIC_RELAXED);
	bool on;

	if (seen != stats_watch_seen) {
		stats_watch_seen = seen;
		stats_watch_until = now + (int64_t)RTMEM_STATS_WATCHED;
	}
	on = now < stats_watch_until || probe_wants_calls() ||
	     (stats_rules && stats_rules->realtime.report);
	if (on == route_watching)
		return;
	stats_next = 0;
	if (!on) {
		stats_page.image->watched += (uint64_t)(now - stats_counted_from);
		stats_counted_from = 0;
	} else {
		stats_counted_from = now;
	}
	thread_watch_calls(on);
}

static void stats_turn(int64_t now)
{
	if (!stats_page.image)
		return;
	stats_watch(now);
	stats_request_turn(&stats_page.shared->request, now);
	if (now < stats_next)
		return;
	stats_next = now + (route_watching ? STATS_WATCHED_NS : STATS_IDLE_NS);
	stats_publish(now);
}

/* ---- another policy ---- */

static void stats_policy(const struct policy *p)
{
	thread_lock_registry();
	stats_rules = p;
	if (stats_page.image) {
		stats_head_policy(stats_page.image);
		stats_page_write(&stats_page);
	}
	thread_unlock_registry();
}

static bool stats_reload_asked(void)
{
	uint64_t asked;

	if (!stats_page.image)
		return false;
	/* relaxed: a number that is compared with the last one */
	asked = __atomic_load_n(&stats_page.shared->reload, __ATOMIC_RELAXED);
	if (asked == stats_reload_seen)
		return false;
	stats_reload_seen = asked;
	return true;
}

static void stats_reload(const struct reload_result *r, bool answer)
{
	struct rtmem_stats_head *h;

	thread_lock_registry();
	h = stats_page.image;
	if (h) {
		h->reloads = r->reloads;
		h->reload_failures = r->failures;
		h->reloaded_at = (uint64_t)r->at;
		h->reload_rules = r->rules;
		if (answer) {
			h->reload_answered = stats_reload_seen;
			h->reload_status = r->refused ? RTMEM_STATS_RELOAD_REFUSED
						      : RTMEM_STATS_RELOAD_DONE;
			stats_copy_name(
				h->reload_message, r->message, sizeof(h->reload_message));
		}
		stats_fill(h);
		stats_page_write(&stats_page);
	}
	thread_unlock_registry();
}

static void stats_thread_ended_locked(struct slot *s)
{
	if (!stats_page.image)
		return;
	stats_fill_gone(stats_page.image, s);
	stats_page_write(&stats_page);
}

void stats_observe(void)
{
	static const struct observer stats_observer = {
		.open = stats_open,
		.turn = stats_turn,
		.close = stats_close,
		.thread_ended_locked = stats_thread_ended_locked,
		.rules_change_locked = stats_fill_follow,
		.policy_changed = stats_policy,
		.reload_asked = stats_reload_asked,
		.reload_ended = stats_reload,
	};

	observer_set(&stats_observer);
}

void stats_exit(void)
{
	thread_lock_registry();
	if (stats_page.image)
		stats_publish_locked(stats_now());
	thread_unlock_registry();
}
