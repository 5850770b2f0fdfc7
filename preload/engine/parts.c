/* SPDX-License-Identifier: MIT */
/*
 * parts.c - see parts.h
 */
#include "parts.h"

#include <stdbool.h>
#include <string.h>

size_t parts_size_for(size_t max)
{
	size_t size = (max + PARTS_MAX - 1) / PARTS_MAX;

	if (size < PARTS_BEST && max / PARTS_BEST >= PARTS_ENOUGH)
		size = PARTS_BEST;
	size = (size + PARTS_LEAST - 1) & ~(PARTS_LEAST - 1);
	return size ? size : PARTS_LEAST;
}

void parts_init(struct parts *p, size_t part_size, size_t reserved)
{
	uint64_t pages = part_size >> 12;

	memset(p, 0, sizeof(*p));
	p->size = (uint32_t)part_size;
	p->count = (uint32_t)(reserved / part_size);
	p->inverse = ((1UL << 40) + pages - 1) / pages;
}

static bool parts_take_mask(struct parts *p, uint64_t *seen, uint64_t mask, uint8_t owner)
{
	if (!parts_swap(p, seen, mask))
		return false;
	for (; mask; mask &= mask - 1)
		parts_set_owner(p, (unsigned)__builtin_ctzl(mask), owner);
	return true;
}

int parts_take_these(struct parts *p, uint64_t mask, uint8_t owner)
{
	uint64_t seen = parts_free(p);

	for (int i = 0; i < PARTS_TRIES && !(mask & ~seen); i++)
		if (parts_take_mask(p, &seen, mask, owner))
			return 0;
	return -1;
}

void parts_give(struct parts *p, uint64_t mask)
{
	/* release: what the giver wrote there; pairs with parts_swap() */
	__atomic_fetch_or(&p->free, mask, __ATOMIC_RELEASE);
}
