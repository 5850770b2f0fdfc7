/* SPDX-License-Identifier: MIT */
/* floor.c - see floor.h */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "common.h"
#include "floor.h"

#define CLASSES 144  /* eight a doubling, up to 1 MiB and a little */
#define DEPTH	4096 /* free blocks of a class */
#define RING	65536
#define HEADER	16 /* holds the class */

struct floor {
	unsigned n[CLASSES];
	void *stack[CLASSES][DEPTH];
	_Alignas(64) uint32_t head; /* the other thread: release; the owner: acquire */
	_Alignas(64) uint32_t tail; /* owner only */
	struct {
		void *p;
		uint64_t c;
	} ring[RING];
};

static char *area, *end;
static struct floor *f;
static __thread bool mine;

static unsigned class_of(size_t n)
{
	unsigned octave;

	if (n <= 16)
		return 0;
	octave = 63 - (unsigned)__builtin_clzll(n - 1);
	return (octave - 4) * 8 + (unsigned)((n - 1) >> (octave - 3) & 7) + 1;
}

static size_t class_size(unsigned c)
{
	size_t n = (size_t)((c - 1) % 8 + 9) << ((c - 1) / 8 + 1);

	return c ? (n + 15) & ~(size_t)15 : 16;
}

int floor_init(size_t bytes)
{
	area = touched_memory(bytes);
	f = touched_memory(sizeof(*f));
	if (!area || !f)
		return -1;
	end = area + bytes;
	return 0;
}

void floor_mine(void)
{
	mine = true;
}

static uint64_t class_of_block(const void *p)
{
	return *(const uint64_t *)((const char *)p - HEADER);
}

static void push(void *p, uint64_t c)
{
	if (f->n[c] == DEPTH)
		abort();
	f->stack[c][f->n[c]++] = p;
}

static void *carve(unsigned c)
{
	char *p = area;

	area += HEADER + class_size(c);
	if (area > end)
		return NULL;
	*(uint64_t *)p = c;
	return p + HEADER;
}

void *floor_alloc(size_t size)
{
	unsigned c = class_of(size);

	/* acquire: pairs with the release in floor_free() */
	if (__builtin_expect(__atomic_load_n(&f->head, __ATOMIC_ACQUIRE) != f->tail, 0)) {
		push(f->ring[f->tail % RING].p, f->ring[f->tail % RING].c);
		f->tail++;
	}
	if (__builtin_expect(f->n[c] == 0, 0))
		return carve(c);
	return f->stack[c][--f->n[c]];
}

void floor_free(void *p)
{
	if (mine) {
		push(p, class_of_block(p));
		return;
	}
	f->ring[f->head % RING].p = p;
	f->ring[f->head % RING].c = class_of_block(p);
	__atomic_store_n(&f->head, f->head + 1, __ATOMIC_RELEASE);
}
