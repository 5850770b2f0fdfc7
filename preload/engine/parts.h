/* SPDX-License-Identifier: MIT */
/*
 * parts.h - the memory of a pool in up to 64 equal parts, and the heap that has each
 *
 * A part is a multiple of a page. One 64-bit word says which parts are free; a heap takes
 * a run of them by one compare-and-swap and gives them back by one fetch-or. `owner` is
 * the heap that has a part. The taker writes it before any block of the part exists, and
 * it stays until the part is taken again: so the holder of a block may read it.
 *
 * Never locks, never waits, no system call. Bound: PARTS_TRIES attempts; each that fails
 * means that another thread took or gave parts meanwhile.
 */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTS_MAX   64u
#define PARTS_LEAST 4096UL
/* One part is enough for every block that a cache has a bin for, if the pool has so many.
 */
#define PARTS_BEST   (76UL << 10)
#define PARTS_ENOUGH 40u
#define PARTS_TRIES  3

struct parts {
	/* atomic: acquire when parts are taken, release when they are given */
	_Alignas(64) uint64_t free;
	_Alignas(64) uint32_t size; /* bytes of a part */
	uint32_t count;		    /* of the whole reservation */
	uint64_t inverse;	    /* parts_of() divides by it */
	uint8_t owner[PARTS_MAX];   /* number of a heap; atomic, relaxed */
};

/* Bytes of a part in a pool that may grow to `max` < 4 GiB: a 64th, or a little more. */
size_t parts_size_for(size_t max);

/* All parts taken, by nobody. reserved: a multiple of part_size. */
void parts_init(struct parts *p, size_t part_size, size_t reserved);

/* The part that the byte `off` of the pool lies in. Exact: tests/proof/parts.c. */
static inline unsigned parts_of(const struct parts *p, size_t off)
{
	return (unsigned)((off >> 12) * p->inverse >> 40);
}

/* `count` parts from `first` on, as bits. 0 < count <= 64 - first. */
static inline uint64_t parts_mask(unsigned first, unsigned count)
{
	return (count < 64 ? (1UL << count) - 1 : ~0UL) << first;
}

static inline uint64_t parts_free(const struct parts *p)
{
	/* relaxed: a hint; parts_swap() decides */
	return __atomic_load_n(&p->free, __ATOMIC_RELAXED);
}

/* One attempt to take free parts of *seen. On failure *seen becomes the parts that are
 * free now. */
static inline bool parts_swap(struct parts *p, uint64_t *seen, uint64_t mask)
{
	/* acquire: pairs with parts_give(): the giver's last writes come first */
	return __atomic_compare_exchange_n(
		&p->free, seen, *seen & ~mask, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void parts_set_owner(struct parts *p, unsigned part, uint8_t owner)
{
	/* relaxed: read by who holds a block of the part, and has it from the taker */
	__atomic_store_n(&p->owner[part], owner, __ATOMIC_RELAXED);
}

/* Which of these for one more part: beside its own; else one with room to grow, which is
 * the first of four; else any. */
static inline uint64_t parts_choose_one(uint64_t free, uint64_t own)
{
	uint64_t best = free & own << 1 & own >> 1, two = free & free >> 1;

	if (!best)
		best = free & (own << 1 | own >> 1);
	if (!best)
		best = two & two >> 2 & (free << 1 | 1);
	return best ? best & -best : free & -free;
}

/* Takes exactly these. 0, or -1 when one of them is not free. */
int parts_take_these(struct parts *p, uint64_t mask, uint8_t owner);

/* The caller's parts, in which nothing lives, are anybody's. */
void parts_give(struct parts *p, uint64_t mask);

#endif
