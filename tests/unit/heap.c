/* SPDX-License-Identifier: MIT */
/*
 * heap.c - the engine against a model of it, every invariant checked after every step
 *
 * The model knows each live block's address, size and content. Random allocations,
 * aligned allocations, frees, resizes and extensions in several mixes of sizes; at the
 * end of each everything is freed and the whole span must be one block again.
 *
 * heap [steps per mix]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "heap.h"

#define SPAN_MAX (16UL << 20)
#define LIVE_MAX 1200
#define EDGE	 64 /* bytes of content kept at each end of a block */

struct mix {
	const char *name;
	size_t span, least, most;
	unsigned aligned, resize; /* per cent of the operations */
};

static const struct mix mixes[] = {
	{"tiny", 32UL << 10, 1, 64, 0, 10},
	{"small", 128UL << 10, 1, 1024, 5, 20},
	{"mixed", 512UL << 10, 1, 65536, 10, 20},
	{"large", 8UL << 20, 4096, 1UL << 20, 20, 20},
	{"one size", 64UL << 10, 200, 200, 0, 0},
	{"huge alignments", 8UL << 20, 1, 8192, 60, 10},
};

struct live {
	unsigned char *p;
	size_t size;
	unsigned char fill;
};

static struct live live[LIVE_MAX];
static unsigned nlive;
static unsigned char *span;
static size_t span_len;
static struct heap *heap;
static uint64_t seed = 0x9e3779b97f4a7c15UL;
static unsigned long step;
static const struct mix *mix;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL >> 11;
}

static void fail(const char *what, const void *p)
{
	printf("%s, step %lu: %s (%p)\n", mix->name, step, what, p);
	exit(1);
}

static void must(bool ok, const char *what, const void *p)
{
	if (!ok)
		fail(what, p);
}

/* Sizes are spread over powers of two, so that small ones are as likely as large ones. */
static size_t pick_size(void)
{
	size_t top = mix->least + rnd() % (mix->most - mix->least + 1);
	unsigned bits = 64u - (unsigned)__builtin_clzl(top);

	top >>= rnd() % bits;
	return top < mix->least ? mix->least : top;
}

static void paint(struct live *l)
{
	size_t edge = l->size < EDGE ? l->size : EDGE;

	l->fill = (unsigned char)rnd();
	memset(l->p, l->fill, edge);
	memset(l->p + l->size - edge, l->fill, edge);
}

static void look_part(const struct live *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		must(l->p[i] == l->fill, "content changed", l->p);
}

static void look(const struct live *l, size_t size)
{
	size_t edge = size < EDGE ? size : EDGE;

	look_part(l, 0, edge);
	if (size == l->size)
		look_part(l, size - edge, size);
}

static void check_block(const struct live *l, size_t align)
{
	must((uintptr_t)l->p % (align < 16 ? 16 : align) == 0, "misaligned", l->p);
	must(l->p >= span && l->p + l->size <= span + span_len, "outside", l->p);
	must(heap_size_of(l->p) == l->size, "size not kept", l->p);
	must(heap_usable_of(l->p) >= l->size, "too small", l->p);
	must(heap_usable_of(l->p) < l->size + 48, "too large", l->p);
	must(heap_check_pointer(heap, l->p) == HEAP_OK, "not its own", l->p);
	must(heap_phys_of(heap, l->p) >= heap_usable_of(l->p), "phys < usable", l->p);
}

static void check_all(void)
{
	const void *where = NULL;
	const char *wrong = heap_check(heap, &where);
	struct heap_stats st;
	size_t used = 0;

	if (wrong)
		fail(wrong, where);
	for (unsigned i = 0; i < nlive; i++)
		used += heap_usable_of(live[i].p) + HEAP_OVERHEAD;
	heap_stats(heap, &st);
	must(st.used == used && heap_used(heap) == used, "used is wrong", NULL);
	must(st.span == span_len && st.peak >= used, "span or peak is wrong", NULL);
}

static void do_alloc(void)
{
	size_t align = 0, size = pick_size();
	struct heap_stats st;
	void *p;

	if (nlive == LIVE_MAX)
		return;
	if (rnd() % 100 < mix->aligned)
		align = 1UL << (rnd() % 22);
	heap_stats(heap, &st);
	p = align ? heap_alloc_aligned(heap, align, size) : heap_alloc(heap, size);
	if (!p) {
		must(align > 16 || size > st.largest_free, "refused, but fits", NULL);
		return;
	}
	live[nlive] = (struct live){p, size, 0};
	check_block(&live[nlive], align);
	paint(&live[nlive++]);
}

static void do_free(void)
{
	unsigned i;

	if (!nlive)
		return;
	i = (unsigned)(rnd() % nlive);
	look(&live[i], live[i].size);
	must(heap_free(heap, live[i].p) == HEAP_OK, "free refused", live[i].p);
	must(heap_free(heap, live[i].p) == HEAP_DOUBLE_FREE, "freed twice", live[i].p);
	live[i] = live[--nlive];
}

