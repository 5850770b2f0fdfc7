/* SPDX-License-Identifier: MIT */
/*
 * stats_read.c - copy a statistics page and check it
 *
 * The sequence counter is looked at before, in and after the copy. A page whose writer
 * stands still in the middle is given up after STATS_TRIES ms. A page of ours has a third
 * of a MiB and 64 records of a kind at most; the bounds leave room for later versions,
 * and none for one that would keep us busy. All copies together have STATS_HELD_MAX.
 */
#include "stats_read.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/model/printable.h"
#include "gate.h"

#define STATS_SIZE_MAX	  (1UL << 20)
#define STATS_HELD_MAX	  (128UL << 20)
#define STATS_RECORDS_MAX 512u
#define STATS_TRIES	  50	/* a millisecond apart */
#define STATS_HZ_MIN	  1000u /* a clock that is slower, or faster, is none */
#define STATS_HZ_MAX	  100000000000u

static size_t stats_held; /* bytes of copies */

static void stats_pause(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- is it a page ---- */

static bool stats_section_ok(
	const struct rtmem_stats_section *s, size_t least, size_t size)
{
	return s->size >= least && s->size % 8 == 0 && s->at % 8 == 0 && s->n <= s->max &&
	       s->max <= STATS_RECORDS_MAX && s->at >= sizeof(struct rtmem_stats_head) &&
	       s->at <= size && s->max <= (size - s->at) / s->size;
}

/* No record is counted twice. */
static bool stats_apart(
	const struct rtmem_stats_section *a, const struct rtmem_stats_section *b)
{
	size_t a_end = a->at + (size_t)a->max * a->size;
	size_t b_end = b->at + (size_t)b->max * b->size;

	return a_end <= b->at || b_end <= a->at;
}

static bool stats_sections_ok(const struct rtmem_stats_head *h, size_t size)
{
	const struct {
		const struct rtmem_stats_section *s;
		size_t least;
	} all[] = {{&h->pool, sizeof(struct rtmem_stats_pool)},
		{&h->rule, sizeof(struct rtmem_stats_rule)},
		{&h->tag, sizeof(struct rtmem_stats_tag)},
		{&h->thread, sizeof(struct rtmem_stats_thread)},
		{&h->gone, sizeof(struct rtmem_stats_thread)}};
	const size_t n = sizeof(all) / sizeof(*all);

	for (size_t i = 0; i < n; i++) {
		if (!stats_section_ok(all[i].s, all[i].least, size))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!stats_apart(all[i].s, all[k].s))
				return false;
	}
	return true;
}

static bool stats_head_ok(const struct rtmem_stats_head *h, size_t size)
{
	return h->magic == RTMEM_STATS_MAGIC && h->version == RTMEM_STATS_VERSION &&
	       h->head_size >= sizeof(*h) && h->size == size &&
	       stats_sections_ok(h, size);
}

const void *stats_record(
	const struct stats_page *p, const struct rtmem_stats_section *s, uint32_t i)
{
	return p->copy + s->at + (size_t)i * s->size;
}

static void stats_thread_names(
	struct stats_page *p, const struct rtmem_stats_section *s, unsigned char *copy)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct rtmem_stats_thread *r = (void *)(copy + s->at + i * s->size);

		printable_clean(r->name, sizeof(r->name));
		printable_clean(r->rule, sizeof(r->rule));
		printable_clean(r->pool, sizeof(r->pool));
	}
}

static void stats_names(struct stats_page *p)
{
	const struct rtmem_stats_head *h = &p->head;

	for (uint32_t i = 0; i < h->pool.n; i++) {
		struct rtmem_stats_pool *r =
			(void *)(p->copy + h->pool.at + i * h->pool.size);

		printable_clean(r->name, sizeof(r->name));
		printable_clean(r->rule, sizeof(r->rule));
	}
	for (uint32_t i = 0; i < h->rule.n; i++) {
		struct rtmem_stats_rule *r =
			(void *)(p->copy + h->rule.at + i * h->rule.size);

		printable_clean(r->name, sizeof(r->name));
		printable_clean(r->pool, sizeof(r->pool));
	}
	for (uint32_t i = 0; i < h->tag.n; i++) {
		struct rtmem_stats_tag *r =
			(void *)(p->copy + h->tag.at + i * h->tag.size);

		printable_clean(r->name, sizeof(r->name));
	}
	stats_thread_names(p, &h->thread, p->copy);
	stats_thread_names(p, &h->gone, p->copy);
	printable_clean(p->head.policy, sizeof(p->head.policy));
	printable_clean(p->head.reload_message, sizeof(p->head.reload_message));
}

