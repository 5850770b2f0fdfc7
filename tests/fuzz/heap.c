/* SPDX-License-Identifier: MIT */
/*
 * heap.c - libFuzzer target: any bytes as a sequence of operations of the engine
 *
 * Two heaps over one set of parts, or a native one. The model knows each block's address,
 * size, content and heap. After every operation all invariants of the heaps are checked;
 * a refused request must not have fitted; what is not live is refused by name. At the end
 * all is freed, and all parts are anybody's again. Last, some bytes of the heap's memory
 * are overwritten: what the heap does then stays within its memory, or it says that it is
 * broken.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/runs.h"
#include "engine/heap_list.h"

#define PROMISE(cond)                                                 \
	do {                                                          \
		if (!(cond)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #cond); \
			abort();                                      \
		}                                                     \
	} while (0)

#define LIVE_MAX   256
#define SPAN_MAX   (1UL << 20)
#define EDGE	   64
#define OPERATIONS 400
#define HEAPS	   2u

struct live {
	unsigned char *p;
	size_t size;
	struct heap *heap;
	unsigned char fill;
	uint8_t tag;
	bool cached;
};

static struct live live[LIVE_MAX];
static unsigned nlive, nheaps;
static struct parts parts;
static struct heap heaps[HEAPS];
static size_t span_len;
static unsigned char *memory;
static const uint8_t *at, *end;
static bool may_break;
static sigjmp_buf back;

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

static void broken(const struct heap *h, const void *block)
{
	PROMISE(may_break && h && block);
	siglongjmp(back, 1);
}

static struct heap *a_heap(void)
{
	return &heaps[byte() % nheaps];
}

static void add(unsigned char *p, size_t size, size_t align, struct heap *h, uint8_t tag)
{
	struct live *l = &live[nlive++];

	*l = (struct live){.p = p, .size = size, .heap = h, .tag = tag};
	PROMISE((uintptr_t)p % (align > BLOCK_ALIGN ? align : BLOCK_ALIGN) == 0);
	PROMISE(p >= memory && p + block_usable_of(p) <= memory + span_len);
	PROMISE(block_usable_of(p) >= size && block_usable_of(p) < size + 48 + size / 16);
	PROMISE(heap_check_pointer(h, p) == HEAP_OK && block_tag(block_of(p)) == tag);
	if (h->parts)
		PROMISE(parts.owner[parts_of(&parts, (size_t)(p - memory))] == h->number);
	for (unsigned i = 0; i + 1 < nlive; i++)
		PROMISE(p + size <= live[i].p || live[i].p + live[i].size <= p);
	paint(l);
}

static bool fits(const struct heap *h, size_t block)
{
	struct heap_stats st;

	heap_stats(h, &st);
	if (block <= st.largest_free + BLOCK_HEADER)
		return true;
	return h->parts && block + HEAP_RUN_ENDS <= span_len &&
	       run_of(parts_free(&parts),
		       (unsigned)((block + HEAP_RUN_ENDS + parts.size - 1) / parts.size),
		       0) >= 0;
}

static void do_alloc(size_t align, bool serve)
{
	size_t size = some_size();
	uint32_t block = block_size_for(size);
	struct heap *h = a_heap();
	uint8_t tag = (uint8_t)byte();
	bool fit = fits(h, block);
	unsigned char *p;

	if (nlive == LIVE_MAX)
		return;
	p = align   ? heap_alloc_aligned(h, align, block, tag)
	    : serve ? heap_serve(h, block, tag)
		    : heap_alloc(h, block, tag);
	PROMISE(p || align > BLOCK_ALIGN || !fit);
	if (p)
		add(p, size, align, h, tag);
}

static struct live *some(void)
{
	return nlive ? &live[byte() % nlive] : NULL;
}

/* By its owner, now or later, or by somebody else. */
static void do_free(struct live *l)
{
	unsigned char *p = l->p, way = (unsigned char)byte() % 4;
	struct heap *h = l->heap;

	look(l, l->size);
	if (way < 2 && !l->cached) {
		PROMISE(heap_free(h, p) == HEAP_OK);
	} else {
		if (l->cached)
			block_retire_cached(block_of(p));
		else
			block_retire(block_of(p));
		PROMISE(block_is_returned(&h->key, block_of(p)));
		if (way & 1)
			heap_release_later(h, block_of(p));
		else
			PROMISE(heap_push(h, block_of(p), block_of(p), 1));
	}
	PROMISE(heap_free(h, p) != HEAP_OK);
	*l = live[--nlive];
}

