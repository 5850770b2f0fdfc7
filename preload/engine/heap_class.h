/* SPDX-License-Identifier: MIT */
/*
 * heap_class.h - size classes: 32 per power of two, one number each, growing with size
 *
 * Proven for every size by tests/proof/heap_classes.c. No loop.
 */
#ifndef HEAP_CLASS_H
#define HEAP_CLASS_H

#include "heap.h"

/*
 * The class a block of `size` >= BLOCK_MIN belongs to: exponent and upper bits of the
 * mantissa of the size as a floating-point number. Half the instructions of a bit scan
 * and two shifts, and each operation has up to four of these.
 */
#define CLASS_BIAS ((1023u + 5u) << HEAP_SL_BITS)
static inline uint32_t class_bits(int64_t n)
{
	union {
		double number;
		uint64_t bits;
	} as = {.number = (double)n};

	return (uint32_t)(as.bits >> (52u - HEAP_SL_BITS));
}

static inline uint32_t class_of(uint32_t size)
{
	return class_bits(size) - CLASS_BIAS;
}

/* The smallest class of which every block has at least `size` bytes: the one behind that
 * of size - 1/2. */
static inline uint32_t class_fitting(uint32_t size)
{
	return class_bits(2 * (int64_t)size - 1) - CLASS_BIAS - HEAP_SL + 1;
}

#endif
