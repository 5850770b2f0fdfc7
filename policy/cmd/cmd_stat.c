/* SPDX-License-Identifier: MIT */
/*
 * cmd_stat.c - rtmem stat: the figures of one process, once; as metrics also of all
 *
 * Watches for a second, so that there are rates; ends sooner when the process does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/figures/stats_export.h"
#include "policy/figures/stats_view.h"
#include "cmd.h"

static void stat_table(struct view *v)
{
	if (v->n)
		view_print(stdout, v, 0, false);
	view_free(v);
}

static void stat_plain(const struct stats_page *p, const struct view_past *past)
{
	char a[24], b[24];
	struct view v;

	view_begin(&v, VIEW_PROCESSES);
	view_process(&v, p, STATS_OK);
	stat_table(&v);
	printf("jemalloc: %s in blocks, %s resident\n",
		view_bytes(a, p->head.base_allocated),
		view_bytes(b, p->head.base_resident));
	if (p->head.reloads || p->head.reload_failures)
		printf("policy: reloaded %lu times, refused %lu times\n", p->head.reloads,
			p->head.reload_failures);
	putchar('\n');
	view_begin(&v, VIEW_POOLS);
	view_pools(&v, p);
	stat_table(&v);
	putchar('\n');
	view_begin(&v, VIEW_THREADS);
	view_threads(&v, p, past);
	stat_table(&v);
	putchar('\n');
	view_begin(&v, VIEW_RULES);
	view_rules(&v, p, past);
	stat_table(&v);
	view_begin(&v, VIEW_TAGS);
	view_tags(&v, p);
	if (v.n)
		putchar('\n');
	stat_table(&v);
}

static enum stats_trouble stat_observe(struct stats_page *p, struct view_past *past)
{
	enum stats_trouble t = stats_wait(p);

	view_remember(past, p);
	for (int i = 0; t == STATS_OK && i < 50 && !stats_ended(p); i++)
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	return t == STATS_OK ? stats_read(p) : t;
}

static int stat_process(pid_t pid, int how)
{
	struct view_past past = {0};
	struct stats_page p;
	enum stats_trouble t = stats_open(pid, &p);

	if (t != STATS_OK)
		return stats_say("stat", pid, t);
	t = stat_observe(&p, &past);
	if (t != STATS_OK) {
		stats_close(&p);
		return stats_say("stat", pid, t);
	}
	if (how == STAT_JSON) {
		stats_json(stdout, &p);
		putchar('\n');
	} else if (how == STAT_OPENMETRICS) {
		stats_metrics(stdout, &p, 1);
	} else {
		stat_plain(&p, &past);
	}
	stats_close(&p);
	return CMD_OK;
}

struct stat_all {
	struct stats_page *page;
	int n, room;
};

static void stat_add(struct stats_page *page, enum stats_trouble t, void *arg)
{
	struct stat_all *all = arg;

	if (t != STATS_OK)
		return;
	if (all->n == all->room) {
		all->room = all->room ? 2 * all->room : 16;
		all->page = realloc(all->page, (size_t)all->room * sizeof(*all->page));
		if (!all->page)
			abort();
	}
	all->page[all->n++] = *page;
}

/* For node_exporter: none is an answer, too, and replaces what was there before. */
static int stat_metrics_of_all(void)
{
	struct stat_all all = {0};

	stats_each_process(stat_add, &all);
	for (int i = 0; i < all.n; i++)
		stats_watch(&all.page[i]);
	if (all.n)
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	for (int i = 0; i < all.n; i++)
		stats_read(&all.page[i]); /* what was read before, stays when it cannot */
	stats_metrics(stdout, all.page, all.n);
	for (int i = 0; i < all.n; i++)
		stats_close(&all.page[i]);
	free(all.page);
	return CMD_OK;
}

int cmd_stat(int argc, char **argv)
{
	struct cmd_line l;
	int option, how = -1;
	pid_t pid;

	cmd_begin(&l, argc, argv);
	while ((option = cmd_next(&l)) >= 0)
		how = option;
	if (option == CMD_BAD)
		return CMD_USAGE;
	if (l.at == argc && how == STAT_OPENMETRICS)
		return stat_metrics_of_all();
	if (l.at != argc - 1 || (pid = process_number(argv[l.at])) < 0) {
		fputs("rtmem stat: takes the number of one process\n", stderr);
		return CMD_USAGE;
	}
	return stat_process(pid, how);
}
