/* SPDX-License-Identifier: MIT */
/*
 * phys_find.h - populated units and the order in which they lie in RAM
 *
 * A unit is what the kernel hands out in one piece: a page, a huge page, a gigantic one.
 * Only phys*.c see this.
 */
#ifndef PHYS_FIND_H
#define PHYS_FIND_H

#include <stdbool.h>

#include "phys.h"

struct phys_units {
	enum phys_source source;
	size_t unit;   /* bytes of one */
	size_t room;   /* how many are mapped at map */
	size_t n;      /* of those, how many are populated and looked at */
	size_t whole;  /* of those, in one piece each */
	size_t inside; /* of those, in the range that is wanted: usable */
	unsigned char *map;
	uint64_t *pfn;	     /* of each unit; 0: not in one piece */
	uint32_t *order;     /* the usable ones, by pfn */
	unsigned char *work; /* the memory both stand in */
	size_t work_size;
};

struct phys_found {
	size_t first, count; /* in order[] */
	size_t offset;	     /* of the wanted bytes, from the first of these units */
	uint64_t phys;
};

/* Maps n units, or fewer where there is no room, but `need`. 0 or negative errno. */
int phys_units_open(struct phys_units *u, enum phys_source source, size_t n, size_t need);
/* Populates n more (as many as are mapped) and looks where they lie. collapse: a huge
 * page that did not come in one piece is made so. 0 or negative errno. */
int phys_units_more(
	struct phys_units *u, size_t n, const struct phys_want *w, bool collapse);
/* One page, or transparent huge page, without a look at frames: only map, unit and room
 * are filled in. Whether a huge page is in one piece tells phys_is_huge(). */
int phys_unit_make(struct phys_units *u, enum phys_source source);
void phys_units_drop(struct phys_units *u);
/* The first place that fits what is wanted. */
bool phys_units_find(
	const struct phys_units *u, const struct phys_want *w, struct phys_found *f);
/* Moves what was found together, in order. The address, or a negative errno. */
long phys_units_gather(struct phys_units *u, const struct phys_found *f);

/* Bytes that a program could get of the zones that reach into the range, and of those
 * above it, which the kernel hands out first. false and {SIZE_MAX, 0} when nobody tells.
 */
struct phys_free {
	size_t inside, above;
};
bool phys_zone_free(const struct phys_want *w, struct phys_free *out);

/* Memory of the zones above the range, taken without touching it. */
struct phys_hold {
	unsigned char *map; /* one page of each piece */
	size_t pieces;
};
/* Takes it until the range is what comes next, or less than `spare` bytes are left. */
void phys_hold(struct phys_hold *h, const struct phys_want *w, size_t spare);
void phys_hold_drop(struct phys_hold *h);

/* Finds it, with frame numbers, and keeps it. 0, or -ENOSPC. */
int phys_search(const struct phys_want *w, struct phys_run *run);

/* Locks, pins and verifies what was found at run->area. 0; or -ENOSPC, -EAGAIN when it is
 * elsewhere by now, or another negative errno: then it is given back. */
int phys_finish(struct phys_run *run);
/* Can pages of the program be pinned? If not, phys_why() says so. */
bool phys_can_pin(void);

#define PHYS_TOP (1ULL << 52) /* no machine has memory there */

#endif
