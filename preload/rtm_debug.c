/* SPDX-License-Identifier: MIT */
/*
 * rtm_debug.c - MALLOC_DEBUG: junk in new and freed blocks, validation of whole pools
 *
 * The variable is read once, at the first call of the native API, and never in a secure
 * (set-user-ID) program. Level 0 costs one load per call. Level 1 writes each byte of a
 * block once more; level 2 walks the whole pool at every call. Neither is bounded.
 */
#include "rtm.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

#define RTM_JUNK_NEW   0x7f
#define RTM_JUNK_FREE  0x7d
#define RTM_JUNK_FRESH 0x7b

int rtm_debug_level = -1;

/* "0", "00": off. A number above 1: 2. Anything else, also nothing after the =: 1. */
static int rtm_debug_parse(const char *s)
{
	unsigned long n = 0;
	const char *digit = s;

	if (*digit == '+')
		digit++;
	if (*digit < '0' || *digit > '9')
		return 1;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		n = n > 9 ? n : n * 10 + (unsigned long)(*digit - '0');
	if (*digit)
		return 1;
	return n > 1 ? 2 : (int)n;
}

int rtm_debug_read_slow(void)
{
	const char *s = secure_getenv("MALLOC_DEBUG");
	int level = s ? rtm_debug_parse(s) : 0;

	/* relaxed: whoever else reads the environment now comes to the same answer */
	__atomic_store_n(&rtm_debug_level, level, __ATOMIC_RELAXED);
	return level;
}

/* One block takes all there is: so every byte a later block can have is filled once. */
void rtm_debug_pool_made(struct pool *p)
{
	struct heap_stats st;
	void *all;

	if (!rtm_debug())
		return;
	pool_stats(p, &st);
	all = pool_alloc(p, st.largest_free, 0);
	if (!all)
		return;
	memset(all, RTM_JUNK_FRESH, st.largest_free);
	pool_free(p, all);
}

void rtm_debug_allocated(struct pool *p, void *block, size_t from, size_t to)
{
	if (!rtm_debug() || to <= from)
		return;
	memset((unsigned char *)block + from, RTM_JUNK_NEW, to - from);
}

void rtm_debug_freeing(struct pool *p, void *block)
{
	enum heap_verdict v;

	if (!rtm_debug())
		return;
	v = heap_check_pointer(p->heap, block);
	if (v != HEAP_OK)
		pool_misuse(p, block, v);
	memset(block, RTM_JUNK_FREE, block_requested_of(block));
}

void rtm_debug_check(struct pool *p)
{
	if (__builtin_expect(rtm_debug() < 2, 1))
		return;
	if (!pool_check(p, NULL))
		log_misuse("MALLOC_DEBUG: pool \"%s\" is not sound", p->name);
}
