/* SPDX-License-Identifier: MIT */
/*
 * stats_page.h - the statistics page that readers see, and the image it is written from
 *
 * Any process of this user may write into the page. So the helper writes it from a
 * private image of the same layout, and reads back only the words of `struct
 * stats_page_requests`. It compares those words and follows none of them.
 *
 * Realtime: no. Opened and closed by the helper; written under the thread lock.
 */
#ifndef STATS_PAGE_H
#define STATS_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "include/rtmem_stats.h"

struct stats_page {
	struct rtmem_stats_head *image; /* private; NULL: there is no page */
	struct rtmem_stats_head *shared;
	size_t size;
	uint64_t sequence;
	int fd; /* in the helper's descriptor table */
};

/* A page of so many bytes, sealed and with all of its memory, and an empty image. */
bool stats_page_make(struct stats_page *p, size_t size);
void stats_page_drop(struct stats_page *p);
/* The image, its sections as far as they are used, between two numbers of `sequence`. */
void stats_page_write(struct stats_page *p);

#endif
