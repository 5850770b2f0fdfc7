/* SPDX-License-Identifier: MIT */
/*
 * stats_fill.c - the records of the statistics page
 *
 * Reads figures that other threads write, and does not wait for those threads. Each
 * figure is right by itself; two figures may be one operation apart. Never on the
 * realtime path.
 */
#include "stats_fill.h"

#include <string.h>

#include "os/base.h"
#include "os/child.h"
#include "engine/pools.h"
#include "engine/tag.h"
#include "decide/route_watch.h"
#include "decide/rule.h"
#include "decide/thread.h"

/* Calls of threads that are gone, per rule. */
CHILD_DATA static bool fill_gone; /* a thread has left something in the next three */
static uint64_t fill_gone_calls[POLICY_RULES_MAX], fill_gone_bytes[POLICY_RULES_MAX];
static uint32_t fill_gone_sizes[POLICY_RULES_MAX][RTMEM_STATS_SIZES];

static struct tag_held fill_held; /* under the thread lock */

_Static_assert(TAG_PROGRAM == RTMEM_STATS_TAG_PROGRAM &&
		       TAG_LIBRARY == RTMEM_STATS_TAG_LIBRARY &&
		       TAG_RULE == RTMEM_STATS_TAG_RULE,
	"the page says it as we do");

void stats_fill_child(void)
{
	if (!fill_gone)
		return;
	memset(fill_gone_calls, 0, sizeof(fill_gone_calls));
	memset(fill_gone_bytes, 0, sizeof(fill_gone_bytes));
	memset(fill_gone_sizes, 0, sizeof(fill_gone_sizes));
	fill_gone = false;
}

void stats_copy_name(char *to, const char *from, size_t size)
{
	size_t len = from ? strnlen(from, size - 1) : 0;

	if (len)
		memcpy(to, from, len);
	memset(to + len, 0, size - len);
}

/* The next free record of a section, zeroed; NULL: full. */
static void *fill_next(struct rtmem_stats_head *h, struct rtmem_stats_section *s)
{
	void *record;

	if (s->n >= s->max)
		return NULL;
	record = (char *)h + s->at + (size_t)s->n++ * s->size;
	return memset(record, 0, s->size);
}

static void *fill_record(
	struct rtmem_stats_head *h, const struct rtmem_stats_section *s, uint32_t i)
{
	return (char *)h + s->at + (size_t)i * s->size;
}

/* ---- jemalloc ---- */

static uint64_t fill_mallctl(const char *name)
{
	size_t value = 0, len = sizeof(value);

	return je_mallctl(name, &value, &len, NULL, 0) ? 0 : value;
}

void stats_read_base(struct stats_base *b)
{
	uint64_t epoch = 1;
	size_t len = sizeof(epoch);

	je_mallctl("epoch", &epoch, &len, &epoch, len);
	b->allocated = fill_mallctl("stats.allocated");
	b->active = fill_mallctl("stats.active");
	b->resident = fill_mallctl("stats.resident");
	b->mapped = fill_mallctl("stats.mapped");
}

void stats_fill_base(struct rtmem_stats_head *h, const struct stats_base *b)
{
	h->base_allocated = b->allocated;
	h->base_active = b->active;
	h->base_resident = b->resident;
	h->base_mapped = b->mapped;
}

/* ---- pools and tags ---- */

static void fill_parts(struct rtmem_stats_pool *r, const struct pool *p)
{
	const struct parts *parts = &p->hot->parts;

	if (p->native)
		return;
	r->parts = (uint32_t)(p->area.committed / parts->size);
	r->free_parts = (uint32_t)__builtin_popcountl(parts_free(parts));
}

static void fill_pool(struct pool *p, void *arg)
{
	struct rtmem_stats_head *h = arg;
	struct rtmem_stats_pool *r;
	struct heap_stats st;

	/* acquire: pairs with the release in pool_commit() */
	if (!__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) || pools_inherited(p))
		return;
	r = fill_next(h, &h->pool);
	if (!r)
		return;
	pool_stats(p, &st);
	stats_copy_name(r->name, p->name, sizeof(r->name));
	stats_copy_name(r->rule, p->rule, sizeof(r->rule));
	r->size = p->area.committed;
	r->max = p->max > p->size ? p->area.reserved : p->area.committed;
	r->used = st.used;
	r->peak = st.peak;
	r->largest_free = st.largest_free;
	r->growths = __atomic_load_n(&p->growths, __ATOMIC_RELAXED);
	r->full = __atomic_load_n(&p->full_events, __ATOMIC_RELAXED);
	r->locked = p->area.locked;
	r->not_locked = p->area.committed - p->area.locked;
	r->pinned = p->area.pinned;
	r->lock_error = (uint32_t)p->area.lock_error;
	fill_parts(r, p);
	r->flags = (p->area.flags & AREA_LOCK ? RTMEM_STATS_POOL_LOCK : 0) |
		   (p->native ? RTMEM_STATS_POOL_NATIVE : 0) |
		   (p->when_full == POOL_FULL_FAIL ? RTMEM_STATS_POOL_FAIL : 0);
}

