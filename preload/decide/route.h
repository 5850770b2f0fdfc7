/* SPDX-License-Identifier: MIT */
/*
 * route.h - where the next malloc and free of a thread go
 *
 * Every thread has a SLOT in our own memory, reached by one initial-exec TLS load. Its
 * first two words are the functions malloc() and free() jump to. A thread no rule matches
 * jumps straight into jemalloc; a matched one into its cache. Other threads may change a
 * slot's route (a parent names its child, rtkit promotes): they leave the new route in
 * `next` and point both functions at the switch, which the owner runs at its next malloc
 * or free.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/model/match.h"
#include "os/base.h"
#include "engine/cache.h"
#include "sites/site.h"

struct slot;
typedef void *route_malloc_fn(size_t size, struct slot *s);
typedef void route_free_fn(void *p, struct slot *s);

#define ROUTE_ENTER_MAX	 8u	 /* rtm_enter() calls that may be nested in one thread */
#define ROUTE_SEEN	 64u	 /* call sites a thread remembers */
#define ROUTE_BIG	 16384UL /* blocks from this size on are recycled */
#define ROUTE_DEFER	 256u	 /* frees of jemalloc blocks that wait for the helper */
#define ROUTE_DEFER_MORE 61u	 /* and so many in each chunk of the pool beyond that */
#define ROUTE_OTHERS	 4u	 /* pools beside its own in which a thread has a heap */

/* A route: immutable once published, freed when no thread can follow
 * it any more (reload_retired.c). */
struct route {
	struct match_candidates candidates;
	const struct match_process *process; /* the rules that numbers here mean */
	uint64_t always;     /* the rule that asks nothing, as a mask; 0: none */
	uint64_t want_sites; /* rules whose call-site condition is asked */
	struct pool *pool_of[POLICY_RULES_MAX]; /* per rule; NULL: jemalloc */
	uint8_t tag_of[POLICY_RULES_MAX];	/* per rule: its tag's number (tag.h) */
	struct pool *pool;			/* of the thread's cache; NULL: none */
	uint8_t tag;				/* of the rule that has the cache */
	const struct policy_rule *rule;		/* the first candidate, for messages */
	bool sizes;				/* some rule asks for the size */
	bool deep; /* some rule looks further than the immediate caller */
	struct recycle
		*recycle; /* `recycle =`: big blocks the pool cannot hold; or NULL */
	bool simple;	  /* one rule that asks nothing: everything goes to `pool` */
	bool defer; /* a realtime thread: its frees of jemalloc blocks go to the helper */
	struct route *kept;
};

/* Frees of jemalloc blocks for which the ring has no room: a block of the thread's pool.
 */
struct route_deferred {
	struct route_deferred *below;
	size_t n;
	void *block[ROUTE_DEFER_MORE];
};

struct slot {
	/* line 0: read by every malloc and free of the thread */
	route_malloc_fn
		*malloc_fn;	   /* atomic seq_cst: owner and publishers, see route.c */
	route_free_fn *free_fn;	   /* atomic, likewise */
	const struct route *route; /* owner writes; NULL: jemalloc */
	struct pool *entered;	   /* rtm_enter(): goes before the route; owner only */
	struct route *next;	   /* atomic: what to switch to; the owner takes it */
	uint32_t tid;
	uint32_t entered_depth;
	struct route_watch *watch; /* calls are counted here; NULL: not; owner only */
	bool debug;		   /* MALLOC_DEBUG is set; owner only */
	struct site_walked *walks; /* made before the first route that asks for sites */

	/* counters: the owner writes with plain stores, anybody may read */
	_Alignas(64) uint64_t deferred, slow, fallbacks;
	struct pool *entered_stack[ROUTE_ENTER_MAX];
	/* heaps in pools that are not the route's, by the rules that name them; owner
	 * only */
	struct route_other {
		struct pool *pool;
		struct heap *heap;
	} other[ROUTE_OTHERS];

	/* facts: under the thread lock, never read by malloc */
	_Alignas(64) char name[16];
	int sched, priority;
	int state; /* enum slot_state in thread.h */
	bool locked;
	const struct route *wanted; /* last one published */
	struct route *taken; /* atomic: what the owner took last; see route_follows() */
	struct route_watch *watch_memory; /* what `watch` is when on; NULL: none yet */
	uint32_t audit; /* its number in the audit, owner reads; 0: none */
	pthread_t handle;
	uintptr_t stack_hi;	    /* end of its stack; 0: unknown */
	uintptr_t walk_lo, walk_hi; /* the whole, found while it ran; 0: not asked for */
	const void *code;	    /* its first function */
	struct slot *link;	    /* registry */
	struct slot *link_free;

