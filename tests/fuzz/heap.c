/* SPDX-License-Identifier: MIT */
/*
 * heap.c - libFuzzer target: any bytes as a sequence of operations of the engine
 *
 * The model knows each block's address, size and content. After every operation all
 * invariants of the heap are checked; a refused request must not have fitted; what is not
 * live is refused by name. At the end all is freed and the span is one block again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define PROMISE(cond)                                                 \
	do {                                                          \
		if (!(cond)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #cond); \
			abort();                                      \
		}                                                     \
	} while (0)

#define LIVE_MAX   256
#define SPAN_MAX   (1UL << 20)
#define HEAD	   8192UL
#define EDGE	   64
#define OPERATIONS 400

struct live {
	unsigned char *p;
	size_t size;
	unsigned char fill;
	bool flipped;
};

static struct live live[LIVE_MAX];
static unsigned nlive;
static struct heap *heap;
static size_t span_len;
static unsigned char *memory, *span;
static const uint8_t *at, *end;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned byte(void)
{
	return at < end ? *at++ : 0;
}

/* Small ones in steps of one, larger ones spread over powers of two. */
static size_t some_size(void)
{
	unsigned n = byte();

	if (n < 128)
		return n * 9 + 1;
	return ((size_t)(byte() | 1) << (n % 16)) + (n & 16 ? byte() : 0);
}

static size_t edge_of(const struct live *l)
{
	return l->size < EDGE ? l->size : EDGE;
}

static void paint(struct live *l)
{
	static unsigned char fill;

	l->fill = ++fill;
	memset(l->p, fill, edge_of(l));
	memset(l->p + l->size - edge_of(l), fill, edge_of(l));
}

static void look(const struct live *l, size_t size)
{
	for (size_t i = 0; i < edge_of(l) && i < size; i++)
		PROMISE(l->p[i] == l->fill);
	for (size_t i = l->size - edge_of(l); i < l->size && size >= l->size; i++)
		PROMISE(l->p[i] == l->fill);
}

static void add(unsigned char *p, size_t size, size_t align)
{
	struct live *l = &live[nlive++];

	*l = (struct live){.p = p, .size = size};
	PROMISE((uintptr_t)p % (align > HEAP_ALIGN ? align : HEAP_ALIGN) == 0);
	PROMISE(p >= span && p + heap_usable_of(p) <= span + span_len);
	PROMISE(heap_size_of(p) == size && heap_usable_of(p) < size + 48);
	PROMISE(heap_check_pointer(heap, p) == HEAP_OK);
	for (unsigned i = 0; i + 1 < nlive; i++)
		PROMISE(p + size <= live[i].p || live[i].p + live[i].size <= p);
	paint(l);
}

static void do_alloc(size_t align)
{
	size_t size = some_size();
	struct heap_stats st;
	unsigned char *p;

	if (nlive == LIVE_MAX)
		return;
	heap_stats(heap, &st);
	p = align ? heap_alloc_aligned(heap, align, size) : heap_alloc(heap, size);
	if (p)
		add(p, size, align);
	else
		PROMISE(align > HEAP_ALIGN || size > st.largest_free);
}

static void do_alloc_block(bool from_end)
{
	size_t size = (some_size() + HEAP_BLOCK_MIN) & ~(HEAP_ALIGN - 1);
	unsigned char *p = NULL;

	if (nlive < LIVE_MAX)
		p = from_end ? heap_alloc_end(heap, size) : heap_alloc_block(heap, size);
	if (!p)
		return;
	PROMISE(heap_usable_of(p) >= size - HEAP_OVERHEAD);
	PROMISE(heap_check_pointer(heap, p) == HEAP_DOUBLE_FREE);
	heap_flip(p);
	add(p, heap_usable_of(p), 0);
}

static struct live *some(void)
{
	return nlive ? &live[byte() % nlive] : NULL;
}

static void do_free(struct live *l)
{
	unsigned char *p = l->p;

	look(l, l->size);
	if (l->flipped) {
		PROMISE(heap_free(heap, p) == HEAP_DOUBLE_FREE);
		if (heap_owner(p))
			PROMISE(heap_free_flipped(heap, p) == HEAP_BROKEN);
		heap_stamp(p, HEAP_OWNED(heap_owner(p)));
		PROMISE(heap_free_flipped(heap, p) == HEAP_OK);
	} else {
		PROMISE(heap_free(heap, p) == HEAP_OK);
	}
	PROMISE(heap_free(heap, p) == HEAP_DOUBLE_FREE);
	*l = live[--nlive];
}

static void do_resize(struct live *l)
{
	size_t size = some_size(), phys = heap_phys_of(heap, l->p);

	look(l, l->size);
	if (l->flipped)
		return;
	if (!heap_resize(heap, l->p, size)) {
		PROMISE(size > phys && heap_size_of(l->p) == l->size);
		return;
	}
	PROMISE(size <= phys && heap_size_of(l->p) == size);
	look(l, size < l->size ? size : l->size - 1);
	l->size = size;
	paint(l);
}

