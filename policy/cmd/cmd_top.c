/* SPDX-License-Identifier: MIT */
/*
 * cmd_top.c - rtmem top: live, on the whole screen, or in batches for a log
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/figures/top.h"
#include "cmd.h"

/* Sleeps, and keeps the processes counting. */
static void batch_wait(struct top *t, double seconds)
{
	for (; seconds > 0; seconds -= 1) {
		double part = seconds < 1 ? seconds : 1;

		for (int i = 0; i < t->n; i++)
			top_watch(t, i);
		nanosleep(&(struct timespec){.tv_sec = (time_t)part,
				  .tv_nsec = (long)((part - floor(part)) * 1e9)},
			NULL);
	}
}

static void batch_print(const struct top *t)
{
	struct view v[VIEW_KINDS];
	char clock[32];
	time_t now = time(NULL);

	strftime(clock, sizeof(clock), "%F %T", localtime(&now));
	printf("rtmem top - %s\n", clock);
	top_tables(t, t->n, v);
	view_print(stdout, &v[VIEW_PROCESSES], 0, false);
	view_free(&v[VIEW_PROCESSES]);
	for (int i = 0; i < t->n; i++) {
		if (t->process[i].trouble != STATS_OK)
			continue;
		top_tables(t, i, v);
		printf("\n%s (%d)\n", t->process[i].page.program, t->process[i].page.pid);
		for (int k = VIEW_POOLS; k < VIEW_KINDS; k++)
			if (v[k].n || k != VIEW_TAGS)
				view_print(stdout, &v[k], 0, false);
		for (int k = 0; k < VIEW_KINDS; k++)
			view_free(&v[k]);
	}
	putchar('\n');
	fflush(stdout);
}

static int top_batch(struct top *t)
{
	bool any = false;

	while (t->count != 0) {
		top_look(t);
		if (t->pid && !t->n)
			break;
		any |= t->n > 0;
		batch_print(t);
		if (ferror(stdout))
			break;
		if (t->count > 0)
			t->count--;
		if (t->count)
			batch_wait(t, t->delay);
	}
	return any ? CMD_OK : CMD_NO;
}

static bool top_number(const char *word, double least, double most, double *number)
{
	char *end;

	*number = strtod(word, &end);
	if (end != word && !*end && *number >= least && *number <= most)
		return true;
	fprintf(stderr, "rtmem top: '%s' is not a number from %g to %g\n", word, least,
		most);
	return false;
}

/* The one operand: a number is a process, anything else the name of a program. */
static int top_operand(struct top *t, const char *word)
{
	struct stats_page page;
	enum stats_trouble trouble;

	t->pid = process_number(word);
	if (t->pid < 0) {
		t->pid = 0;
		t->name = word;
		return CMD_OK;
	}
	trouble = stats_open(t->pid, &page);
	if (trouble != STATS_OK)
		return stats_say("top", t->pid, trouble);
	stats_close(&page);
	return CMD_OK;
}

static int top_run(struct top *t, bool batch)
{
	/* a first look, so that the first picture has rates */
	top_look(t);
	if ((batch || t->name) && !t->n) {
		fprintf(stderr,
			"rtmem top: no process%s%s of yours runs with the library\n",
			t->name ? " " : "", t->name ? t->name : "");
		return CMD_NO;
	}
	if (!batch && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
		fputs("rtmem top: not on a terminal: use --batch\n", stderr);
		return CMD_NO;
	}
	batch_wait(t, 0.5);
	return batch ? top_batch(t) : top_screen(t);
}

int cmd_top(int argc, char **argv)
{
	struct top t = {.delay = 2, .count = -1};
	struct cmd_line l;
	bool batch = false;
	int option, ret = CMD_OK;
	double number;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) >= 0) {
		if (option == TOP_BATCH)
			batch = true;
		else if (!top_number(
				 l.value, option == TOP_COUNT ? 1 : 0.1, 1e6, &number))
			return CMD_USAGE;
		else if (option == TOP_COUNT)
			t.count = (long)number;
		else
			t.delay = number;
	}
	if (option == CMD_BAD || l.at < argc - 1) {
		if (option != CMD_BAD)
			fputs("rtmem top: takes one process or name\n", stderr);
		return CMD_USAGE;
	}
	if (l.at < argc)
		ret = top_operand(&t, argv[l.at]);
	if (ret == CMD_OK)
		ret = top_run(&t, batch);
	top_free(&t);
	return ret;
}
