/* SPDX-License-Identifier: MIT */
/*
 * heap.c - the engine against a shadow model, every invariant after every step
 *
 * Usage: heap [steps [seed]]. Prints what failed and the seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define SPAN_MAX (8UL << 20)
#define LIVE_MAX 3000

static _Alignas(64) unsigned char control[16384];
static unsigned char *span;
static size_t span_len;
static struct heap *heap;
static uint64_t state;
static long step;

struct shadow {
	unsigned char *p;
	size_t size;
	unsigned char fill;
};
static struct shadow live[LIVE_MAX];
static int nlive;

#define CHECK(x, ...)                                                                  \
	do {                                                                           \
		if (!(x)) {                                                            \
			printf("%s:%d: step %ld: %s: ", __FILE__, __LINE__, step, #x); \
			printf(__VA_ARGS__);                                           \
			printf("\n");                                                  \
			exit(1);                                                       \
		}                                                                      \
	} while (0)

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void sound(void)
{
	const void *where;
	const char *wrong = heap_check(heap, &where);

	CHECK(!wrong, "%s at %p", wrong, where);
}

static void fresh(size_t len)
{
	CHECK(heap_control_size() <= sizeof(control), "%zu", heap_control_size());
	span_len = len;
	memset(span, 0xee, SPAN_MAX);
	heap = heap_init(control, span, len, (uint16_t)rnd());
	nlive = 0;
	sound();
}

static void paint(struct shadow *s)
{
	s->fill = (unsigned char)rnd();
	memset(s->p, s->fill, s->size);
}

static void verify(const struct shadow *s)
{
	for (size_t i = 0; i < s->size; i++)
		CHECK(s->p[i] == s->fill, "byte %zu of block %p of %zu", i, (void *)s->p,
			s->size);
}

static void remember(void *p, size_t size, size_t align)
{
	struct shadow *s = &live[nlive++];

	CHECK((uintptr_t)p % (align > 16 ? align : 16) == 0, "%p align %zu", p, align);
	CHECK((unsigned char *)p >= span && (unsigned char *)p + size <= span + span_len,
		"%p", p);
	CHECK(heap_size_of(p) == size, "%zu for %zu", heap_size_of(p), size);
	CHECK(heap_usable_of(p) >= size, "%zu", heap_usable_of(p));
	CHECK(heap_phys_of(heap, p) >= heap_usable_of(p), "%p", p);
	s->p = p;
	s->size = size;
	paint(s);
}

static void drop(int i)
{
	enum heap_verdict v;

	verify(&live[i]);
	v = heap_free(heap, live[i].p);
	CHECK(v == HEAP_OK, "verdict %d", v);
	live[i] = live[--nlive];
}

static size_t size_of_mix(int mix)
{
	switch (mix) {
	case 0:
		return 1 + rnd() % 256;
	case 1:
		return 1 + rnd() % 4096;
	case 2:
		return rnd() % 8 ? 1 + rnd() % 128 : 1 + rnd() % 65536;
	default:
		return 1 + (1UL << rnd() % 17) + rnd() % 64;
	}
}

static void resize(int i, size_t size)
{
	struct shadow *s = &live[i];
	size_t keep = size < s->size ? size : s->size;
	size_t phys = heap_phys_of(heap, s->p);
	bool fits = heap_resize(heap, s->p, size);

	CHECK(fits == (size <= phys), "to %zu, physical %zu", size, phys);
	if (!fits) {
		verify(s);
		return;
	}
	s->size = keep;
	verify(s);
	s->size = size;
	CHECK(heap_size_of(s->p) == size, "%zu", heap_size_of(s->p));
	paint(s);
}

static void one_step(int mix)
{
	size_t size = size_of_mix(mix);
	size_t align = rnd() % 8 ? 0 : 1UL << rnd() % 14;
	void *p;

	switch (rnd() % 8) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (nlive == LIVE_MAX)
			break;
		p = align ? heap_alloc_aligned(heap, align, size)
			  : heap_alloc(heap, size);
		if (p)
			remember(p, size, align);
		else
			drop((int)(rnd() % (unsigned)nlive));
		break;
	case 4:
		if (nlive)
			resize((int)(rnd() % (unsigned)nlive), size);
		break;
	case 5:
		if (span_len + 65536 <= SPAN_MAX && rnd() % 64 == 0)
			heap_extend(heap, 4096 * (1 + rnd() % 16));
		break;
	default:
		if (nlive)
			drop((int)(rnd() % (unsigned)nlive));
	}
}

static void random_walk(int mix, long steps)
{
	size_t total = 1UL << 20;
	void *p;

	fresh(heap_span_for(total));
	for (step = 0; step < steps; step++) {
		struct heap_stats st;

		one_step(mix);
		heap_stats(heap, &st);
		span_len = st.span;
		sound();
	}
	while (nlive)
		drop(nlive - 1);
	sound();
	/* exact: after any history the whole is one block again */
	p = heap_alloc(heap, total);
	CHECK(p, "no block of %zu after all was freed", total);
	CHECK(heap_free(heap, p) == HEAP_OK, "%p", p);
}

