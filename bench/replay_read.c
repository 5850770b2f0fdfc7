/* SPDX-License-Identifier: MIT */
/*
 * replay_read.c - a trace of bench/traces is read
 *
 * Never while anything is timed. What it allocates is there until the program ends.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "replay.h"

#define WORDS_MAX 200000u /* a file */
#define LINES_MAX 20000u

static struct op *ops; /* all lines' */
static unsigned used;

/* An age says how many allocations ago; the number is known when all are counted. */
static void read_word(struct trace *t, const char *word, bool end)
{
	struct op *o = &ops[used++];
	char mark = *word, *rest;

	if (used == WORDS_MAX)
		errx(2, "a trace is too long");
	if (mark == '-' || mark == '~') {
		o->kind = end ? OP_END : mark == '-' ? OP_FREE : OP_GIVEN;
		o->block = t->allocs;
		o->size = (uint32_t)strtoul(word + 1, &rest, 10);
	} else if (mark == '!') {
		o->kind = OP_FOREIGN;
		o->size = (uint32_t)strtoul(word + 1, &rest, 10);
		t->foreign[t->foreigners++] = o->size;
	} else {
		o->kind = OP_ALLOC;
		o->block = t->allocs++;
		o->size = (uint32_t)strtoul(word, &rest, 10);
		if (*rest == '@')
			o->align = (uint32_t)strtoul(rest + 1, &rest, 10);
	}
	if (*rest)
		errx(2, "not of a trace: %s", word);
}

static void read_line(struct trace *t, char *text)
{
	struct line *l = &t->line[t->lines++];
	char *word = strtok(text, ": \n");
	bool end = word && !strcmp(word, "end");

	if (!word || t->lines == LINES_MAX)
		errx(2, "not a trace");
	l->us = end ? 0 : atof(word);
	l->op = &ops[used];
	while ((word = strtok(NULL, " \n")))
		read_word(t, word, end);
	l->n = (unsigned)(&ops[used] - l->op);
}

static void read_keep(struct trace *t, const char *text)
{
	unsigned n = t->keeps++;

	if (n == sizeof(t->keep) / sizeof(t->keep[0]) ||
		sscanf(text, "k %u %u", &t->keep[n].size, &t->keep[n].count) != 2)
		errx(2, "not of a trace: %s", text);
}

static void number_blocks(struct trace *t)
{
	for (unsigned i = 0; i < used; i++) {
		struct op *o = &ops[i];

		if (o->kind == OP_FREE || o->kind == OP_GIVEN || o->kind == OP_END)
			o->block = (o->block + t->allocs - o->size) % t->allocs;
	}
}

void trace_read(struct trace *t, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t room = 0;
	char *text = NULL;

	if (!f)
		err(2, "%s", path);
	ops = touched_memory(WORDS_MAX * sizeof(*ops));
	t->line = touched_memory(LINES_MAX * sizeof(*t->line));
	t->foreign = touched_memory(WORDS_MAX * sizeof(*t->foreign));
	t->block = touched_memory(WORDS_MAX * sizeof(*t->block));
	if (!ops || !t->line || !t->foreign || !t->block)
		err(2, "memory");
	while (getline(&text, &room, f) > 0) {
		if (*text == 'k')
			read_keep(t, text);
		else if (*text != '#')
			read_line(t, text);
	}
	free(text);
	fclose(f);
	if (!t->allocs)
		errx(2, "%s: nothing is allocated", path);
	number_blocks(t);
}
