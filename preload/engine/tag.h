/* SPDX-License-Identifier: MIT */
/*
 * tag.h - a name on which blocks are counted
 *
 * Every live block of a pool is booked on one: on a rule's, when malloc() served a thread
 * of that rule; on a tag of the program's own making; else on the one of blocks without a
 * tag. Rules' tags and that last one have a NUMBER, which stands in the header of their
 * blocks (heap.h); how the others are known is said in tag_block.h.
 *
 * Tags are never given back to the system, so that a stale one can be recognised.
 * Counters are atomic and relaxed: figures, except that a tag without blocks is exactly
 * that to a caller who has waited for the threads that freed them.
 */
#ifndef TAG_H
#define TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAG_NAME_MAX 63
#define TAG_CHUNK    64U
#define TAG_CHUNKS   64U

/* Whose a tag is. */
enum tag_kind {
	TAG_PROGRAM, /* made and deleted by the program; counts blocks of pools */
	TAG_LIBRARY, /* ours: memory that is not of pools */
	TAG_RULE     /* has a number. What its threads hold is counted by their caches
			(cache_figures()), and what else changes here: only the sum means
			something */
};

#define TAG_NOBODY   0U /* a block that is not live; no tag has it */
#define TAG_UNTAGGED 1U /* live, and its maker named no tag */
#define TAG_NUMBERS  256U

struct tag {
	char name[TAG_NAME_MAX + 1];
	uint32_t flags; /* its maker's */
	enum tag_kind kind;
	uint16_t index; /* tag_at() finds it again */
	uint8_t number; /* tag_numbered() does; TAG_NOBODY: only the index is known */
	bool live;	/* atomic: release when made, acquire by users */
	uint64_t blocks, bytes, peak;
};

/* NULL: no memory. Not on the realtime path. */
struct tag *tag_create(const char *name, enum tag_kind kind, uint32_t flags);
/* A realtime thread is about to count: not on its path, but before. */
void tag_lock_memory(void);
/* The caller has checked that it is valid and counts nothing. */
void tag_delete(struct tag *t);
/* The number of the tag of rules of this name, which is made when there is none, and
 * stays. TAG_UNTAGGED: no memory or no number is left. Not on the realtime path. */
uint8_t tag_rule(const char *name);
/* A pool is made whose blocks need no tag: from now on they are counted. */
void tag_untagged(void);

/* Realtime: yes. Is t a tag that exists? t: any pointer. Bound: TAG_CHUNKS. */
bool tag_valid(const struct tag *t);
/* Realtime: yes. The live tag of this index, or NULL; any index. */
struct tag *tag_at(uint64_t index);
/* Atomic: release once made, acquire by all. */
extern __attribute__((visibility("hidden"))) struct tag *tag_number[TAG_NUMBERS];
/* Realtime: yes. The tag of this number, or NULL. */
static inline struct tag *tag_numbered(uint8_t number)
{
	return __atomic_load_n(&tag_number[number], __ATOMIC_ACQUIRE); /* see above */
}
/* Realtime: yes. So many more, less if they are negative; nothing for TAG_NOBODY. */
static inline void tag_count(uint8_t number, long blocks, long bytes)
{
	struct tag *t = tag_numbered(number);

	if (__builtin_expect(!t, 0))
		return;
	/* relaxed, both: figures */
	__atomic_fetch_add(&t->blocks, (uint64_t)blocks, __ATOMIC_RELAXED);
	__atomic_fetch_add(&t->bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
}
/* Realtime: yes. */
void tag_book(struct tag *t, size_t bytes);
void tag_unbook(struct tag *t, size_t bytes);
/* One of its blocks has another size now. */
void tag_rebook(struct tag *t, size_t had, size_t bytes);

void tag_each(void (*fn)(struct tag *, void *), void *arg);
/* Has the program ever made a tag? Where it made none, those cost one load. */
extern __attribute__((visibility("hidden"))) bool tag_made;
static inline bool tag_any(void)
{
	/* relaxed: who has a tagged block has seen its tag made */
	return __builtin_expect(__atomic_load_n(&tag_made, __ATOMIC_RELAXED), 0);
}
/* What other processes do not know; constant once there is a tag. */
extern __attribute__((visibility("hidden"))) uint64_t tag_secret;
struct tag_figures {
	uint64_t blocks, bytes, peak;
};
/* What caches hold of each tag with a number: blocks and bytes. */
struct tag_held {
	long blocks[TAG_NUMBERS], bytes[TAG_NUMBERS];
};
/* A peak is the most that was ever booked; for a tag with a number, the most that this
 * function ever returned. */
struct tag_figures tag_figures(struct tag *t, const struct tag_held *held);
/* Nothing is booked on it any more. */
void tag_empty(struct tag *t);
/* After fork, in the child: it has no blocks of pools, its parent's do not count. */
void tag_child(void);

#endif
