/* SPDX-License-Identifier: MIT */
/*
 * stats_fill.h - from pools, rules, tags and threads to the records of the page
 *
 * h is the private image of the page. Callers hold the thread lock, except where said.
 */
#ifndef STATS_FILL_H
#define STATS_FILL_H

#include "include/rtmem_stats.h"
#include "decide/route.h"

struct stats_base {
	uint64_t allocated, active, resident, mapped;
};

/* Takes locks of jemalloc: without the thread lock, helper only. */
void stats_read_base(struct stats_base *b);
void stats_fill_base(struct rtmem_stats_head *h, const struct stats_base *b);

void stats_fill(struct rtmem_stats_head *h);
/* A matched thread that has ended, into the oldest place of section `gone`. */
void stats_fill_gone(struct rtmem_stats_head *h, struct slot *s);
void stats_fill_child(void);
/* Another policy takes over: a rule of the same name counts on, others begin at 0. */
void stats_fill_follow(const struct match_process *was, const struct match_process *now);

/* Cut to size, the rest zeroed. */
void stats_copy_name(char *to, const char *from, size_t size);

#endif