static void do_resize(struct live *l)
{
	size_t size = some_size(), room = heap_room_of(l->heap, l->p);

	look(l, l->size);
	if (l->cached)
		return;
	if (!heap_resize(l->heap, l->p, size)) {
		PROMISE(size > room && block_usable_of(l->p) >= l->size);
		return;
	}
	PROMISE(size <= room && block_requested_of(l->p) == size);
	look(l, size < l->size ? size : l->size - 1);
	l->size = size;
	paint(l);
}

/* Into a cache, and out of it again. */
static void do_flip(struct live *l)
{
	look(l, l->size);
	block_flip(block_of(l->p));
	l->cached = !l->cached;
	PROMISE(heap_check_pointer(l->heap, l->p) ==
		(l->cached ? HEAP_DOUBLE_FREE : HEAP_OK));
	PROMISE(block_tag(block_of(l->p)) == l->tag);
}

/* It is booked on another tag from now on, live or not, whatever else is done with it. */
static void do_tag(struct live *l)
{
	l->tag = (uint8_t)byte();
	block_set_tag(block_of(l->p), l->tag);
	PROMISE(block_tag(block_of(l->p)) == l->tag);
	PROMISE(heap_check_pointer(l->heap, l->p) ==
		(l->cached ? HEAP_DOUBLE_FREE : HEAP_OK));
	look(l, l->size);
}

static void do_set_size(struct live *l)
{
	size_t usable = block_usable_of(l->p), less = byte();

	if (l->cached || !less || less >= usable)
		return;
	look(l, l->size);
	block_set_requested(block_of(l->p), usable - less);
	l->size = usable - less;
	PROMISE(block_requested_of(l->p) == l->size && block_usable_of(l->p) == usable);
	PROMISE(heap_check_pointer(l->heap, l->p) == HEAP_OK);
	paint(l);
}

/* Inside a block, or outside the span: never taken for a block. */
static void do_misuse(struct live *l)
{
	struct heap *h = a_heap();

	PROMISE(heap_free(h, l->p + 1 + byte() % 15) == HEAP_NOT_A_BLOCK);
	PROMISE(heap_free(h, memory + span_len + byte() * 16) == HEAP_NOT_A_BLOCK);
	PROMISE(heap_free(h, (unsigned char *)h + byte() * 16) == HEAP_NOT_A_BLOCK);
}

static void do_extend(void)
{
	size_t more = parts.size ? parts.size : (1 + byte() % 4) * 4096;

	if (span_len + more > SPAN_MAX ||
		(parts.size && span_len + more > PARTS_MAX * more))
		return;
	if (!parts.size)
		heap_extend(&heaps[0], more);
	span_len += more;
	if (!parts.size)
		return;
	for (unsigned i = 0; i < nheaps; i++)
		heap_set_reach(&heaps[i], span_len);
	parts_give(&parts, parts_mask((unsigned)(span_len / more) - 1, 1));
}

static void one(void)
{
	unsigned op = byte();
	struct live *l;

	if (op % 16 < 5)
		do_alloc(0, op & 16);
	else if (op % 16 < 6)
		do_alloc(16UL << op / 16, false);
	else if (op % 16 < 7)
		heap_take_back(a_heap(), op / 16);
	else if (op == 255)
		do_extend();
	else if (op == 239)
		heap_trim(a_heap(), HEAP_ALL_OF_THEM);
	else if (!(l = some()))
		return;
	else if (op % 16 < 12)
		do_free(l);
	else if (op % 16 < 14)
		do_resize(l);
	else if (op % 16 < 15)
		do_flip(l);
	else if (op & 16)
		do_tag(l);
	else if (op & 32)
		do_set_size(l);
	else
		do_misuse(l);
}

