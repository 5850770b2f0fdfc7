/* SPDX-License-Identifier: MIT */
/*
 * heap_returned.c - blocks that others freed, on their way back to their heap
 *
 * `returned` is one Treiber stack per group of sizes, linked through the payloads. Anybody
 * pushes; only the owner takes, always a whole stack at once, so there is no ABA, and a
 * pusher that is stopped hides nothing. What was taken waits in `inbox`, the owner's own,
 * and is looked at block by block.
 *
 * returned_map says which stacks have blocks. A pusher sets the bit after its push, if it
 * is not set; the owner clears it before it takes the stack. All four are seq_cst: if the
 * pusher saw the bit set, its push comes before the owner's clear in the one order of all
 * of them, and so before the owner's take. tests/model/returned.pml goes through it.
 *
 * Realtime: yes. Bound: that of the arguments.
 */
#include "heap_list.h"

bool heap_push(struct heap *h, struct block *first, struct block *last, int tries)
{
	unsigned g = heap_group(class_of(block_size(first)));
	uint32_t top = __atomic_load_n(&h->returned[g], __ATOMIC_RELAXED), bit = 1u << g;

	do {
		if (tries-- == 0)
			return false;
		*heap_link(last) = top;
		/* seq_cst: see above; as a release it pairs with heap_take_stack(): the
		 * links, and all that was done with the blocks */
	} while (!__atomic_compare_exchange_n(&h->returned[g], &top,
		heap_place(h, first), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (!(__atomic_load_n(&h->returned_map, __ATOMIC_SEQ_CST) & bit))
		__atomic_fetch_or(&h->returned_map, bit, __ATOMIC_SEQ_CST);
	return true;
}

bool heap_has_returned(const struct heap *h)
{
	/* relaxed: a hint */
	return (__atomic_load_n(&h->returned_map, __ATOMIC_RELAXED) |
		       __atomic_load_n(&h->inbox_map, __ATOMIC_RELAXED)) != 0;
}

/* The whole stack of group g into its inbox, which is empty. */
static inline uint32_t heap_take_stack(struct heap *h, unsigned g)
{
	uint32_t place;

	/* seq_cst, both: see above; acquire pairs with heap_push() */
	__atomic_fetch_and(&h->returned_map, ~(1u << g), __ATOMIC_SEQ_CST);
	place = __atomic_exchange_n(&h->returned[g], 0, __ATOMIC_SEQ_CST);
	if (place)
		h->inbox_map |= 1u << g;
	return place;
}

/*
 * The first of a group, or NULL. The link to it was the program's to write since it freed
 * the block above: so it is looked at before it is followed.
 */
static inline struct block *heap_first_returned(struct heap *h, unsigned g)
{
	uint32_t place = h->inbox[g];
	struct block *b;

	if (!place) {
		place = heap_take_stack(h, g);
		if (!place)
			return NULL; /* a bit that was set late: it is clear now */
		h->inbox[g] = place;
	}
	b = heap_at(h, place);
	if (BLOCK_UNLIKELY(place % BLOCK_ALIGN != BLOCK_HEADER ||
			   !heap_reaches(h, place) || !block_is_returned(&h->key, b)))
		heap_found_broken(h, b);
	return b;
}

static inline struct block *heap_pop(struct heap *h, struct block *b, unsigned g)
{
	h->inbox[g] = *heap_link(b);
	if (!h->inbox[g])
		h->inbox_map &= ~(1u << g);
	return b;
}

static inline void heap_put_inbox(struct heap *h, struct block *b, unsigned g)
{
	*heap_link(b) = h->inbox[g];
	h->inbox[g] = heap_place(h, b);
	h->inbox_map |= 1u << g;
}

/* One that is too small is moved to the next list, where it is large enough for all. */
struct block *heap_returned_like(struct heap *h, uint32_t size, unsigned g)
{
	struct block *b = heap_first_returned(h, g);

	if (!b)
		return NULL;
	heap_pop(h, b, g);
	if (BLOCK_LIKELY(block_size(b) >= size))
		return b;
	heap_put_inbox(h, b, g - 1);
	return NULL;
}

struct block *heap_returned_above(struct heap *h, uint32_t size)
{
	uint32_t groups = heap_groups(h) & ~1u << heap_group(class_fitting(size));
	unsigned g = (unsigned)__builtin_ctz(groups | 1u << (HEAP_GROUPS - 1));
	struct block *b = groups ? heap_first_returned(h, g) : NULL;

	return b && block_size(b) >= size ? heap_pop(h, b, g) : NULL;
}

/* The smallest first: larger ones can be used as they are. */
unsigned heap_take_back(struct heap *h, unsigned max)
{
	unsigned n = 0, g;
	uint32_t groups;
	struct block *b;

	for (; n < max && (groups = heap_groups(h)); n++) {
		g = (unsigned)__builtin_ctz(groups);
		b = heap_first_returned(h, g);
		if (b)
			heap_release(h, heap_pop(h, b, g));
	}
	return n;
}

void heap_release_later(struct heap *h, struct block *b)
{
	heap_put_inbox(h, b, heap_group(class_of(block_size(b))));
}