/* The largest block of a fresh heap is what it was made for, and then nothing is left. */
static void capacity(void)
{
	for (size_t total = 1; total < 1UL << 20; total = total * 3 + 7) {
		void *p;

		fresh(heap_span_for(total));
		p = heap_alloc(heap, total);
		CHECK(p, "%zu", total);
		CHECK(!heap_alloc(heap, 1) || heap_span_for(total) > total + 64, "%zu",
			total);
		CHECK(heap_free(heap, p) == HEAP_OK, "%zu", total);
	}
}

static void expect(enum heap_verdict want, void *p, const char *what)
{
	enum heap_verdict v = heap_free(heap, p);

	CHECK(v == want, "%s: verdict %d, not %d", what, v, want);
}

static void misuse(void)
{
	unsigned char *a, *b, *c;

	fresh(1UL << 20);
	a = heap_alloc(heap, 100);
	b = heap_alloc(heap, 100);
	c = heap_alloc(heap, 100);
	expect(HEAP_NOT_A_BLOCK, b + 16, "interior");
	expect(HEAP_NOT_A_BLOCK, b + 8, "interior, misaligned");
	expect(HEAP_NOT_A_BLOCK, span + (4UL << 20), "outside");
	expect(HEAP_NOT_A_BLOCK, span, "before the first block");
	expect(HEAP_OK, b, "a live block");
	expect(HEAP_DOUBLE_FREE, b, "double");
	expect(HEAP_OK, a, "the one before");
	expect(HEAP_DOUBLE_FREE, b, "double, merged with the one before");
	expect(HEAP_DOUBLE_FREE, a, "double, merged");
	a = heap_alloc(heap, 100);
	b = heap_alloc(heap, 100);
	heap_flip(b);
	expect(HEAP_DOUBLE_FREE, b, "cached");
	heap_flip(b);
	expect(HEAP_OK, b, "live again");
	memset(c - 8, 'A', 8);
	expect(HEAP_NOT_A_BLOCK, c, "header overwritten");
	fresh(1UL << 20);
	a = heap_alloc(heap, 100);
	b = heap_alloc(heap, 100);
	c = heap_alloc(heap, 100);
	expect(HEAP_OK, b, "a live block");
	memset(b, 'A', 16);
	expect(HEAP_BROKEN, a, "links of the free block after it overwritten");
	CHECK(heap_broken_block(heap) == b, "%p", heap_broken_block(heap));
}

int main(int argc, char **argv)
{
	long steps = argc > 1 ? atol(argv[1]) : 80000;

	state = argc > 2 ? (uint64_t)atol(argv[2]) : 88172645463325252UL;
	span = aligned_alloc(4096, SPAN_MAX);
	capacity();
	misuse();
	for (int mix = 0; mix < 4; mix++)
		random_walk(mix, steps);
	return 0;
}