static void fill_tag(struct tag *t, void *arg)
{
	struct rtmem_stats_head *h = arg;
	struct tag_figures f = tag_figures(t, &fill_held);
	struct rtmem_stats_tag *r;

	if (t->number == TAG_UNTAGGED && !f.peak)
		return; /* of programs that know nothing of us */
	r = fill_next(h, &h->tag);
	if (!r)
		return;
	stats_copy_name(r->name, t->name, sizeof(r->name));
	r->blocks = f.blocks;
	r->bytes = f.bytes;
	r->peak = f.peak;
	r->kind = t->kind;
}

/* ---- threads ---- */

static void fill_counts(struct rtmem_stats_thread *r, const struct route_watch *w)
{
	r->allocations = w->allocations;
	r->frees = w->frees;
	r->bytes = w->bytes;
	r->largest = w->largest;
	r->worst_alloc = w->worst_alloc;
	r->worst_free = w->worst_free;
	r->minor_faults = w->minor - w->minor_first;
	r->major_faults = w->major - w->major_first;
	r->waits = w->waits - w->waits_first;
	r->interrupted = w->interrupted;
	r->system_calls = w->system_calls;
	r->lock_calls = w->lock_calls;
	memcpy(r->alloc_ticks, w->alloc_ticks, sizeof(r->alloc_ticks));
	memcpy(r->free_ticks, w->free_ticks, sizeof(r->free_ticks));
}

/* The rule of the thread's cache: of those that may win, the one that asks least. */
static const struct policy_rule *fill_rule_of(const struct route *r)
{
	for (int i = r->candidates.n; i-- > 0;) {
		int rule = r->candidates.cand[i].rule;

		if (r->pool_of[rule])
			return r->process->rule[rule];
	}
	return r->rule;
}

static void fill_thread(struct rtmem_stats_thread *r, const struct slot *s)
{
	r->tid = s->tid;
	r->sched = s->sched;
	r->priority = s->priority;
	stats_copy_name(r->name, s->name, sizeof(r->name));
	r->deferred = s->deferred;
	r->slow = route_slow_calls(s);
	r->fallbacks = s->fallbacks;
	if (s->wanted && s->wanted->rule) {
		r->matched = 1;
		stats_copy_name(r->rule, fill_rule_of(s->wanted)->name, sizeof(r->rule));
		stats_copy_name(r->pool, s->wanted->pool->name, sizeof(r->pool));
	}
	if (s->watch_memory)
		fill_counts(r, s->watch_memory);
}

static void fill_matched(struct slot *s, void *arg)
{
	struct rtmem_stats_head *h = arg;
	struct rtmem_stats_thread *r;

	h->threads++;
	if (!s->wanted)
		return;
	h->matched++;
	r = fill_next(h, &h->thread);
	if (r)
		fill_thread(r, s);
}

static void fill_unmatched(struct slot *s, void *arg)
{
	struct rtmem_stats_head *h = arg;
	struct rtmem_stats_thread *r = s->wanted ? NULL : fill_next(h, &h->thread);

	if (r)
		fill_thread(r, s);
}

static void fill_sizes(uint32_t *to, const uint32_t *more)
{
	for (unsigned i = 0; i < RTMEM_STATS_SIZES; i++)
		to[i] += more[i];
}

/* It is not among the living any more, also when the page is not written again. */
static void fill_bury(struct rtmem_stats_head *h, uint32_t tid)
{
	for (uint32_t i = 0; i < h->thread.n; i++) {
		struct rtmem_stats_thread *r = fill_record(h, &h->thread, i);

		if (r->tid != tid)
			continue;
		memmove(r, fill_record(h, &h->thread, --h->thread.n), h->thread.size);
		return;
	}
}

