/* SPDX-License-Identifier: MIT */
/*
 * stats_request.c - an audit, when a reader of the statistics page asks for one
 *
 * A request of a reader is a number that has changed; nothing else of it is believed.
 * An audit whose reader is gone ends by itself. Helper only, never on the realtime path.
 */
#include "stats_request.h"

#include <stdbool.h>

#include "os/child.h"
#include "decide/thread_audit.h"

#define REQUEST_LOOK_NS 100000000L

static uint64_t request_beat;
static int64_t request_until, request_look;
CHILD_DATA static uint64_t request_going,
	request_refused; /* numbers of audits, 0: none */
static bool request_at_start;

/* relaxed, all: numbers that are compared; the file has its own release */
#define GET(field)	  __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define SET(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

void stats_request_open(struct rtmem_stats_request *q)
{
	request_beat = 0;
	request_until = request_look = 0;
	request_going = request_refused = 0;
	request_at_start = audit_going() != NULL;
	if (request_at_start)
		q->going = RTMEM_STATS_AUDIT_START;
}

static void request_end(struct rtmem_stats_request *q)
{
	thread_audit_end();
	audit_attach_drop();
	request_going = 0;
	SET(q->going, 0);
}

static void request_begin(struct rtmem_stats_request *q, uint64_t number)
{
	int error;
	struct audit_book *a = audit_attach_make(GET(q->all) == 1, &error);

	if (!a) {
		SET(q->error, (uint32_t)error);
		SET(q->refused, number);
		request_refused = number;
		return;
	}
	thread_audit_begin(a);
	request_going = number;
	SET(q->going, number);
}

void stats_request_turn(struct rtmem_stats_request *q, int64_t now)
{
	uint64_t beat = GET(q->beat), number = GET(q->audit);

	if (request_at_start)
		return;
	if (beat != request_beat) {
		request_beat = beat;
		request_until = now + (int64_t)RTMEM_STATS_WATCHED;
	}
	if (request_going && (number != request_going || now >= request_until))
		request_end(q);
	if (!request_going && number && number != request_refused &&
		now < request_until && number != RTMEM_STATS_AUDIT_START)
		request_begin(q, number);
	if (request_going && now >= request_look) {
		request_look = now + REQUEST_LOOK_NS;
		thread_audit_look();
	}
}

void stats_request_close(struct rtmem_stats_request *q)
{
	if (request_going)
		request_end(q);
}

void stats_request_child(void)
{
	CHILD_SET(request_going, 0);
}
