/* SPDX-License-Identifier: MIT */
/*
 * tag.h - a name on which blocks are counted
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
	TAG_LIBRARY  /* ours: memory that is not of pools */
};

struct tag {
	char name[TAG_NAME_MAX + 1];
	uint32_t flags; /* its maker's */
	enum tag_kind kind;
	uint16_t index; /* tag_at() finds it again */
	bool live;	/* atomic: release when made, acquire by users */
	uint64_t blocks, bytes, peak;
};

/* NULL: no memory. Not on the realtime path. */
struct tag *tag_create(const char *name, enum tag_kind kind, uint32_t flags);
/* The caller has checked that it is valid and counts nothing. */
void tag_delete(struct tag *t);

/* Realtime: yes. Is this, whatever it is, a tag that exists? Bound: TAG_CHUNKS. */
bool tag_valid(const struct tag *t);
/* Realtime: yes. The live tag of this index, or NULL; any index. */
struct tag *tag_at(uint64_t index);
/* Realtime: yes. */
void tag_book(struct tag *t, size_t bytes);
void tag_unbook(struct tag *t, size_t bytes);
/* One of its blocks has another size now. */
void tag_rebook(struct tag *t, size_t had, size_t bytes);

void tag_each(void (*fn)(struct tag *, void *), void *arg);
/* Has there ever been a tag? Where there was none, nothing of this costs more than one
 * load. */
extern __attribute__((visibility("hidden"))) bool tag_made;
static inline bool tag_any(void)
{
	/* relaxed: who has a tagged block has seen its tag made */
	return __builtin_expect(__atomic_load_n(&tag_made, __ATOMIC_RELAXED), 0);
}
/* What other processes do not know; constant once there is a tag. */
extern __attribute__((visibility("hidden"))) uint64_t tag_secret;
/* Nothing is booked on it any more. */
void tag_empty(struct tag *t);
/* After fork, in the child: it has no blocks of pools, its parent's do not count. */
void tag_child(void);

#endif
