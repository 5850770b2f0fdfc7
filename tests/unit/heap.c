/* SPDX-License-Identifier: MIT */
/*
 * heap.c - heaps over one set of parts against a model of them, every invariant checked
 * after every step
 *
 * The model knows each live block's address, size, content and heap. Random allocations,
 * aligned allocations, frees by the owner and by others, one by one and in chains,
 * resizes, trims and growth in several mixes of sizes; a native heap as well. At the end
 * of each mix everything is freed: all parts are anybody's again.
 *
 * heap [steps per mix]
 */
#include "heap_unit.h"
#include "runs.h"

#define SPAN_MAX (16UL << 20)
#define LIVE_MAX 1200
#define EDGE	 64 /* bytes of content kept at each end of a block */

struct mix {
	const char *name;
	size_t part;	/* 0: one native heap */
	unsigned count; /* parts at first, or pages; the same once more is what it grows
			   by */
	size_t least, most;
	unsigned aligned, resize, remote; /* per cent of the operations, of the frees */
};

static const struct mix mixes[] = {
	{"tiny", 16UL << 10, 6, 1, 64, 0, 10, 30},
	{"small", 16UL << 10, 12, 1, 1024, 5, 20, 30},
	{"mixed", 32UL << 10, 24, 1, 65536, 10, 20, 30},
	{"large", 128UL << 10, 32, 4096, 1UL << 20, 20, 20, 50},
	{"one size", 16UL << 10, 6, 200, 200, 0, 0, 90},
	{"parts", 16UL << 10, 32, 8192, 65536, 0, 10, 10},
	{"huge alignments", 128UL << 10, 32, 1, 8192, 60, 10, 30},
	{"native, small", 0, 32, 1, 1024, 5, 20, 10},
	{"native, large", 0, 2048, 4096, 1UL << 20, 20, 20, 10},
};

struct live {
	unsigned char *p;
	size_t size;
	struct heap *heap;
	unsigned char fill;
	uint8_t tag;
};

static struct live live[LIVE_MAX];
static unsigned nlive;
static size_t span_len; /* bytes there are */
static unsigned nheaps;
static long served_blocks[HEAPS], served_bytes[HEAPS];
static unsigned long step;
static const struct mix *mix;

static void must(bool ok, const char *what, const void *p)
{
	if (ok)
		return;
	printf("%s, step %lu: %s (%p)\n", mix->name, step, what, p);
	exit(1);
}

/* Sizes are spread over powers of two, so that small ones are as likely as large ones. */
static size_t pick_size(void)
{
	size_t top = mix->least + rnd() % (mix->most - mix->least + 1);
	unsigned bits = 64u - (unsigned)__builtin_clzl(top);

	top >>= rnd() % bits;
	return top < mix->least ? mix->least : top;
}

