/* SPDX-License-Identifier: MIT */
/*
 * stats.h - the statistics page (include/rtmem_stats.h): made, written, left behind
 *
 * The helper makes and writes it; nothing of this is on the realtime path. Without a page
 * (AT_SECURE, no memfd, no memory) every function does nothing.
 */
#ifndef STATS_H
#define STATS_H

/* At start, before there is a helper: the page follows the helper, the threads and the
 * policy from now on (decide/observer.h). Idempotent. */
void stats_observe(void);
/* The process ends: the last figures, for readers that hold the page. Any thread. */
void stats_exit(void);
/* After fork, in the child. */
void stats_child(void);

#endif
