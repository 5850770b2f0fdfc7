/* SPDX-License-Identifier: MIT */
/*
 * heap_unit.h - memory, parts and heaps without a pool, for the unit programs of the heap
 *
 * A heap that finds itself broken comes back to breaks(), or ends the program.
 */
#ifndef HEAP_UNIT_H
#define HEAP_UNIT_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "engine/heap_list.h"

#define HEAPS 3u

static unsigned char *memory; /* what the heaps have */
static struct parts parts;
static struct heap heaps[HEAPS];

static const void *broken_block;
static bool broken_expected;
static sigjmp_buf broken_back;

static void unit_broken(const struct heap *h, const void *block)
{
	broken_block = block;
	if (broken_expected)
		siglongjmp(broken_back, 1);
	printf("heap %u broken at %p\n", h->number, block);
	exit(1);
}

/* Does the heap find itself broken on the way? */
static __attribute__((unused)) bool breaks(void (*fn)(void))
{
	broken_block = NULL;
	broken_expected = true;
	if (!sigsetjmp(broken_back, 0))
		fn();
	broken_expected = false;
	return broken_block != NULL;
}

static uint64_t seed = 0x9e3779b97f4a7c15UL;

static __attribute__((unused)) uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL >> 11;
}

/* `bytes` of memory. Seals are functions of the address, so it is the same every time. */
static void unit_memory(size_t bytes)
{
	memory = mmap((void *)0x500000000000UL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (memory == MAP_FAILED)
		exit(2);
}

/* Keys differ, as those of pools do. */
static struct block_key unit_key(uint64_t n)
{
	return (struct block_key){
		.mix = n * 0x9e3779b97f4a7c15UL ^ 0x5bd1e995a5a5a5a5UL,
		.factor = n * 0xbf58476d1ce4e5b9UL | 1,
	};
}

/* Heaps over `reserved` parts of which the first `count` are there. */
static __attribute__((unused)) void unit_parts(
	size_t part, unsigned count, unsigned reserved, uint64_t n)
{
	struct block_key key = unit_key(n);

	parts_init(&parts, part, part * reserved);
	for (unsigned i = 0; i < HEAPS; i++) {
		heap_init(&heaps[i], memory, &key, &parts, (uint8_t)i, unit_broken);
		heap_set_reach(&heaps[i], part * count);
	}
	parts_give(&parts, parts_mask(0, count));
}

/* The first heap only: one run of `len` bytes, as a native pool has it. */
static __attribute__((unused)) void unit_native(size_t len, uint64_t n)
{
	struct block_key key = unit_key(n);

	heap_init(&heaps[0], memory, &key, NULL, 0, unit_broken);
	heap_extend(&heaps[0], len);
}

/* A live block for n bytes, as an owner without a cache gets it. */
static __attribute__((unused)) void *unit_take(struct heap *h, size_t n)
{
	return heap_alloc(h, block_size_for(n), 0);
}

/* Others give it back. */
static __attribute__((unused)) void unit_return(struct heap *h, void *p)
{
	block_retire(block_of(p));
	CHECK(heap_push(h, block_of(p), block_of(p), 1));
}

/* Bytes of blocks on a list of what others gave back. */
static __attribute__((unused)) size_t unit_away(const struct heap *h, uint32_t place)
{
	size_t sum = 0;

	for (; place; place = *heap_link(heap_at(h, place))) {
		CHECK(block_is_returned(&h->key, heap_at(h, place)));
		sum += block_size(heap_at(h, place));
	}
	return sum;
}

#endif
