/* SPDX-License-Identifier: MIT */
/*
 * heap_three.h - a heap with three neighbours in it, to be misused
 */
#ifndef HEAP_THREE_H
#define HEAP_THREE_H

#include "heap_unit.h"

#define PART (64UL << 10)

/* Neighbours, and something behind them. Of heaps[0]. */
static unsigned char *a, *b, *c;
static struct heap *const heap = &heaps[0];

static void fresh_key(uint64_t n)
{
	unit_parts(PART, 8, 16, n);
	a = unit_take(heap, 104);
	b = unit_take(heap, 104);
	c = unit_take(heap, 104);
	CHECK(unit_take(heap, 104) != NULL);
	memset(a, 1, 104);
	memset(b, 1, 104);
	memset(c, 1, 104);
}

static void fresh(void)
{
	fresh_key(1);
}

#endif