void stats_fill_gone(struct rtmem_stats_head *h, struct slot *s)
{
	const struct match_process *m = rule_process(rule_in_use());
	const struct route_watch *w = s->watch_memory;
	struct rtmem_stats_thread *r = fill_record(h, &h->gone, h->ended++ % h->gone.max);

	if (h->gone.n < h->gone.max)
		h->gone.n++;
	fill_thread(memset(r, 0, h->gone.size), s);
	fill_bury(h, s->tid);
	fill_gone |= w != NULL;
	for (int i = m->first; w && i < m->nrule; i++) {
		fill_gone_calls[i] += w->rule_calls[i];
		fill_gone_bytes[i] += w->rule_bytes[i];
		fill_sizes(fill_gone_sizes[i], w->rule_sizes[i]);
	}
}

/* ---- rules ---- */

static void fill_rule_calls(struct slot *s, void *arg)
{
	const struct match_process *m = rule_process(rule_in_use());
	struct rtmem_stats_head *h = arg;
	const struct route_watch *w = s->watch_memory;

	for (uint32_t i = 0; i < h->rule.n; i++) {
		struct rtmem_stats_rule *r = fill_record(h, &h->rule, i);
		uint32_t number = (uint32_t)m->first + i;

		r->threads += s->wanted && fill_rule_of(s->wanted) == m->rule[number];
		if (w) {
			r->allocations += w->rule_calls[number];
			r->bytes += w->rule_bytes[number];
			fill_sizes(r->sizes, w->rule_sizes[number]);
		}
	}
}

static void fill_rules(struct rtmem_stats_head *h)
{
	const struct match_process *m = rule_process(rule_in_use());

	for (int i = m->first; i < m->nrule; i++) {
		const struct policy_rule *rule = m->rule[i];
		struct rtmem_stats_rule *r = fill_next(h, &h->rule);

		stats_copy_name(r->name, rule->name, sizeof(r->name));
		stats_copy_name(r->pool, rule->pool < 0 ? "jemalloc" : rule->pool_name,
			sizeof(r->pool));
		r->index = (uint32_t)(i - m->first);
		r->allocations = fill_gone_calls[i];
		r->bytes = fill_gone_bytes[i];
		fill_sizes(r->sizes, fill_gone_sizes[i]);
	}
	thread_each_locked(fill_rule_calls, h);
}

/* ---- another policy ---- */

/* What was counted for a rule of the policy before: by whom, and how much. */
struct fill_past {
	int number;
	uint64_t calls, bytes;
	uint32_t sizes[RTMEM_STATS_SIZES];
};

static void fill_past_of(struct slot *s, void *arg)
{
	const struct route_watch *w = s->watch_memory;
	struct fill_past *p = arg;

	if (w) {
		p->calls += w->rule_calls[p->number];
		p->bytes += w->rule_bytes[p->number];
		fill_sizes(p->sizes, w->rule_sizes[p->number]);
	}
}

static void fill_forget(struct slot *s, void *arg)
{
	const struct match_process *m = arg;
	struct route_watch *w = s->watch_memory;

	for (int i = m->first; w && i < m->nrule; i++) {
		w->rule_calls[i] = w->rule_bytes[i] = 0;
		memset(w->rule_sizes[i], 0, sizeof(w->rule_sizes[i]));
	}
}

void stats_fill_follow(const struct match_process *was, const struct match_process *now)
{
	struct fill_past past[POLICY_RULES_MAX] = {0};

	for (int i = was->first; i < was->nrule; i++) {
		struct fill_past p = {i, fill_gone_calls[i], fill_gone_bytes[i], {0}};
		int k = now->first;

		while (k < now->nrule &&
			strcmp(now->rule[k]->name, was->rule[i]->name) != 0)
			k++;
		if (k == now->nrule)
			continue;
		fill_sizes(p.sizes, fill_gone_sizes[i]);
		thread_each_locked(fill_past_of, &p);
		past[k] = p;
	}
	thread_each_locked(fill_forget, (void *)(uintptr_t)now);
	for (int k = now->first; k < now->nrule; k++) {
		fill_gone_calls[k] = past[k].calls;
		fill_gone_bytes[k] = past[k].bytes;
		memcpy(fill_gone_sizes[k], past[k].sizes, sizeof(past[k].sizes));
	}
}

void stats_fill(struct rtmem_stats_head *h)
{
	h->pool.n = h->rule.n = h->tag.n = h->thread.n = 0;
	h->threads = h->matched = 0;
	pools_each_held(fill_pool, h);
	thread_held_locked(&fill_held);
	tag_each(fill_tag, h);
	fill_rules(h);
	thread_each_locked(fill_matched, h);
	thread_each_locked(fill_unmatched, h);
}
