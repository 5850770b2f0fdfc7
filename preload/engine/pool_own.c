/* SPDX-License-Identifier: MIT */
/*
 * pool_own.c - whose a heap is: threads adopt heaps and let them go
 *
 *	FREE     no blocks, no parts, no owner
 *	OWNED    a thread's, or the helper's while it tidies
 *	ORPHAN   blocks are alive or on their way back, and the owner is gone
 *
 *	FREE or ORPHAN -> OWNED    compare-and-swap, by who adopts it
 *	OWNED -> FREE or ORPHAN    store, by the owner
 *
 * A block that is not yet released keeps its heap from being FREE, so nobody pushes to a
 * FREE heap. tests/model/adoption.pml goes through the interleavings.
 */
#include "pool.h"

enum { HEAP_FREE, HEAP_OWNED, HEAP_ORPHAN };

/* Ordinary threads have a heap of their own only while there are this many parts for
 * each: what an idle one keeps free is nobody else's. */
#define POOL_PARTS_EACH 8
/* Each time memory is committed costs a look at what the machine has. */
#define POOL_HEAPS_AT_ONCE 8
#define POOL_TIDY	   4096 /* returned blocks that are released at most, at one go */
/* Pushes at one go; each that fails means that another thread's went through. */
#define PUSH_TRIES 64

static unsigned pool_heaps(const struct pool *p)
{
	/* acquire: pairs with pool_ready_heaps() */
	return __atomic_load_n(&p->heaps, __ATOMIC_ACQUIRE);
}

static bool pool_take_heap(struct heap *h, uint32_t state)
{
	/* acquire: pairs with the release in pool_let_go(): the heap as its last owner
	 * left it */
	return __atomic_compare_exchange_n(
		&h->state, &state, HEAP_OWNED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void pool_tidy(struct heap *h)
{
	/* others may return blocks faster than they are taken */
	heap_take_back(h, POOL_TIDY);
	heap_trim(h, HEAP_ALL_OF_THEM);
}

/* The first of the heaps 1..n that is in this state, and is the caller's now. */
static struct heap *pool_adopt_one(struct pool *p, unsigned n, uint32_t state)
{
	for (unsigned i = POOL_SHARED + 1; i <= n; i++) {
		struct heap *h = pool_heap(p, i);

		/* relaxed: a hint */
		if (__atomic_load_n(&h->state, __ATOMIC_RELAXED) == state &&
			pool_take_heap(h, state))
			return h;
	}
	return NULL;
}

/* Orphans first: they have parts that nobody else can use. */
struct heap *pool_adopt(struct pool *p, bool share)
{
	unsigned n = pool_heaps(p) - 1, most = p->hot->parts.count / POOL_PARTS_EACH;
	struct heap *h;

	if (share && n > most)
		n = most;
	h = pool_adopt_one(p, n, HEAP_ORPHAN);
	if (!h)
		h = pool_adopt_one(p, n, HEAP_FREE);
	if (h)
		h->served_blocks = h->served_bytes = 0;
	return h;
}

void pool_let_go(struct pool *p, struct heap *h)
{
	pool_tidy(h);
	/* release: pairs with pool_take_heap() */
	__atomic_store_n(
		&h->state, h->used || h->own ? HEAP_ORPHAN : HEAP_FREE, __ATOMIC_RELEASE);
}

void pool_tend(struct pool *p)
{
	unsigned n = pool_heaps(p);
	uint32_t tid = lock_tid();

	for (unsigned i = POOL_SHARED + 1; i < n; i++) {
		struct heap *h = pool_heap(p, i);

		/* relaxed: a hint */
		if (__atomic_load_n(&h->state, __ATOMIC_RELAXED) == HEAP_ORPHAN &&
			heap_has_returned(h) && pool_take_heap(h, HEAP_ORPHAN))
			pool_let_go(p, h);
	}
	if (!heap_has_returned(p->heap) || !lock_try(&p->hot->lock, tid))
		return;
	pool_tidy(p->heap);
	lock_release(&p->hot->lock, tid);
}

void pool_ready_heaps(struct pool *p, unsigned threads)
{
	unsigned most =
		p->hot->parts.count < POOL_HEAPS ? p->hot->parts.count : POOL_HEAPS;
	/* and the shared one, and one that the helper may be tidying */
	unsigned want = threads + 2;
	uint32_t tid = lock_tid();
	size_t bytes;

	if (p->native || !pool_usable(p))
		return;
	want = want < most ? want : most;
	lock_acquire(&p->grow_lock, tid);
	bytes = (want + 1) * POOL_HEAP_STEP;
	if (p->control.committed < bytes) {
		bytes += (POOL_HEAPS_AT_ONCE - 1) * POOL_HEAP_STEP;
		area_commit(&p->control, bytes - p->control.committed);
	}
	while (p->heaps < want &&
		(p->heaps + 2) * POOL_HEAP_STEP <= p->control.committed) {
		struct heap *h = pool_heap(p, p->heaps);

		heap_init(h, (unsigned char *)p->lo, &p->key, &p->hot->parts,
			(uint8_t)p->heaps, pool_broken);
		heap_set_reach(h, p->area.committed);
		/* release: the heap before the number that makes it seen */
		__atomic_store_n(&p->heaps, p->heaps + 1, __ATOMIC_RELEASE);
	}
	lock_release(&p->grow_lock, tid);
}

void pool_send_home(struct pool *p, struct block *b)
{
	struct heap *h = pool_heap_of(p, b);

	/* one of so many always succeeds, unless as many threads push at once */
	while (!heap_push(h, b, b, PUSH_TRIES))
		;
}
