/* SPDX-License-Identifier: MIT */
/*
 * pool.h - a heap with a lock, a name, counters and a list of returned blocks
 *
 * Who may wait for whom: the lock (lock.h) is held only around one bounded heap
 * operation. Frees by threads that are not the pool's own go to `returned` by one atomic
 * push and wait for nobody; the helper sorts them (cache_stock()), pool_alloc() takes a
 * bounded number back at a time. Threads with caches pass blocks on through the depot.
 */
#ifndef POOL_H
#define POOL_H

#include "area.h"
#include "depot.h"
#include "heap.h"
#include "lock.h"

#define POOL_NAME_MAX 63

enum pool_full { POOL_FULL_BASE, POOL_FULL_FAIL };

/* How a pool is to be made. Zero means: default. */
struct pool_attr {
	const char *name;    /* copied; NULL: "" */
	size_t size;	     /* bytes one block of which always fits in the fresh pool */
	size_t max;	     /* grown up to this; 0 or < size: size */
	unsigned area_flags; /* enum area_flags */
	enum pool_full when_full;
	bool commit_later; /* reserve only; pool_commit() does the rest */
	bool native;	   /* made by rtm_create_pool: logical sizes are kept exactly */
	void *at;	   /* wished address */
	/* where the area comes from, if not from area_reserve(); it may come committed.
	 * attr->at is where it would best be */
	int (*reserve)(struct area *a, size_t size, const struct pool_attr *attr);
	void *reserve_arg;
};

/* What threads write: in the first page of the pool's own area, so locked like its
 * blocks. */
struct pool_hot {
	_Alignas(64) struct lock lock;
	void *inbox; /* taken from `returned`, not yet in the heap; under the lock */
	/* blocks freed by others: a Treiber stack linked through the payload's first word
	 */
	_Alignas(64) void *returned;
};

struct pool {
	/* constant once ready */
	uintptr_t lo; /* first byte a block can have */
	size_t span;  /* bytes from lo that blocks can be in: the whole reservation */
	struct heap *heap;
	struct pool_hot *hot;
	struct depot *depot; /* NULL: of a native pool, which no cache stands before */
	uint16_t key;
	bool ready;	/* committed; atomic: store release, load acquire */
	bool inherited; /* made before a fork, seen by the child */

	/* the rest is for slow paths */
	struct area area;
	int index; /* in the table of pools */
	char name[POOL_NAME_MAX + 1];
	const char *rule; /* name of the rule it serves, for messages; never NULL */
	enum pool_full when_full;
	bool native, full_said;
	bool grow_failed; /* the helper's: said once, not tried again */
	void *sorted; /* the helper's: top of `returned` when it had looked at all of it
		       */
	size_t size, max;	       /* as asked */
	uint64_t full_events, growths; /* atomic, relaxed: figures */
};

/* Realtime: yes. NULL when the pool is full (errno untouched). align 0: 16. */
void *pool_alloc(struct pool *p, size_t size, size_t align);
/* Realtime: yes. The same only if nobody is inside the pool: NULL also when somebody is,
 * and then *busy. */
void *pool_try(struct pool *p, size_t size, bool *busy);
/* Realtime: yes. Any thread: takes the lock if it is free, else pushes on `returned`. */
enum heap_verdict pool_free(struct pool *p, void *block);
/* Realtime: yes. One atomic push; the block's check is verified and inverted first. */
enum heap_verdict pool_return(struct pool *p, void *block);
/* Realtime: yes. In place; false when it would have to move. */
bool pool_resize(struct pool *p, void *block, size_t size);
/* The same without waiting: false and *busy when somebody is at the lock. */
bool pool_resize_now(struct pool *p, void *block, size_t size, bool *busy);
/* Realtime: yes. malloc() does not keep what was asked for: a block of a rule's, which
 * was just resized, has no slack from now on and is freed as fast as others. */
void pool_forget_size(const struct pool *p, void *block);
/* Realtime: yes. Bytes of a live block that the program may use. */
size_t pool_room(const struct pool *p, const void *block);
/* Realtime: yes. Is it booked on a tag? Anything that lies in the pool. */
bool pool_tagged(const struct pool *p, const void *block);
/* Realtime: yes. A tagged block that has to move stays in its pool and on its tag: where
 * it moves to; NULL: it has no tag, or the pool is full. Nothing is copied or freed. */
void *pool_replace_tagged(struct pool *p, const void *block, size_t size);
/* Realtime: yes. Takes back at most `max` returned blocks; returns how many. */
unsigned pool_take_returned(struct pool *p, unsigned max);

/* One atomic push of a block that is flipped (heap.h) already. */
void pool_push_returned(struct pool_hot *hot, void *block);

/* What lies below a block in a stack of returned ones: the program may have written over
 * that link since it freed the block, so it is looked at before it is followed. */
void *pool_below(const struct pool *p, void *block);

/* Free bytes in total; takes no lock (also those in `returned` are counted as used until
 * taken back). */
size_t pool_available(struct pool *p);

/* Helper thread only: commit more and hand it to the heap. 0 or negative errno. */
int pool_grow(struct pool *p, size_t bytes);
int pool_commit(struct pool *p);
/* Bytes of area that p needs for `size` bytes of blocks; max and native are set. */
size_t pool_area_size(const struct pool *p, size_t size);
/* Not on the realtime path: a box of blocks from the depot goes into the heap; of the
 * first so many classes. */
bool pool_take_box(struct pool *p, unsigned classes);

/* heap_check() under the lock; prints one line and returns false when broken. */
bool pool_check(struct pool *p);

/* Not on the realtime path: the one line that it was full, the first time it is asked. */
void pool_say_full(struct pool *p);

/* The one line for a bad free, then abort(). */
__attribute__((noreturn, cold)) void pool_misuse(
	const struct pool *p, const void *block, enum heap_verdict v);

#endif