static void do_resize(void)
{
	size_t size = pick_size(), phys;
	struct live *l;

	if (!nlive)
		return;
	l = &live[rnd() % nlive];
	look(l, l->size);
	phys = heap_phys_of(heap, l->p);
	if (!heap_resize(heap, l->p, size)) {
		must(size > phys, "resize refused, but fits", l->p);
		must(heap_size_of(l->p) == l->size, "a failed resize left a mark", l->p);
		return;
	}
	must(size <= phys, "resized beyond phys", l->p);
	if (size > l->size)
		look(l, l->size - (l->size < EDGE ? 0 : EDGE));
	l->size = size;
	check_block(l, 0);
	paint(l);
}

static void add_cut(void *p, size_t align)
{
	heap_flip(p);
	live[nlive] = (struct live){p, heap_usable_of(p), 0};
	check_block(&live[nlive], align);
	paint(&live[nlive++]);
}

/* A reserve, as the helper makes it: pieces are cut off, what is left is given back. */
static void do_cut(void)
{
	size_t size = (pick_size() * 4 + HEAP_BLOCK_MIN) & ~(HEAP_ALIGN - 1), left;
	void *from = heap_alloc_end(heap, size), *p;

	if (!from)
		return;
	for (int i = 0; i < 4 && nlive < LIVE_MAX; i++) {
		size_t n = (pick_size() + HEAP_BLOCK_MIN) & ~(HEAP_ALIGN - 1);
		size_t align = HEAP_ALIGN << rnd() % 6;

		left = heap_usable_of(from) + HEAP_OVERHEAD;
		p = heap_carve(heap, from, n, align);
		must(p || left < n + align - HEAP_ALIGN + HEAP_BLOCK_MIN,
			"not cut, but fits", from);
		if (p)
			add_cut(p, align);
	}
	must(heap_check_pointer(heap, from) == HEAP_DOUBLE_FREE, "not flipped", from);
	must(heap_free_flipped(heap, from) == HEAP_OK, "what is left refused", from);
}

/* Through a cache: then all of it is used, and less of it kept as its size. */
static void do_trade(void)
{
	struct live *l;

	if (!nlive)
		return;
	l = &live[rnd() % nlive];
	look(l, l->size);
	heap_retire(l->p);
	must(heap_check_pointer(heap, l->p) == HEAP_DOUBLE_FREE, "is live", l->p);
	heap_flip(l->p);
	l->size = heap_usable_of(l->p);
	must(heap_size_of(l->p) == l->size, "kept its slack", l->p);
	l->size -= rnd() % (l->size < 48 ? l->size : 48);
	heap_set_size(heap, l->p, l->size);
	check_block(l, 0);
	paint(l);
}

static void do_extend(void)
{
	size_t more = (1 + rnd() % 4) * 4096;

	if (span_len + more > SPAN_MAX)
		return;
	heap_extend(heap, more);
	span_len += more;
}

static void one_step(unsigned phase)
{
	uint64_t r = rnd() % 100;

	if (r < mix->resize)
		do_resize();
	else if (r >= 95)
		do_cut();
	else if (r >= 90)
		do_trade();
	else if (rnd() % 100 < (phase ? 35 : 65))
		do_alloc();
	else
		do_free();
	if (step % 20000 == 19999)
		do_extend();
}

/* All freed: one block, as large as the span can hold, and not a byte more. */
static void check_capacity(void)
{
	size_t whole = span_len - HEAP_ENDS - HEAP_OVERHEAD;
	void *p;

	while (nlive)
		do_free();
	check_all();
	must(heap_used(heap) == 0, "something left", NULL);
	must(!heap_alloc(heap, whole + 1), "more than there is", NULL);
	p = heap_alloc(heap, whole);
	must(p != NULL, "capacity lost", NULL);
	must(heap_span_for(whole) == span_len, "heap_span_for is wrong", NULL);
	must(heap_free(heap, p) == HEAP_OK, "free of the whole", p);
}

static void run_mix(unsigned char *control, unsigned long steps)
{
	nlive = 0;
	span_len = mix->span;
	heap = heap_init(control, span, span_len, (uint16_t)rnd());
	check_capacity();
	for (step = 0; step < steps; step++) {
		one_step((step / 3000) & 1);
		check_all();
	}
	check_capacity();
	must(!heap_broken_block(heap), "called broken", heap_broken_block(heap));
}

int main(int argc, char **argv)
{
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 0) : 60000;
	size_t head = (heap_control_size() + 4095) & ~4095UL;
	unsigned char *control = mmap(NULL, head + SPAN_MAX, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (control == MAP_FAILED)
		return 1;
	span = control + head;
	for (mix = mixes; mix < mixes + sizeof(mixes) / sizeof(mixes[0]); mix++)
		run_mix(control, steps);
	return 0;
}
