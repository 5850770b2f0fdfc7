/* SPDX-License-Identifier: MIT */
/*
 * heap_lists.c - list surgery, proven for up to NODES blocks in CLASSES lists
 *
 * Goes through every arrangement of the blocks in the lists (each block in one of them or
 * in none, in every order), builds it, and makes every single change that can be made:
 * push of each block that is out, removal of each that is in, removal of each first one.
 * After each, links both ways, slots and both bitmaps are those of the model. Then every
 * link of every block is overwritten with every word of a set that leads to the other
 * blocks, to slots and out of the heap: a removal that would follow it is refused, save
 * for one word in 2^32 (passes()).
 *
 * The classes are chosen so that two share a word of the second level and one does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap_list.h"

#define NODES	6
#define CLASSES 3
#define SPAN	(NODES * 256UL)

static const size_t sizes[CLASSES] = {528, 544, 2048};
static _Alignas(64) unsigned char memory[sizeof(struct heap) + 64 + SPAN];
static struct heap *h;
static uint32_t node[NODES];

struct lists {
	unsigned len[CLASSES];
	unsigned char at[CLASSES][NODES]; /* from the first to the last */
};

static unsigned long arrangements, changes, refusals;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("arrangement %lu: %s\n", arrangements, what);
	exit(1);
}

static size_t class_at(unsigned c)
{
	return class_of(sizes[c]);
}

/* Slots, links and maps say exactly this. */
static void same(const struct lists *m)
{
	uint32_t fl = 0, sl[HEAP_FL] = {0}, list[HEAP_LISTS - HEAP_FIRST] = {0};

	for (unsigned c = 0; c < CLASSES; c++) {
		uint32_t before = list_head(class_at(c));

		for (unsigned i = 0; i < m->len[c]; i++) {
			uint32_t off = node[m->at[c][i]];

			must(heap_at(h, before)->next == off, "a link forward");
			must(heap_at(h, off)->prev == before, "a link back");
			before = off;
		}
		must(heap_at(h, before)->next == 0, "the last link");
		if (!m->len[c])
			continue;
		list[class_at(c) - HEAP_FIRST] = node[m->at[c][0]];
		sl[class_at(c) / HEAP_SL] |= 1u << class_at(c) % HEAP_SL;
		fl |= 1u << class_at(c) / HEAP_SL;
	}
	must(h->fl_map == fl && !memcmp(h->sl_map, sl, sizeof(sl)), "a bitmap");
	must(!memcmp(h->list, list, sizeof(list)), "a slot");
}

static void build(const struct lists *m)
{
	memset(memory, 0, sizeof(memory));
	h->reach = (uint32_t)(sizeof(memory) - sizeof(struct block));
	for (unsigned c = 0; c < CLASSES; c++)
		for (unsigned i = m->len[c]; i-- > 0;) {
			uint32_t off = node[m->at[c][i]];

			list_push(h, heap_at(h, off), off, sizes[c]);
		}
}

static void without(struct lists *m, unsigned c, unsigned i)
{
	memmove(&m->at[c][i], &m->at[c][i + 1], m->len[c] - i - 1);
	m->len[c]--;
}

/* Every push that can be made. */
static void pushes(const struct lists *m, unsigned out)
{
	for (unsigned n = 0; n < NODES; n++) {
		for (unsigned c = 0; c < CLASSES && (out >> n & 1); c++) {
			struct lists then = *m;

			memmove(&then.at[c][1], then.at[c], then.len[c]++);
			then.at[c][0] = (unsigned char)n;
			build(m);
			list_push(h, heap_at(h, node[n]), node[n], sizes[c]);
			same(&then);
			changes++;
		}
	}
}

static void removal(const struct lists *m, unsigned c, unsigned i)
{
	struct lists then = *m;

	without(&then, c, i);
	build(m);
	must(list_remove(h, node[m->at[c][i]]), "a removal is refused");
	same(&then);
	changes++;
	if (i)
		return;
	build(m);
	must(list_remove_first(h, node[m->at[c][0]], class_at(c)), "the first's removal");
	same(&then);
	changes++;
}

/* The one wrong word that looks right, in the first block of a list: the slot before its
 * list's own has the same neighbour as a block before it would have. */
static bool passes(unsigned c, unsigned i, uint32_t wrong)
{
	return i == 0 && wrong == list_head(class_at(c) - 1);
}

/* With a wrong word in one of its links, a block is not taken out. */
static void refusal(const struct lists *m, unsigned c, unsigned i)
{
	static const uint32_t odd[] = {0, 1, 0x41414141, 0x7fffffff, ~0u};
	uint32_t off = node[m->at[c][i]], wrong;

	for (unsigned w = 0; w < sizeof(odd) / sizeof(odd[0]) + NODES + CLASSES; w++) {
		wrong = w < NODES	      ? node[w]
			: w < NODES + CLASSES ? list_head(class_at(w - NODES))
					      : odd[w - NODES - CLASSES];
		build(m);
		if (wrong != heap_at(h, off)->prev) {
			heap_at(h, off)->prev = wrong;
			must(!list_remove(h, off), "a wrong link back is followed");
			must(h->broken == block_payload(heap_at(h, off)), "not named");
			refusals++;
		}
		build(m);
		/* 0 is how a list ends: what follows is lost, not followed */
		if (wrong && wrong != heap_at(h, off)->next && !passes(c, i, wrong)) {
			heap_at(h, off)->next = wrong;
			must(!list_remove(h, off), "a wrong link forward is followed");
			refusals++;
		}
	}
}

static void look_at(const struct lists *m, unsigned out)
{
	arrangements++;
	build(m);
	same(m);
	pushes(m, out);
	for (unsigned c = 0; c < CLASSES; c++)
		for (unsigned i = 0; i < m->len[c]; i++) {
			removal(m, c, i);
			refusal(m, c, i);
		}
}

/* Each arrangement once: blocks are put at every place of every list, in turn. */
static void arrange(struct lists *m, unsigned n, unsigned out)
{
	if (n == NODES) {
		look_at(m, out);
		return;
	}
	arrange(m, n + 1, out | 1u << n);
	for (unsigned c = 0; c < CLASSES; c++)
		for (unsigned i = 0; i <= m->len[c]; i++) {
			struct lists then = *m;

			memmove(&then.at[c][i + 1], &then.at[c][i], then.len[c]++ - i);
			then.at[c][i] = (unsigned char)n;
			arrange(&then, n + 1, out);
		}
}

int main(void)
{
	struct lists none = {0};

	h = (struct heap *)(void *)memory;
	for (unsigned n = 0; n < NODES; n++)
		node[n] = (uint32_t)(sizeof(struct heap) + 64 + n * 256);
	arrange(&none, 0, 0);
	printf("lists: %lu arrangements of %d blocks in %d lists, %lu changes, %lu "
	       "refusals\n",
		arrangements, NODES, CLASSES, changes, refusals);
	return 0;
}
