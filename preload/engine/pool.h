/* SPDX-License-Identifier: MIT */
/*
 * pool.h - memory with a name: parts, the heaps over them, counters
 *
 * A pool has two areas: one for blocks, one for its control data, so that no overflow of
 * a block reaches a control structure. A pool of the policy is cut into parts (parts.h).
 * Each thread that its rules match has a heap of its own over the parts it took; heap 0
 * is the SHARED heap of all others, behind a lock that no realtime thread takes. A pool
 * of rtm_create_pool() is NATIVE: heap 0 has all of it, so that one block of the whole
 * size fits, and its lock inherits priority.
 *
 * A thread that frees a block of another thread's heap pushes it there and never waits.
 */
#ifndef POOL_H
#define POOL_H

#include "os/lock.h"
#include "memory/area.h"
#include "heap.h"

#define POOL_NAME_MAX  63
#define POOL_HEAPS     64u    /* heaps of a pool at most, the shared one included */
#define POOL_HEAP_STEP 4096UL /* from one heap's control data to the next */
#define POOL_SHARED    0u     /* number of the shared heap */

_Static_assert(sizeof(struct heap) <= POOL_HEAP_STEP, "a heap fits its place");

enum pool_full { POOL_FULL_BASE, POOL_FULL_FAIL };

/* How a pool is to be made. Zero means: default. */
struct pool_attr {
	const char *name; /* copied; NULL: "" */
	size_t size;	  /* bytes; one block of it always fits in a fresh native pool */
	size_t max;	  /* grown up to this; 0 or < size: size */
	unsigned area_flags; /* enum area_flags */
	enum pool_full when_full;
	bool commit_later; /* reserve only; pool_commit() does the rest */
	bool native;	   /* made by rtm_create_pool: exact sizes, one heap */
	void *at;	   /* wished address */
	/* where the area comes from, if not from area_reserve(); it may come committed.
	 * attr->at is where it would best be */
	int (*reserve)(struct area *a, size_t size, const struct pool_attr *attr);
	void *reserve_arg;
};

/* The first page of the control area; the heaps follow, POOL_HEAP_STEP apart. */
struct pool_hot {
	_Alignas(64) struct lock lock; /* of heap 0 */
	const struct pool *pool;       /* whose this is */
	struct parts parts;
};

struct pool {
	/* constant once ready */
	uintptr_t lo; /* first byte a block can have */
	size_t span;  /* bytes from lo that blocks can be in: the whole reservation */
	struct heap *heap; /* the shared one */
	struct pool_hot *hot;
	struct block_key key;
	bool ready;	/* committed; atomic: store release, load acquire */
	bool inherited; /* made before a fork, seen by the child */

	/* the rest is for slow paths */
	struct area area, control;
	struct lock grow_lock; /* who commits memory of either area; no realtime thread */
	unsigned heaps;	       /* atomic: release when committed, acquire by users */
	int index;	       /* in the table of pools */
	char name[POOL_NAME_MAX + 1];
	const char *rule; /* name of the rule it serves, for messages; never NULL */
	enum pool_full when_full;
	bool native, full_said;
	bool grow_failed;	       /* the helper's: said once, not tried again */
	size_t size, max;	       /* as asked */
	uint64_t full_events, growths; /* atomic, relaxed: figures */
	size_t full_size, full_free;   /* at the first event: asked for, free; atomic */
};

static inline bool pool_usable(const struct pool *p)
{
	/* acquire: pairs with the release in pool_commit() */
	return __atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) && !p->inherited;
}

static inline struct heap *pool_heap(const struct pool *p, unsigned number)
{
	return (struct heap *)(void *)(p->control.base + (number + 1) * POOL_HEAP_STEP);
}

/* The heap that something in the pool belongs to. */
static inline struct heap *pool_heap_of(const struct pool *p, const void *block)
{
	unsigned part;

	if (p->native)
		return p->heap;
	part = parts_of(&p->hot->parts, (uintptr_t)block - p->lo);
	/* relaxed: see parts.h */
	return pool_heap(
		p, __atomic_load_n(&p->hot->parts.owner[part], __ATOMIC_RELAXED));
}

/* ---- a thread's own heap (pool_own.c). Realtime: yes, but where it says not ---- */

