/* SPDX-License-Identifier: MIT */
/*
 * depot.h - blocks of one size on their way from thread to thread, a box at a time
 *
 * A BOX is one cache line: the places of up to DEPOT_BOX blocks of one class, so that
 * thirteen blocks change hands without one of them being touched (magazines: Bonwick and
 * Adams, Magazines and Vmem, USENIX 2001). Full boxes stand in one stack per class, empty
 * ones in one of their own. A stack's top is one word, {turn, box}: the turn changes with
 * every operation, so a box that went and came back is not taken for the same (ABA).
 *
 * Never locks, never waits, never reads a block. Bound: DEPOT_TRIES attempts per
 * operation; one that fails leaves everything as it was, and the caller goes to the heap.
 */
#ifndef DEPOT_H
#define DEPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEPOT_BOX      13u
#define DEPOT_TRIES    4
#define DEPOT_CLASSES  168u /* a multiple of eight; the last are those of reserves */
#define DEPOT_RESERVES 4u   /* one block in each, for who finds the heap locked */
#define DEPOT_RESERVE  (DEPOT_CLASSES - DEPOT_RESERVES)

struct depot_box {
	uint32_t below; /* atomic, relaxed: who reads a box that is gone is told by the
			   turn */
	uint32_t bytes; /* of its blocks, headers included; of a reserve 0 */
	uint16_t n;
	uint16_t spare;
	uint32_t block[DEPOT_BOX]; /* distance from the heap's control block */
};

struct depot {
	_Alignas(64) uint64_t empty; /* atomic: see depot.c */
	long room;		     /* atomic, relaxed: bytes it may still take */
	uint32_t boxes;
	/* atomic: the classes' stacks; read by who misses, so away from the line above */
	_Alignas(64) uint64_t full[DEPOT_CLASSES];
	/* atomic, relaxed: set by who found no box of the class, cleared by the helper */
	_Alignas(8) uint8_t missed[DEPOT_CLASSES];
	_Alignas(64) struct depot_box box[];
};

_Static_assert(sizeof(struct depot_box) == 64, "a box is a cache line");

/* The block of one reserve of a pool of `size`: 1/128 of it, within reason. Its box
 * counts no bytes, for reserves have room of their own: whatever rests here keeps none
 * out. */
size_t depot_reserve_size(size_t size);

/* Bytes of a depot for a pool of `size`; a multiple of 64. */
size_t depot_size(size_t size);
/* at: depot_size(size) bytes of zeros, 64-byte aligned. */
struct depot *depot_init(void *at, size_t size);

/* Is there likely a full box of this class? */
static inline bool depot_has(const struct depot *d, unsigned class)
{
	/* relaxed: only a hint that taking pays */
	return (uint32_t)__atomic_load_n(&d->full[class], __ATOMIC_RELAXED) != 0;
}

/* A box by its number: its index plus one, so that 0 is none. */
static inline uint32_t depot_number(const struct depot *d, const struct depot_box *box)
{
	return box ? (uint32_t)(box - d->box) + 1 : 0;
}
static inline struct depot_box *depot_numbered(struct depot *d, uint32_t number)
{
	return number ? &d->box[number - 1] : NULL;
}

/* Realtime: all of them. NULL or false: none, no room, or others were faster. */
struct depot_box *depot_take(struct depot *d, unsigned class);
bool depot_put(struct depot *d, unsigned class, struct depot_box *box);
struct depot_box *depot_take_empty(struct depot *d);
bool depot_put_empty(struct depot *d, struct depot_box *box);

#endif