/* Into a cache, and out of it again: then all of it is used. */
static void do_flip(struct live *l)
{
	look(l, l->size);
	if (l->flipped)
		heap_flip(l->p);
	else
		heap_retire(l->p);
	l->flipped = !l->flipped;
	PROMISE(heap_check_pointer(heap, l->p) ==
		(l->flipped ? HEAP_DOUBLE_FREE : HEAP_OK));
	l->size = heap_usable_of(l->p);
	PROMISE(heap_size_of(l->p) == l->size);
	paint(l);
}

/* It is somebody's from now on, live or not, whatever else is done with it. */
static void do_stamp(struct live *l)
{
	uint8_t owner = (uint8_t)byte();

	heap_stamp(l->p, HEAP_OWNED(heap_owner(l->p)) ^ HEAP_OWNED(owner));
	PROMISE(heap_owner(l->p) == owner);
	PROMISE(heap_check_pointer(heap, l->p) ==
		(l->flipped ? HEAP_DOUBLE_FREE : HEAP_OK));
	look(l, l->size);
}

/* A part of a cached one, without the heap. */
static void do_carve(struct live *l)
{
	size_t size = (some_size() + HEAP_BLOCK_MIN) & ~(HEAP_ALIGN - 1);
	size_t align = HEAP_ALIGN << byte() % 8;
	size_t had = heap_usable_of(l->p) + HEAP_OVERHEAD;
	unsigned char *p;

	if (nlive == LIVE_MAX)
		return;
	look(l, l->size);
	p = heap_carve(heap, l->p, size, align);
	if (!p) {
		PROMISE(had < size + align - HEAP_ALIGN + HEAP_BLOCK_MIN);
		return;
	}
	l->size = heap_usable_of(l->p);
	PROMISE(l->p + l->size + HEAP_OVERHEAD == p);
	PROMISE(l->size + heap_usable_of(p) + 2 * HEAP_OVERHEAD == had);
	PROMISE(heap_usable_of(p) + HEAP_OVERHEAD >= size);
	PROMISE(heap_check_pointer(heap, p) == HEAP_DOUBLE_FREE && !heap_owner(p));
	heap_flip(p);
	paint(l);
	add(p, heap_usable_of(p), align);
}

static void do_set_size(struct live *l)
{
	size_t usable = heap_usable_of(l->p), less = byte();

	if (l->flipped || !less || less >= usable)
		return;
	look(l, l->size);
	heap_set_size(heap, l->p, usable - less);
	l->size = usable - less;
	PROMISE(heap_size_of(l->p) == l->size && heap_usable_of(l->p) == usable);
	PROMISE(heap_check_pointer(heap, l->p) == HEAP_OK);
	paint(l);
}

/* Inside a block, or outside the span: never taken for a block. */
static void do_misuse(struct live *l)
{
	PROMISE(heap_free(heap, l->p + 1 + byte() % 15) == HEAP_NOT_A_BLOCK);
	PROMISE(heap_free(heap, span + span_len + byte() * 16) == HEAP_NOT_A_BLOCK);
	PROMISE(heap_free(heap, memory + byte() * 16) == HEAP_NOT_A_BLOCK);
}

static void do_extend(void)
{
	size_t more = (1 + byte() % 4) * 4096;

	if (span_len + more > SPAN_MAX)
		return;
	heap_extend(heap, more);
	span_len += more;
}

static void one(void)
{
	unsigned op = byte();
	struct live *l;

	if (op % 16 < 5)
		do_alloc(0);
	else if (op % 16 < 6)
		do_alloc(16UL << op / 16);
	else if (op % 16 < 7)
		do_alloc_block(op / 16 % 2);
	else if (op == 255)
		do_extend();
	else if (!(l = some()))
		return;
	else if (op % 16 < 12)
		do_free(l);
	else if (op % 16 < 14)
		do_resize(l);
	else if (op % 16 < 15 && l->flipped && op / 16 % 4)
		do_carve(l);
	else if (op % 16 < 15)
		do_flip(l);
	else if (op & 16)
		do_stamp(l);
	else if (op & 32)
		do_set_size(l);
	else
		do_misuse(l);
}

static void check(void)
{
	const void *where = NULL;
	const char *wrong = heap_check(heap, &where);
	size_t used = 0;

	if (wrong)
		fprintf(stderr, "%s (%p)\n", wrong, where);
	PROMISE(!wrong);
	for (unsigned i = 0; i < nlive; i++)
		used += heap_usable_of(live[i].p) + HEAP_OVERHEAD;
	PROMISE(heap_used(heap) == used && !heap_broken_block(heap));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!memory)
		memory = aligned_alloc(4096, HEAD + SPAN_MAX + 8192);
	PROMISE(memory && heap_control_size() <= HEAD);
	at = data;
	end = data + size;
	nlive = 0;
	span = memory + HEAD;
	span_len = 4096UL << byte() % 8;
	heap = heap_init(memory, span, span_len, (uint16_t)(byte() << 8 | 0x5a));
	for (unsigned i = 0; i < OPERATIONS && at < end; i++) {
		one();
		check();
	}
	while (nlive)
		do_free(&live[nlive - 1]);
	check();
	PROMISE(heap_alloc(heap, span_len - HEAP_ENDS - HEAP_OVERHEAD));
	return 0;
}
