/* SPDX-License-Identifier: MIT */
/*
 * top.c - looking again and again
 *
 * Every look begins anew with /proc, so processes may come and go; only what is needed
 * for rates is kept from the look before.
 */
#include <stdlib.h>
#include <string.h>

#include "top.h"

static void top_add(struct stats_page *page, enum stats_trouble trouble, void *arg)
{
	struct top *t = arg;
	struct top_process *p;

	if (t->name && strcmp(page->name, t->name) != 0) {
		if (trouble == STATS_OK)
			stats_close(page);
		return;
	}
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->process = realloc(t->process, (size_t)t->room * sizeof(*t->process));
		if (!t->process)
			abort();
	}
	p = &t->process[t->n++];
	*p = (struct top_process){.page = *page, .trouble = trouble};
	for (int i = 0; i < t->nold; i++) {
		if (t->old_pid[i] == page->pid)
			p->past = t->old[i];
	}
}

static void top_forget(struct top *t)
{
	for (int i = 0; i < t->n; i++) {
		if (t->process[i].trouble == STATS_OK)
			stats_close(&t->process[i].page);
	}
	t->n = 0;
}

/* What is there now becomes the past. */
static void top_age(struct top *t)
{
	size_t n = (size_t)t->n + 1;

	t->old = realloc(t->old, n * sizeof(*t->old));
	t->old_pid = realloc(t->old_pid, n * sizeof(*t->old_pid));
	if (!t->old || !t->old_pid)
		abort();
	t->nold = 0;
	for (int i = 0; i < t->n; i++) {
		if (t->process[i].trouble != STATS_OK)
			continue;
		t->old_pid[t->nold] = t->process[i].page.pid;
		view_remember(&t->old[t->nold++], &t->process[i].page);
	}
}

void top_look(struct top *t)
{
	struct stats_page page;
	enum stats_trouble trouble;

	top_age(t);
	top_forget(t);
	if (!t->pid) {
		stats_each_process(top_add, t);
		return;
	}
	trouble = stats_open(t->pid, &page);
	if (trouble == STATS_OK || trouble == STATS_NO_PAGE)
		top_add(&page, trouble, t);
}

void top_watch(struct top *t, int i)
{
	if (i < t->n && t->process[i].trouble == STATS_OK)
		stats_watch(&t->process[i].page);
}

void top_tables(const struct top *t, int i, struct view v[VIEW_KINDS])
{
	for (int k = 0; k < VIEW_KINDS; k++)
		view_begin(&v[k], (enum view_kind)k);
	for (int k = 0; k < t->n; k++)
		view_process(
			&v[VIEW_PROCESSES], &t->process[k].page, t->process[k].trouble);
	if (i >= t->n || t->process[i].trouble != STATS_OK)
		return;
	view_pools(&v[VIEW_POOLS], &t->process[i].page);
	view_threads(&v[VIEW_THREADS], &t->process[i].page, &t->process[i].past);
	view_rules(&v[VIEW_RULES], &t->process[i].page, &t->process[i].past);
	view_tags(&v[VIEW_TAGS], &t->process[i].page);
}

void top_free(struct top *t)
{
	top_forget(t);
	free(t->process);
	free(t->old);
	free(t->old_pid);
}