/* ---- one moment's copy ---- */

static bool stats_sequence(int fd, uint64_t *value)
{
	return pread(fd, value, sizeof(*value),
		       offsetof(struct rtmem_stats_head, sequence)) == sizeof(*value);
}

/* +1 a copy of one moment, 0 it changed meanwhile, -1 not a page any more */
static int stats_copy(struct stats_page *p, unsigned char *to)
{
	const struct rtmem_stats_head *h = (const void *)to;
	uint64_t before, after;

	if (!stats_sequence(p->fd, &before) ||
		pread(p->fd, to, p->size, 0) != (ssize_t)p->size ||
		!stats_sequence(p->fd, &after))
		return -1;
	if (h->magic != RTMEM_STATS_MAGIC)
		return -1;
	return before == after && before == h->sequence && before % 2 == 0;
}

enum stats_trouble stats_read(struct stats_page *p)
{
	unsigned char *fresh = malloc(p->size);
	int ok = 0;

	for (int i = 0; fresh && i < STATS_TRIES && !ok; i++) {
		if (i > 0)
			stats_pause(1);
		ok = stats_copy(p, fresh);
	}
	if (ok != 1 || !stats_head_ok((const void *)fresh, p->size)) {
		free(fresh);
		return STATS_FOREIGN;
	}
	free(p->copy);
	p->copy = fresh;
	memcpy(&p->head, fresh, sizeof(p->head));
	if (p->head.tick_hz < STATS_HZ_MIN || p->head.tick_hz > STATS_HZ_MAX)
		p->head.tick_hz = 0;
	stats_names(p);
	return STATS_OK;
}

enum stats_trouble stats_read_first(struct stats_page *p)
{
	enum stats_trouble t;
	struct stat st;

	if (fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		st.st_size < (off_t)sizeof(p->head) || st.st_size > (off_t)STATS_SIZE_MAX)
		return STATS_FOREIGN;
	p->size = (size_t)st.st_size;
	if (p->size > STATS_HELD_MAX - stats_held)
		return STATS_MANY;
	t = stats_read(p);
	if (t == STATS_OK)
		stats_held += p->size;
	return t;
}

void stats_close(struct stats_page *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->pidfd >= 0)
		close(p->pidfd);
	if (p->copy)
		stats_held -= p->size;
	free(p->copy);
	p->fd = p->pidfd = -1;
	p->copy = NULL;
}

/* ---- watching ---- */

bool stats_ended(const struct stats_page *p)
{
	struct pollfd f = {.fd = p->pidfd, .events = POLLIN};

	return poll(&f, 1, 0) > 0;
}

bool stats_ask(const struct stats_page *p, const void *data, size_t n, size_t at)
{
	return gate_write(p->fd, data, n, (off_t)at);
}

bool stats_watch(struct stats_page *p)
{
	struct timespec now;
	uint64_t beat;

	/* another number than before, also by a page that is opened anew for each look */
	clock_gettime(CLOCK_MONOTONIC, &now);
	beat = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return stats_ask(
		p, &beat, sizeof(beat), offsetof(struct rtmem_stats_head, watch));
}

enum stats_trouble stats_wait(struct stats_page *p)
{
	uint64_t published = p->head.published;
	enum stats_trouble t = STATS_OK;
	bool may = stats_watch(p);

	for (int i = 0; may && i < 50 && t == STATS_OK; i++) {
		if (stats_ended(p))
			break;
		stats_pause(20);
		t = stats_read(p);
		if (p->head.watching && p->head.published > published)
			return t;
	}
	return t == STATS_OK ? stats_read(p) : t;
}
