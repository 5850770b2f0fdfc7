/* SPDX-License-Identifier: MIT */
/*
 * audit.c - one call of an audited thread is written down
 *
 * Realtime path of audited threads only. No lock, no system call, and so not libunwind: a
 * thread's first stack costs it 65 page faults and two locks, one of which another thread
 * may hold for as long as it likes (bench/results/unwind.txt). That goes for threads that
 * are not realtime as well: they are in free(), maybe below dl_iterate_phdr(3). What
 * site_stack() says is what libunwind says (tests/site.bats).
 *
 * The audit works on the book, which is private; the file gets the figures for the tool.
 * A record belongs to one thread, which writes it. Frees by other threads change it with
 * atomic additions, relaxed unless said otherwise: these are figures.
 *
 * Bound: AUDIT_FRAMES frames, STACK_PROBES + 2 * LIVE_PROBES probes; each object of a new
 * stack is compared with AUDIT_MODULES others, once.
 */
#include "audit.h"

#include <dlfcn.h>
#include <link.h>

#include "os/child.h"

enum { STACK_PROBES = 64, LIVE_PROBES = 32, BUSY = 1, POOL_HEADER = 16 };

CHILD_DATA struct audit_book *audit_page;

#define ADD(field, n)	__atomic_fetch_add(&(field), n, __ATOMIC_RELAXED)
#define GET(field)	__atomic_load_n(&(field), __ATOMIC_RELAXED)
#define SET(field, n)	__atomic_store_n(&(field), n, __ATOMIC_RELAXED)
#define RAISE(field, n) ((n) > GET(field) ? SET(field, n) : (void)0)

/* ---- objects the frames lie in ---- */

static bool known(const struct audit_book *b, uint64_t lo, uint64_t base)
{
	uint32_t n = GET(b->nmodule);

	for (uint32_t i = 0; i < n && i < AUDIT_MODULES; i++) {
		if (GET(b->module[i].lo) == lo && GET(b->module[i].base) == base)
			return true;
	}
	return false;
}

static void write_module(
	struct audit_module *m, const struct dl_find_object *o, uint64_t lo)
{
	const char *name = o->dlfo_link_map->l_name;

	for (unsigned k = 0; k < AUDIT_PATH - 1 && name[k]; k++)
		m->path[k] = name[k];
	m->hi = (uintptr_t)o->dlfo_map_end;
	m->base = o->dlfo_link_map->l_addr;
	SET(m->lo, lo);
}

/* Two threads may write the same object twice; the reader takes the first. */
static void note_module(struct audit_book *b, uintptr_t pc)
{
	struct dl_find_object o;
	uint64_t lo;
	uint32_t i;

	if (_dl_find_object((void *)(pc - 1), &o) != 0)
		return;
	lo = (uintptr_t)o.dlfo_map_start;
	if (known(b, lo, o.dlfo_link_map->l_addr))
		return;
	i = ADD(b->nmodule, 1);
	if (i >= AUDIT_MODULES) {
		SET(b->nmodule, AUDIT_MODULES);
		return;
	}
	write_module(&audit_file_of(b)->module[i], &o, lo);
	SET(b->module[i].base, o.dlfo_link_map->l_addr);
	SET(b->module[i].lo, lo);
	ADD(audit_file_of(b)->nmodule, 1);
}

/* ---- stacks ---- */

static uint64_t hash_of(uint32_t thread, const uintptr_t *ret, unsigned n)
{
	uint64_t h = 0x9e3779b97f4a7c15ull * thread;

	for (unsigned i = 0; i < n; i++)
		h = (h ^ ret[i]) * 0xff51afd7ed558ccdull, h ^= h >> 32;
	return h | 1;
}

static void fill(struct audit_book *b, struct audit_stack *s, uint32_t thread,
	const uintptr_t *ret, unsigned n)
{
	s->thread = thread;
	for (unsigned i = 0; i < n; i++) {
		s->frame[i] = ret[i];
		note_module(b, ret[i]);
	}
	/* release: the reader looks at nframe first */
	__atomic_store_n(&s->nframe, n, __ATOMIC_RELEASE);
}

/* Index + 1 of the record of this stack, 0 without room. */
static uint32_t stack_of(
	struct audit_book *b, uint32_t thread, const uintptr_t *ret, unsigned n)
{
	uint64_t h = hash_of(thread, ret, n);

	for (unsigned i = 0; i < STACK_PROBES; i++) {
		uint32_t at = (uint32_t)((h >> 20) + i) % AUDIT_STACKS;
		uint64_t seen = GET(b->hash[at]);

		if (seen == h)
			return at + 1;
		/* relaxed: nobody but this thread looks for this hash */
		if (!seen && __atomic_compare_exchange_n(&b->hash[at], &seen, h, false,
				     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			fill(b, &audit_file_of(b)->stack[at], thread, ret, n);
			return at + 1;
		}
	}
	ADD(audit_file_of(b)->no_stack, 1);
	return 0;
}

/* ---- blocks that are alive ---- */

static uint32_t place_of(const void *p)
{
	return (uint32_t)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15ull >> 40);
}

