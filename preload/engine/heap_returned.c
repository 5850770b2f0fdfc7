/* SPDX-License-Identifier: MIT */
/*
 * heap_returned.c - blocks that others freed, on their way back to their heap
 *
 * `returned` is a Treiber stack, linked through the payloads. Anybody pushes; only the
 * owner takes, always the whole stack at once, so there is no ABA, and a pusher that is
 * stopped hides nothing. The taken blocks wait in `inbox`, which is the owner's own, and
 * are released one by one. tests/model/returned.pml goes through the interleavings.
 *
 * Realtime: yes. Bound: that of the arguments.
 */
#include "heap_list.h"

bool heap_push(struct heap *h, struct block *first, struct block *last, int tries)
{
	uint32_t top = __atomic_load_n(&h->returned, __ATOMIC_RELAXED);

	do {
		if (tries-- == 0)
			return false;
		*heap_link(last) = top;
		/* release: the links, and all that was done with the blocks; pairs with
		 * heap_first_returned() */
	} while (!__atomic_compare_exchange_n(&h->returned, &top, heap_place(h, first),
		false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return true;
}

unsigned heap_take_back(struct heap *h, unsigned max)
{
	struct block *b;
	unsigned n = 0;

	for (; n < max && (b = heap_first_returned(h)); n++) {
		heap_drop_first_returned(h, b);
		heap_release(h, b);
	}
	return n;
}

void heap_release_later(struct heap *h, struct block *b)
{
	*heap_link(b) = h->inbox;
	heap_set_inbox(h, heap_place(h, b));
}
