/* SPDX-License-Identifier: MIT */
/*
 * phys_find.h - populated units and the order in which they lie in RAM
 *
 * A unit is what the kernel hands out in one piece: a page, a huge page, a gigantic one.
 * Only phys.c and phys_find.c see this.
 */
#ifndef PHYS_FIND_H
#define PHYS_FIND_H

#include <stdbool.h>

#include "phys.h"

struct phys_units {
	enum phys_source source;
	size_t unit;	    /* bytes of one */
	size_t n;	    /* how many are mapped at map */
	unsigned char *map; /* populated */
	uint64_t *pfn;	    /* of each unit; 0: not usable */
	uint32_t *order;    /* the usable ones, by pfn */
	size_t usable;
	unsigned char *work; /* the memory both stand in */
	size_t work_size;
};

struct phys_found {
	size_t first, count; /* in order[] */
	size_t offset;	     /* of the wanted bytes, from the first of these units */
	uint64_t phys;
};

/* Maps and populates n units and looks at them. 0 or negative errno: nothing is kept. */
int phys_units_make(struct phys_units *u, enum phys_source source, size_t n);
/* Only maps and populates u->n units of u->source, u->unit. */
int phys_units_map(struct phys_units *u);
void phys_units_drop(struct phys_units *u);
/* The first place that fits what is wanted. */
bool phys_units_find(
	const struct phys_units *u, const struct phys_want *w, struct phys_found *f);
/* Moves what was found together, in order. The address, or a negative errno. */
long phys_units_gather(struct phys_units *u, const struct phys_found *f);

#endif