/* A heap of which the caller is the owner from now on. NULL: all are taken. share: for an
 * ordinary thread; few of these have one. Bound: POOL_HEAPS. */
struct heap *pool_adopt(struct pool *p, bool share);
/* Its owner releases what others returned, and gives all free parts back. Not
 * realtime. Bound: 4,096 that are returned, and what is free. */
void pool_tidy(struct heap *h);
/* The owner no longer needs it: what is returned is released, wholly free parts go back.
 * Not realtime. */
void pool_let_go(struct pool *p, struct heap *h);
/* Makes sure that `threads` threads find a heap. Called when a thread is promoted. Not
 * realtime: it commits memory. */
void pool_ready_heaps(struct pool *p, unsigned threads);
/* The helper: heaps whose owners are gone are tidied and freed. Not realtime. */
void pool_tend(struct pool *p);
/* A block, retired, goes to its heap. Waits for nobody. */
void pool_send_home(struct pool *p, struct block *b);

/* ---- the shared heap and native pools: behind the lock ---- */

/* NULL when the pool is full (errno untouched). align 0: 16. Realtime: native pools. */
void *pool_alloc(struct pool *p, size_t size, size_t align);
/* The same, if nobody is inside: NULL also when somebody is, and then *busy. */
void *pool_try(struct pool *p, size_t size, bool *busy);
/* A live block: in place, or pushed. Waits for nobody. Realtime: yes. */
enum heap_verdict pool_free(struct pool *p, void *block);
/* The same, always pushed. */
enum heap_verdict pool_return(struct pool *p, void *block);
/* In place; false when it would have to move. own: the caller's heap or NULL; of a pool
 * of the policy, blocks of other heaps only shrink. Waits in native pools only. */
bool pool_resize(struct pool *p, struct heap *own, void *block, size_t size);
/* Releases at most `max` returned blocks of heap 0; returns how many. */
unsigned pool_take_returned(struct pool *p, unsigned max);

/* ---- tags (pool_tag.c). Realtime: yes ---- */

/* malloc() does not keep what was asked for: a block that was just resized has no slack.
 */
void pool_forget_size(const struct pool *p, void *block);
/* Bytes of a live block that the program may use. */
size_t pool_room(const struct pool *p, const void *block);
/* Is it booked on a tag of the program's making? Anything that lies in the pool. */
bool pool_tagged(const struct pool *p, const void *block);
/* A tagged block that has to move stays in its pool and on its tag: where it moves to;
 * NULL: it has no tag, or the pool is full. Nothing is copied or freed. */
void *pool_replace_tagged(struct pool *p, const void *block, size_t size);

/* ---- figures; any thread ---- */

/* Free bytes in total. Cached and returned blocks count as used. */
size_t pool_available(struct pool *p);
/* Of all heaps together. peak: of each by itself, added up. */
void pool_stats(const struct pool *p, struct heap_stats *out);
/* Calls fn for each live block; nobody may be using the pool. */
void pool_each_live(const struct pool *p, void (*fn)(void *block));
/* Every heap's heap_check(). native: under the lock. own: also this one; other threads'
 * heaps are theirs. Says in one line what is broken and returns false. */
bool pool_check(struct pool *p, const struct heap *own);

/* ---- memory; not realtime ---- */

/* Commits more. 0 or negative errno. */
int pool_grow(struct pool *p, size_t bytes);
int pool_commit(struct pool *p);
/* Bytes of area that p needs for `size` bytes of blocks; max and native are set. */
size_t pool_area_size(const struct pool *p, size_t size);
/* Reserves the control area. 0 or negative errno. */
int pool_reserve_control(struct pool *p, unsigned area_flags);

/* Counts that a request of `size` bytes was not served. Bound: POOL_HEAPS. Realtime: yes.
 */
void pool_was_full(struct pool *p, size_t size);
/* The one line that it was full, the first time it is asked. */
void pool_say_full(struct pool *p);
/* The one line for a heap that is overwritten, then abort(). */
heap_broken_fn pool_broken;
/* The one line for a bad free, then abort(). */
__attribute__((noreturn, cold)) void pool_misuse(
	const struct pool *p, const void *block, enum heap_verdict v);

#endif