/* ---- after every operation ---- */

static size_t away(const struct heap *h, uint32_t place)
{
	size_t sum = 0;

	for (; place; place = *heap_link(heap_at(h, place)))
		sum += block_size(heap_at(h, place));
	return sum;
}

static void check_heap(const struct heap *h)
{
	size_t used = away(h, h->returned) + away(h, h->inbox);
	const void *where = NULL;
	const char *wrong = heap_check(h, &where);

	if (wrong)
		fprintf(stderr, "%s (%p)\n", wrong, where);
	PROMISE(!wrong);
	for (unsigned i = 0; i < nlive; i++)
		used += live[i].heap == h ? block_taken_of(live[i].p) : 0;
	PROMISE(h->used == used);
}

static void check(void)
{
	uint64_t seen = parts_free(&parts);

	for (unsigned i = 0; i < nheaps; i++) {
		check_heap(&heaps[i]);
		PROMISE(!(heaps[i].own & seen));
		seen |= heaps[i].own;
	}
	if (parts.size)
		PROMISE(seen == parts_mask(0, (unsigned)(span_len / parts.size)));
}

static void all_back(void)
{
	while (nlive)
		do_free(&live[nlive - 1]);
	for (unsigned i = 0; i < nheaps; i++) {
		while (heap_take_back(&heaps[i], 1000))
			;
		heap_trim(&heaps[i], HEAP_ALL_OF_THEM);
	}
	check();
	for (unsigned i = 0; i < nheaps; i++)
		PROMISE(!heaps[i].used && !heaps[i].own);
	PROMISE(heap_alloc(a_heap(), (uint32_t)(span_len - HEAP_RUN_ENDS), 0));
}

/* Whatever is written into blocks: the memory behind the heap's is not. */
static void damage(void)
{
	may_break = true;
	if (!sigsetjmp(back, 0)) {
		for (unsigned i = 0; i < 8; i++)
			memory[((size_t)byte() << 12 | (size_t)byte() << 4 |
				       byte() % 16) %
				span_len] = (unsigned char)byte();
		for (unsigned i = 0; i < 40; i++) {
			struct live *l = nlive ? &live[byte() % nlive] : NULL;
			struct heap *h = l ? l->heap : &heaps[0];

			heap_alloc(h, block_size_for(some_size()), 0);
			heap_take_back(h, 2);
			if (l && heap_free(h, l->p) == HEAP_OK)
				*l = live[--nlive];
		}
	}
	may_break = false;
	for (size_t i = 0; i < 4096; i++)
		PROMISE(memory[SPAN_MAX + i] == 0x77);
}

static void begin(void)
{
	unsigned how = byte();
	struct block_key key = {.mix = 0x1234567890abcdefUL * (byte() + 1UL),
		.factor = 0x9e3779b97f4a7c15UL};

	nlive = 0;
	nheaps = how & 1 ? HEAPS : 1;
	memset(memory, 0, SPAN_MAX);
	memset(memory + SPAN_MAX, 0x77, 8192);
	if (how & 1)
		parts_init(&parts, PARTS_LEAST << (how >> 1) % 2, SPAN_MAX);
	else
		memset(&parts, 0, sizeof(parts));
	span_len = how & 1 ? parts.size * (1 + (size_t)(how >> 2) % 16)
			   : 4096UL << (how >> 1) % 8;
	for (unsigned i = 0; i < nheaps; i++) {
		heap_init(&heaps[i], memory, &key, how & 1 ? &parts : NULL, (uint8_t)i,
			broken);
		heap_set_reach(&heaps[i], span_len);
	}
	if (how & 1)
		parts_give(&parts, parts_mask(0, (unsigned)(span_len / parts.size)));
	else
		heap_extend(&heaps[0], span_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!memory)
		memory = aligned_alloc(SPAN_MAX, 2 * SPAN_MAX);
	PROMISE(memory);
	at = data;
	end = data + size;
	begin();
	for (unsigned i = 0; i < OPERATIONS && at < end; i++) {
		one();
		check();
	}
	if (at < end)
		damage();
	else
		all_back();
	return 0;
}
