/* SPDX-License-Identifier: MIT */
/*
 * stats_request.h - what readers of the statistics page ask for. Helper only.
 */
#ifndef STATS_REQUEST_H
#define STATS_REQUEST_H

#include <stdint.h>

#include "include/rtmem_stats.h"

/* When the page is made. */
void stats_request_open(struct rtmem_stats_request *q);
/* Each turn: begins what is asked for, ends what nobody asks for any more. */
void stats_request_turn(struct rtmem_stats_request *q, int64_t now);
/* The page goes. */
void stats_request_close(struct rtmem_stats_request *q);
void stats_request_child(void);

#endif