static struct heap *pick_heap(void)
{
	return &heaps[rnd() % nheaps];
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

/* ---- after every step ---- */

/* All the parts that a block lies in are its heap's. */
static void check_owner(const struct live *l)
{
	size_t first = (size_t)(l->p - memory), last = first + block_usable_of(l->p) - 1;

	for (unsigned i = parts_of(&parts, first); i <= parts_of(&parts, last); i++)
		must(heap_has_part(l->heap, i) && parts.owner[i] == l->heap->number,
			"a part of another heap", l->p);
}

static void check_block(const struct live *l, size_t align, size_t more)
{
	must((uintptr_t)l->p % (align < 16 ? 16 : align) == 0, "misaligned", l->p);
	must(l->p >= memory && l->p + l->size <= memory + span_len, "outside", l->p);
	must(block_usable_of(l->p) >= l->size, "too small", l->p);
	must(block_usable_of(l->p) < l->size + 48 + more, "too large", l->p);
	must(block_tag(block_of(l->p)) == l->tag, "its tag is wrong", l->p);
	for (unsigned i = 0; i < nheaps; i++)
		must(heap_check_pointer(&heaps[i], l->p) == HEAP_OK, "not live", l->p);
	must(heap_room_of(l->heap, l->p) >= block_usable_of(l->p), "room < usable", l->p);
	if (mix->part)
		check_owner(l);
}

static void check_heap(const struct heap *h)
{
	size_t used = unit_away(h, h->returned) + unit_away(h, h->inbox);
	const void *where = NULL;
	const char *wrong = heap_check(h, &where);
	struct heap_stats st;

	must(!wrong, wrong, where);
	for (unsigned i = 0; i < nlive; i++)
		used += live[i].heap == h ? block_taken_of(live[i].p) : 0;
	heap_stats(h, &st);
	must(st.used == used && h->used == used, "used is wrong", h);
	must(st.peak >= used && st.span >= used, "span or peak is wrong", h);
	must(h->served_blocks == served_blocks[h->number] &&
			h->served_bytes == served_bytes[h->number],
		"what it served is wrong", h);
	must(heap_has_returned(h) == (h->returned || h->inbox), "a wrong hint", h);
}

/* Each part is free or one heap's. */
static void check_all(void)
{
	uint64_t seen = mix->part ? parts_free(&parts) : 0;

	for (unsigned i = 0; i < nheaps; i++) {
		check_heap(&heaps[i]);
		must(!(seen & heaps[i].own), "a part of two", &heaps[i]);
		seen |= heaps[i].own;
	}
	if (mix->part)
		must(seen == parts_mask(0, (unsigned)(span_len / mix->part)),
			"a part is lost", NULL);
}

/* ---- steps ---- */

/* Could h have served a block of `size`? */
static bool fits(const struct heap *h, uint32_t size)
{
	struct heap_stats st;

	heap_stats(h, &st);
	if (size <= st.largest_free + BLOCK_HEADER)
		return true;
	return mix->part &&
	       run_of(parts_free(&parts),
		       (unsigned)((size + HEAP_RUN_ENDS + mix->part - 1) / mix->part),
		       0) >= 0;
}

static void *alloc_from(struct heap *h, size_t size, size_t align, uint8_t tag)
{
	uint32_t block = block_size_for(size);
	bool served = rnd() % 2, fit = fits(h, block);
	void *p = align	   ? heap_alloc_aligned(h, align, block, tag)
		  : served ? heap_serve(h, block, tag)
			   : heap_alloc(h, block, tag);

	must(p || align > 16 || !fit, "refused, but fits", NULL);
	if (p) {
		served_blocks[h->number]++;
		served_bytes[h->number] += (long)block_taken_of(p);
	}
	return p;
}

static void do_alloc(void)
{
	struct live l = {.size = pick_size(), .heap = pick_heap()};
	size_t align = 0;

	if (nlive == LIVE_MAX)
		return;
	if (rnd() % 100 < mix->aligned)
		align = 1UL << (rnd() % 22);
	l.tag = (uint8_t)rnd();
	l.p = alloc_from(l.heap, l.size, align, l.tag);
	if (!l.p)
		return;
	must(!block_slack(block_of(l.p)), "slack of nobody", l.p);
	check_block(&l, align, l.size / 16);
	paint(&l);
	live[nlive++] = l;
}

/* Where a part now ends, an end mark stands in place of a header. */
static void check_gone(const struct heap *h, void *p)
{
	enum heap_verdict v = heap_check_pointer(h, p);

	must(v == HEAP_DOUBLE_FREE ||
			(mix->part && v == HEAP_NOT_A_BLOCK &&
				(size_t)((unsigned char *)p - memory) % mix->part == 0),
		"freed twice", p);
}

static void do_free(unsigned i)
{
	struct live l = live[i];

	look(&l, l.size);
	live[i] = live[--nlive];
	if (rnd() % 4 == 0) {
		block_retire(block_of(l.p));
		check_gone(l.heap, l.p);
		heap_release_later(l.heap, block_of(l.p));
	} else {
		must(heap_free(l.heap, l.p) == HEAP_OK, "free refused", l.p);
		check_gone(l.heap, l.p);
	}
	must(heap_free(&heaps[0], l.p) != HEAP_OK, "freed twice", l.p);
}

/* Others give back a chain of blocks of one heap. */
static void do_return(unsigned i)
{
	struct heap *h = live[i].heap;
	struct block *first = NULL, *last = NULL;

	for (unsigned n = 1 + rnd() % 4; n && i < nlive; n--) {
		struct block *b = block_of(live[i].p);

		if (live[i].heap != h)
			break;
		look(&live[i], live[i].size);
		if (rnd() % 2) { /* by a cache */
			block_flip(b);
			must(heap_check_pointer(h, live[i].p) == HEAP_DOUBLE_FREE,
				"cached, and live", live[i].p);
			block_retire_cached(b);
		} else {
			block_retire(b);
		}
		must(block_is_returned(&h->key, b) && !block_tag(b) && !block_slack(b),
			"not returned", b);
		if (last)
			*heap_link(last) = heap_place(h, b);
		first = first ? first : b;
		last = b;
		live[i] = live[--nlive];
	}
	must(heap_push(h, first, last, 1), "not pushed", first);
}

static void do_take_back(void)
{
	struct heap *h = pick_heap();
	unsigned max = (unsigned)(rnd() % 8), n = heap_take_back(h, max);

	must(n <= max && (n == max || !heap_has_returned(h)), "took too few", h);
}

static void do_resize(void)
{
	size_t size = pick_size(), room;
	struct live *l;

	if (!nlive)
		return;
	l = &live[rnd() % nlive];
	look(l, l->size);
	room = heap_room_of(l->heap, l->p);
	if (!heap_resize(l->heap, l->p, size)) {
		must(size > room, "resize refused, but fits", l->p);
		check_block(l, 0, l->size / 16);
		return;
	}
	must(size <= room, "resized beyond its room", l->p);
	if (size > l->size)
		look(l, l->size - (l->size < EDGE ? 0 : EDGE));
	l->size = size;
	must(block_requested_of(l->p) == size, "size not kept", l->p);
	check_block(l, 0, 0);
	paint(l);
	block_set_requested(block_of(l->p), block_usable_of(l->p));
	must(block_requested_of(l->p) == block_usable_of(l->p), "slack is kept", l->p);
}

static void do_extend(void)
{
	if (!mix->part) {
		size_t more = (1 + rnd() % 4) * 4096;

		if (span_len + more > SPAN_MAX)
			return;
		heap_extend(&heaps[0], more);
		span_len += more;
	} else if (span_len < 2 * mix->count * mix->part && span_len < 64 * mix->part) {
		for (unsigned i = 0; i < nheaps; i++)
			heap_set_reach(&heaps[i], span_len + mix->part);
		parts_give(&parts, parts_mask((unsigned)(span_len / mix->part), 1));
		span_len += mix->part;
	}
}

static void one_step(unsigned phase)
{
	uint64_t r = rnd() % 100;

	if (r < mix->resize)
		do_resize();
	else if (r >= 95)
		do_take_back();
	else if (r == 94)
		heap_trim(pick_heap(), HEAP_ALL_OF_THEM);
	else if (rnd() % 100 < (phase ? 35 : 65))
		do_alloc();
	else if (nlive && rnd() % 100 < mix->remote)
		do_return((unsigned)(rnd() % nlive));
	else if (nlive)
		do_free((unsigned)(rnd() % nlive));
	if (step % 10000 == 9999)
		do_extend();
}

/* ---- the whole ---- */

static void all_back(void)
{
	while (nlive)
		do_free(nlive - 1);
	for (unsigned i = 0; i < nheaps; i++) {
		while (heap_take_back(&heaps[i], 1000))
			;
		heap_trim(&heaps[i], HEAP_ALL_OF_THEM);
	}
	check_all();
	for (unsigned i = 0; i < nheaps; i++)
		must(heaps[i].used == 0 && heaps[i].own == 0, "something left",
			&heaps[i]);
	must(!mix->part || !heaps[0].fl_map, "a free block without memory", NULL);
}

/* All freed: any heap gets one block of all there is, and not a byte more. */
static void check_capacity(void)
{
	uint32_t whole = (uint32_t)(span_len - HEAP_RUN_ENDS);
	struct heap *h = pick_heap();
	void *p;

	all_back();
	must(!heap_alloc(h, whole + 16, 0), "more than there is", NULL);
	p = heap_alloc(h, whole, 0);
	must(p != NULL && block_taken_of(p) == whole, "capacity lost", p);
	served_blocks[h->number]++;
	served_bytes[h->number] += whole;
	must(heap_span_for(whole - BLOCK_HEADER) == span_len, "heap_span_for", NULL);
	must(heap_free(h, p) == HEAP_OK, "free of the whole", p);
	if (!heap_has_spare(h))
		return;
	/* a little is kept for what comes next */
	heap_give_spare(h);
	must(h->own && __builtin_popcountl(h->own) <= 2, "how many parts are kept", p);
	all_back();
}

static void begin(void)
{
	nlive = 0;
	memset(served_blocks, 0, sizeof(served_blocks));
	memset(served_bytes, 0, sizeof(served_bytes));
	nheaps = mix->part ? HEAPS : 1;
	if (mix->part)
		unit_parts(mix->part, mix->count, 2 * mix->count, rnd());
	else
		unit_native(mix->count * 4096UL, rnd());
	span_len = mix->count * (mix->part ? mix->part : 4096);
}

static void run_mix(unsigned long steps)
{
	begin();
	check_capacity();
	for (step = 0; step < steps; step++) {
		one_step((step / 3000) & 1);
		check_all();
	}
	check_capacity();
}

int main(int argc, char **argv)
{
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 0) : 40000;

	unit_memory(SPAN_MAX + 4096);
	for (mix = mixes; mix < mixes + sizeof(mixes) / sizeof(mixes[0]); mix++)
		run_mix(steps);
	return failures != 0;
}
