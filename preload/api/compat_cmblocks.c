/* SPDX-License-Identifier: MIT */
/*
 * compat_cmblocks.c - open addressing, linear probing, removal by shifting back
 */
#include "compat_cmblocks.h"

#include <stdint.h>

static size_t cm_home(const struct cm_blocks *b, const void *p)
{
	return (size_t)(((uintptr_t)p >> 12) * 0x9e3779b97f4a7c15UL >> 20) & (b->cap - 1);
}

bool cm_blocks_full(const struct cm_blocks *b)
{
	return b->n * 2 >= b->cap;
}

static size_t cm_slot(const struct cm_blocks *b, const void *p)
{
	size_t i = cm_home(b, p);

	while (b->slot[i].p && b->slot[i].p != p)
		i = (i + 1) & (b->cap - 1);
	return i;
}

void cm_blocks_add(struct cm_blocks *b, void *p, size_t bytes)
{
	b->slot[cm_slot(b, p)] = (struct cm_block){p, bytes};
	b->n++;
}

struct cm_block *cm_blocks_move(struct cm_blocks *b, struct cm_block *slot, size_t cap)
{
	struct cm_blocks old = *b;

	*b = (struct cm_blocks){slot, cap, 0};
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].p)
			cm_blocks_add(b, old.slot[i].p, old.slot[i].bytes);
	return old.slot;
}

size_t cm_blocks_find(const struct cm_blocks *b, const void *p)
{
	return b->cap ? b->slot[cm_slot(b, p)].bytes : 0;
}

size_t cm_blocks_remove(struct cm_blocks *b, const void *p)
{
	size_t hole, i, bytes = cm_blocks_find(b, p);

	if (!bytes)
		return 0;
	hole = i = cm_slot(b, p);
	for (;;) {
		i = (i + 1) & (b->cap - 1);
		if (!b->slot[i].p)
			break;
		/* may it stand in the hole, that is, not before its home? */
		if (((i - cm_home(b, b->slot[i].p)) & (b->cap - 1)) >=
			((i - hole) & (b->cap - 1))) {
			b->slot[hole] = b->slot[i];
			hole = i;
		}
	}
	b->slot[hole] = (struct cm_block){0};
	b->n--;
	return bytes;
}