	/* call sites this thread was seen at and what its malloc does there; all of one
	 * generation of modules (site_inline.h), 0: none */
	_Alignas(64) uint64_t seen_generation;
	struct {
		uintptr_t ret;
		route_malloc_fn *fn;
	} seen[ROUTE_SEEN];
	uint8_t seen_tag[ROUTE_SEEN]; /* of the rule that decides there */

	/* frees of jemalloc blocks by a matched thread: one producer, the helper consumes
	 */
	_Alignas(
		64) uint32_t defer_head; /* atomic: release by owner, acquire by helper */
	uint32_t defer_tail;		 /* atomic: release by helper, acquire by owner */
	struct route_deferred *defer_open; /* being filled; owner only */
	struct route_deferred *defer_full; /* atomic: a Treiber stack of full ones */
	void *defer_list; /* no room in the pool either: one through the blocks */
	void *defer_ring[ROUTE_DEFER];

	_Alignas(64) unsigned char cache[CACHE_BYTES];
};

extern __attribute__((tls_model("initial-exec"))) __thread struct slot *route_self;

/* The slot of threads past their last destructor: jemalloc, looking at addresses. */
extern struct slot route_gone;

/* Is the thread in the common state of an unmatched one (nothing pending, no pool)? */
static inline bool route_plain(const struct slot *s)
{
	/* relaxed: only the owner acts on it; a publisher's change is seen soon enough */
	return __atomic_load_n(&s->malloc_fn, __ATOMIC_RELAXED) ==
	       (route_malloc_fn *)(void *)je_malloc;
}

static inline bool route_matched(const struct slot *s)
{
	return s->route || s->entered;
}

/*
 * What the entry points call for a matched thread. align 0: natural. NULL with errno
 * ENOMEM when the pool is full and says fail. Realtime: yes.
 */
void *route_alloc(struct slot *s, size_t size, size_t align, const struct site_frame *f);
void *route_realloc(struct slot *s, void *p, size_t size, const struct site_frame *f);
void route_free(void *p, struct slot *s);

/* The calling thread's heap in a pool, if it has one. */
struct heap *route_heap_in(const struct slot *s, const struct pool *pool);

/* Free and realloc of a pool block by a thread that is not matched. */
void route_free_pool(struct pool *pool, void *p);
void *route_realloc_pool(struct pool *pool, void *p, size_t size);

/* Under the thread lock, any thread: s shall follow r (NULL: jemalloc) from now on. */
void route_publish(struct slot *s, struct route *r);
/* Owner, or a thread nobody runs any more: give the cache back, forget the route. */
void route_drop(struct slot *s);
/* Functions of a slot nobody uses yet: unmatched, looking at addresses. */
void route_reset(struct slot *s);
/* Owner, or under the thread lock, a figure: calls that went past the cache. */
uint64_t route_slow_calls(const struct slot *s);
/* Owner: do what is pending. */
void route_settle_pending(struct slot *s);
/* Under the thread lock, any thread: may s still follow r, or begin to? */
bool route_follows(const struct slot *s, const struct route *r);

/* rtm_enter() and rtm_leave(): 0 or negative errno. Realtime: yes. */
int route_enter(struct slot *s, struct pool *p);
int route_leave(struct slot *s);

/*
 * Shall matched threads count and time their calls? Atomic, relaxed: read when a slot's
 * functions are set, so a change is published like a route (thread_watch_calls()).
 */
extern bool route_watching;

/*
 * Not NULL while a program has one thread, an ordinary one that is matched, and no
 * helper: called, once, when its pool falls short of `size` bytes, or with NULL when too
 * much waits for the helper. True: the pool has grown, try again. Atomic, acq_rel.
 */
typedef bool route_alone_fn(struct pool *p, size_t size);
extern route_alone_fn *route_alone;

/*
 * Gives jemalloc at once what all matched threads left for the helper, and has it return
 * the pages it keeps; called where it has no memory. NULL before the first thread is
 * matched. It may wait.
 */
typedef void route_relieve_fn(void);
extern route_relieve_fn *route_relieve;

/*
 * Frees the jemalloc blocks that a matched thread has left for the helper. The caller is
 * the helper, or holds the registry of threads. Returns the number of blocks.
 */
unsigned route_drain_deferred(struct slot *s);

#endif
