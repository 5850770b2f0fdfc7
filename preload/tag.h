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

struct tag {
	char name[TAG_NAME_MAX + 1];
	uint32_t flags; /* its maker's */
	bool live;	/* atomic: release when made, acquire by users */
	uint64_t blocks, bytes, peak;
};

/* NULL: no memory. Not on the realtime path. */
struct tag *tag_create(const char *name, uint32_t flags);
/* The caller has checked that it is valid and counts nothing. */
void tag_delete(struct tag *t);

/* Realtime: yes. Is this, whatever it is, a tag that exists? Bound: TAG_CHUNKS. */
bool tag_valid(const struct tag *t);
/* Realtime: yes. */
void tag_book(struct tag *t, size_t bytes);
void tag_unbook(struct tag *t, size_t bytes);

void tag_each(void (*fn)(struct tag *, void *), void *arg);
/* After fork, in the child. */
void tag_child(void);

#endif
