/* SPDX-License-Identifier: MIT */
/*
 * heap_lists.c - list surgery, proven for up to NODES blocks in CLASSES lists
 *
 * Goes through every arrangement of the blocks in the lists (each block in one of them or
 * in none, in every order), builds it, and makes every single change that can be made:
 * push of each block that is out, removal of each that is in. After each, links both
 * ways, lists and both bitmaps are those of the model. Then every link of every block is
 * overwritten with every word of a set that leads to the other blocks, to lists and out
 * of the heap: no removal follows it.
 *
 * The classes are chosen so that two share a word of the second level and one does not.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/heap_list.h"

#define NODES	6
#define CLASSES 3
#define SPAN	(NODES * 256UL)

static const uint32_t sizes[CLASSES] = {528, 544, 2048};
static const struct block_key key = {
	.mix = 0x123456789abcdef0UL, .factor = 0x9e3779b97f4a7c15UL};
static _Alignas(64) unsigned char memory[BLOCK_HEADER + SPAN + 4096];
static struct heap heap, *const h = &heap;
static uint32_t node[NODES];

struct lists {
	unsigned len[CLASSES];
	unsigned char at[CLASSES][NODES]; /* from the first to the last */
};

static unsigned long arrangements, changes, refusals;
static sigjmp_buf back;
static const void *named;

static void broken(const struct heap *of, const void *block)
{
	named = block;
	siglongjmp(back, 1);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("arrangement %lu: %s\n", arrangements, what);
	exit(1);
}

static uint32_t class_at(unsigned c)
{
	return class_of(sizes[c]);
}

static uint32_t expected[NODES]; /* links forward */

/* Heads, links and maps say exactly this. */
static void same(const struct lists *m)
{
	uint32_t fl = 0, sl[HEAP_FL] = {0}, list[HEAP_LISTS] = {0};

	for (unsigned c = 0; c < CLASSES; c++) {
		uint32_t before = list_head(class_at(c)), *link = &list[class_at(c)];

		for (unsigned i = 0; i < m->len[c]; i++) {
			uint32_t place = node[m->at[c][i]];

			*link = place;
			must(heap_at(h, place)->prev == before, "a link back");
			link = &expected[m->at[c][i]];
			before = place;
		}
		*link = 0;
		for (unsigned i = 0; i < m->len[c]; i++)
			must(heap_at(h, node[m->at[c][i]])->next == expected[m->at[c][i]],
				"a link forward");
		if (!m->len[c])
			continue;
		sl[class_at(c) / HEAP_SL] |= 1u << class_at(c) % HEAP_SL;
		fl |= 1u << class_at(c) / HEAP_SL;
	}
	must(h->fl_map == fl && !memcmp(h->sl_map, sl, sizeof(sl)), "a bitmap");
	must(!memcmp(h->list, list, sizeof(list)), "a list's first");
}

/* A free block that is in no list. */
static void make_free(uint32_t place, uint32_t size)
{
	struct block *b = heap_at(h, place);

	block_set(b, size | BLOCK_FREE);
	block_set_mark(b, block_seal_not(&key, b, size | BLOCK_FREE));
}

static void build(const struct lists *m)
{
	memset(memory, 0, sizeof(memory));
	heap_init(h, memory, &key, NULL, 0, broken);
	heap_set_reach(h, sizeof(memory));
	for (unsigned c = 0; c < CLASSES; c++)
		for (unsigned i = m->len[c]; i-- > 0;) {
			uint32_t place = node[m->at[c][i]];

			make_free(place, sizes[c]);
			list_push(h, heap_at(h, place), place, class_at(c));
		}
}

static bool removes(uint32_t place)
{
	if (sigsetjmp(back, 0))
		return false;
	list_remove(h, place, block_word(heap_at(h, place)));
	return true;
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
			make_free(node[n], sizes[c]);
			list_push(h, heap_at(h, node[n]), node[n], class_at(c));
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
	must(removes(node[m->at[c][i]]), "a removal is refused");
	same(&then);
	changes++;
}

/* With a wrong word in one of its links, a block is not taken out. */
static void refused(const struct lists *m, uint32_t place, uint32_t *link, uint32_t wrong)
{
	if (wrong == *link)
		return;
	*link = wrong;
	must(!removes(place), "a wrong link is followed");
	must(named == block_payload(heap_at(h, place)), "not named");
	refusals++;
	build(m);
}

static void refusal(const struct lists *m, unsigned c, unsigned i)
{
	static const uint32_t odd[] = {
		0, 8, 1, 0x41414141, 0x41414148, 0x7fffffff, 0xfffffff8, ~0u};
	uint32_t place = node[m->at[c][i]], wrong;

	build(m);
	for (unsigned w = 0; w < sizeof(odd) / sizeof(odd[0]) + NODES + CLASSES; w++) {
		wrong = w < NODES	      ? node[w]
			: w < NODES + CLASSES ? list_head(class_at(w - NODES))
					      : odd[w - NODES - CLASSES];
		refused(m, place, &heap_at(h, place)->prev, wrong);
		/* 0 is how a list ends: what follows is lost, not followed */
		if (wrong)
			refused(m, place, &heap_at(h, place)->next, wrong);
	}
	for (unsigned bit = 4; bit < 32; bit++) {
		refused(m, place, &heap_at(h, place)->mark,
			heap_at(h, place)->mark ^ 1u << bit);
		refused(m, place, &heap_at(h, place)->size_flags,
			heap_at(h, place)->size_flags ^ 1u << bit);
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

	for (unsigned n = 0; n < NODES; n++)
		node[n] = (uint32_t)(BLOCK_HEADER + n * 256);
	arrange(&none, 0, 0);
	printf("lists: %lu arrangements of %d blocks in %d lists, %lu changes, %lu "
	       "refusals\n",
		arrangements, NODES, CLASSES, changes, refusals);
	return 0;
}