static bool follow(struct audit_book *b, void *p, const struct audit_live *what)
{
	for (uint32_t i = 0; i < LIVE_PROBES; i++) {
		struct audit_live *l = &b->live[(place_of(p) + i) % AUDIT_LIVE];
		uint64_t none = 0;

		if (GET(l->block) || !__atomic_compare_exchange_n(&l->block, &none, BUSY,
					     false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		l->size = what->size;
		l->born = what->born;
		l->stack = what->stack;
		l->thread = what->thread;
		/* release: pairs with the acquire of the thread that frees it */
		__atomic_store_n(&l->block, (uintptr_t)p, __ATOMIC_RELEASE);
		return true;
	}
	ADD(audit_file_of(b)->not_followed, 1);
	return false;
}

/* The block leaves the table: false when it was not in it. */
static bool unfollow(struct audit_book *b, const void *p, struct audit_live *out)
{
	for (uint32_t i = 0; i < LIVE_PROBES; i++) {
		struct audit_live *l = &b->live[(place_of(p) + i) % AUDIT_LIVE];

		/* acquire: pairs with the release in follow() */
		if (__atomic_load_n(&l->block, __ATOMIC_ACQUIRE) != (uintptr_t)p)
			continue;
		*out = *l;
		/* release: what was read before the place is free */
		__atomic_store_n(&l->block, 0, __ATOMIC_RELEASE);
		/* a book may take the place of another under a call that is slow */
		return out->thread - 1 < AUDIT_THREADS && out->stack <= AUDIT_STACKS;
	}
	return false;
}

/* ---- figures ---- */

static void count_alloc(
	struct audit_figures *g, size_t size, const struct audit_call *call)
{
	ADD(g->allocations, 1);
	ADD(g->bytes, size);
	ADD(g->system_calls, call->system_calls);
	RAISE(g->largest, size);
	if (call->ticks > GET(g->worst)) {
		SET(g->worst, call->ticks);
		SET(g->worst_size, size);
	}
	ADD(g->size[audit_log2(size)], 1);
	ADD(g->ticks[audit_log2(call->ticks)], 1);
}

static void count_live(struct audit_figures *g, uint64_t size)
{
	uint64_t live = ADD(g->live, size) + size;

	RAISE(g->live_peak, live);
}

static void count_death(struct audit_figures *g, const struct audit_live *l,
	uint64_t life, uint32_t thread)
{
	ADD(g->live, -l->size);
	if (thread == l->thread)
		ADD(g->freed_own, 1);
	else
		ADD(g->freed_other, 1);
	ADD(g->life_sum, life);
	RAISE(g->life_max, life);
	ADD(g->life[audit_log2(life)], 1);
}

void audit_alloc(uint32_t thread, void *p, size_t size, const struct audit_call *call,
	const struct site_frame *f)
{
	struct audit_live l = {.size = (size + POOL_HEADER + 15) & ~15ul,
		.born = call->start + call->ticks,
		.thread = thread};
	struct audit_book *b = audit_going();
	struct audit_file *a;
	uintptr_t ret[AUDIT_FRAMES];

	if (!b || !p || thread == AUDIT_NOBODY)
		return;
	a = audit_file_of(b);
	l.stack = stack_of(b, thread, ret, site_stack(f, ret, AUDIT_FRAMES));
	count_alloc(&a->thread[thread - 1].all, size, call);
	if (l.stack)
		count_alloc(&a->stack[l.stack - 1].all, size, call);
	if (!follow(b, p, &l))
		return;
	count_live(&a->thread[thread - 1].all, l.size);
	if (l.stack)
		count_live(&a->stack[l.stack - 1].all, l.size);
}

/* Another thread frees what this stack has allocated: who, and where, is kept of the last
 * one. */
static void note_freer(
	struct audit_book *b, struct audit_stack *s, const struct audit_freer *who)
{
	uintptr_t ret[AUDIT_FRAMES];
	unsigned n;

	if (GET(s->freer) == who->tid)
		return;
	n = site_stack(who->frame, ret, AUDIT_FRAMES);
	SET(s->freer_stack, stack_of(b, AUDIT_NOBODY, ret, n));
	SET(s->freer, who->tid);
}

void audit_forget(const struct audit_freer *who, const void *p, uint64_t now)
{
	struct audit_book *b = audit_going();
	struct audit_file *a;
	struct audit_live l;
	uint64_t life;

	if (!b || !p)
		return;
	a = audit_file_of(b);
	if (!unfollow(b, p, &l)) {
		if (who->thread != AUDIT_NOBODY)
			ADD(a->thread[who->thread - 1].frees_foreign, 1);
		return;
	}
	life = now > l.born ? now - l.born : 0;
	count_death(&a->thread[l.thread - 1].all, &l, life, who->thread);
	if (!l.stack)
		return;
	count_death(&a->stack[l.stack - 1].all, &l, life, who->thread);
	if (who->thread != l.thread)
		note_freer(b, &a->stack[l.stack - 1], who);
}

void audit_freed(uint32_t thread, const struct audit_call *call)
{
	struct audit_book *b = audit_going();
	struct audit_thread *t;

	if (!b || thread == AUDIT_NOBODY)
		return;
	t = &audit_file_of(b)->thread[thread - 1];
	ADD(t->frees, 1);
	ADD(t->free_system_calls, call->system_calls);
	RAISE(t->free_worst, call->ticks);
	ADD(t->free_ticks[audit_log2(call->ticks)], 1);
}
