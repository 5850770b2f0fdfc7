/* SPDX-License-Identifier: MIT */
/*
 * depot.c - the stacks of boxes: see depot.h
 *
 * A box belongs to whoever took it until it is put somewhere. A put releases what was
 * written into the box, the take that gets it acquires it: that pair is the only one
 * here. tests/model/depot.pml goes through the interleavings.
 */
#include "depot.h"

#include <string.h>

/* One box for 16 KiB of pool: 0.4 % of it. */
#define DEPOT_PER_BOX (16UL << 10)
#define DEPOT_MIN     8UL
#define DEPOT_MAX     4096UL
/* What may rest here, reserves included: 1/16 of the pool. */
#define DEPOT_SHARE 16

#define DEPOT_RESERVE_MIN (1UL << 10)
#define DEPOT_RESERVE_MAX (1UL << 20)

static size_t depot_boxes(size_t size)
{
	size_t n = size / DEPOT_PER_BOX;

	return n < DEPOT_MIN ? DEPOT_MIN : n > DEPOT_MAX ? DEPOT_MAX : n;
}

size_t depot_reserve_size(size_t size)
{
	size /= 128;
	if (size < DEPOT_RESERVE_MIN)
		return DEPOT_RESERVE_MIN;
	return size > DEPOT_RESERVE_MAX ? DEPOT_RESERVE_MAX : size & ~63UL;
}

size_t depot_size(size_t size)
{
	return sizeof(struct depot) + depot_boxes(size) * sizeof(struct depot_box);
}

struct depot *depot_init(void *at, size_t size)
{
	struct depot *d = at;

	memset(d, 0, sizeof(*d));
	d->boxes = (uint32_t)depot_boxes(size);
	d->room = (long)(size / DEPOT_SHARE) -
		  (long)(DEPOT_RESERVES * depot_reserve_size(size));
	for (uint32_t i = d->boxes; i-- > 0;)
		depot_put_empty(d, &d->box[i]);
	return d;
}

/* ---- one stack ---- */

static inline uint64_t depot_top(uint64_t was, uint32_t box)
{
	return ((was >> 32) + 1) << 32 | box;
}

static inline struct depot_box *depot_pop(struct depot *d, uint64_t *stack)
{
	/* acquire: pairs with the release in depot_push() */
	uint64_t top = __atomic_load_n(stack, __ATOMIC_ACQUIRE);

	for (int i = 0; i < DEPOT_TRIES; i++) {
		struct depot_box *box = depot_numbered(d, (uint32_t)top);
		uint64_t next;

		if (!box)
			return NULL;
		next = depot_top(top, __atomic_load_n(&box->below, __ATOMIC_RELAXED));
		/* acquire, both: as above */
		if (__atomic_compare_exchange_n(
			    stack, &top, next, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
			return box;
	}
	return NULL;
}

static inline bool depot_push(struct depot *d, uint64_t *stack, struct depot_box *box)
{
	uint32_t number = depot_number(d, box);
	uint64_t top = __atomic_load_n(stack, __ATOMIC_RELAXED);

	for (int i = 0; i < DEPOT_TRIES; i++) {
		__atomic_store_n(&box->below, (uint32_t)top, __ATOMIC_RELAXED);
		/* release: the box; pairs with depot_pop() */
		if (__atomic_compare_exchange_n(stack, &top, depot_top(top, number),
			    false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* ---- boxes ---- */

struct depot_box *depot_take(struct depot *d, unsigned class)
{
	struct depot_box *box = depot_pop(d, &d->full[class]);

	if (box)
		/* relaxed: a bound on memory, not an order */
		__atomic_fetch_add(&d->room, (long)box->bytes, __ATOMIC_RELAXED);
	return box;
}

bool depot_put(struct depot *d, unsigned class, struct depot_box *box)
{
	long bytes = (long)box->bytes;

	/* relaxed: as above */
	if (__atomic_sub_fetch(&d->room, bytes, __ATOMIC_RELAXED) >= 0 &&
		depot_push(d, &d->full[class], box))
		return true;
	__atomic_fetch_add(&d->room, bytes, __ATOMIC_RELAXED);
	return false;
}

struct depot_box *depot_take_empty(struct depot *d)
{
	return depot_pop(d, &d->empty);
}

bool depot_put_empty(struct depot *d, struct depot_box *box)
{
	return depot_push(d, &d->empty, box);
}
