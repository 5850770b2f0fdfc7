/* SPDX-License-Identifier: MIT */
/*
 * compat.h - shared by the files of the other families
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "engine/pools.h"

/*
 * Pools of one kind that are made one after the other as they fill, each at least as
 * large as all before it, or as large as it can be had. For the families whose callers
 * never said how large a pool is. What a call that may not wait was refused, the helper
 * makes a pool for, so that the next call finds one.
 */
#define COMPAT_CHAIN 24
struct compat_chain {
	const char *name;
	struct pool *pool[COMPAT_CHAIN]; /* atomic: release once made, acquire by users */
	unsigned
		flags; /* enum area_flags of pools that have to be made; set when ready */
	size_t want;   /* atomic, relaxed: the largest block that was refused since */
	size_t stuck;  /* atomic, relaxed: could not be had; 0: all could. Not tried again
			*/
};

/* A block booked on tag, size at most 4 GiB. Realtime: yes when wait is false. NULL: full
 * (and wait false, or no other pool can be made). */
struct tag;
void *compat_take(struct compat_chain *c, size_t size, struct tag *tag, bool wait);
/* Makes the first pool if there is none, and starts the helper; 0 or a negative errno. */
int compat_ready(struct compat_chain *c, unsigned flags);
/* One line, once, when it is for a limit that no pool for `size` could be had. */
void compat_say_full(const struct compat_chain *c, size_t size);

#endif
