/* SPDX-License-Identifier: MIT */
/*
 * stats_layout.c - offsets and sizes of the statistics page: readers outside this
 * repository rely on them; and the buckets of its histograms
 */
#include <stddef.h>

#include "expect.h"
#include "../../include/rtmem_stats.h"

#define AT(type, field, offset)                                        \
	expect(offsetof(struct rtmem_stats_##type, field) == (offset), \
		#type "." #field " is at %zu, not " #offset,           \
		offsetof(struct rtmem_stats_##type, field))
#define SIZE(type, size)                                                            \
	expect(sizeof(struct rtmem_stats_##type) == (size), #type " has %zu bytes", \
		sizeof(struct rtmem_stats_##type))

static void layout(void)
{
	SIZE(section, 16);
	SIZE(request, 40);
	AT(request, beat, 8);
	AT(request, going, 16);
	AT(request, refused, 24);
	AT(request, all, 36);
	SIZE(head, 832);
	AT(head, version, 8);
	AT(head, size, 16);
	AT(head, sequence, 24);
	AT(head, watch, 32);
	AT(head, pid, 40);
	AT(head, published, 56);
	AT(head, tick_hz, 80);
	AT(head, base_allocated, 88);
	AT(head, threads, 120);
	AT(head, ended, 128);
	AT(head, pool, 136);
	AT(head, gone, 200);
	AT(head, policy, 216);
	AT(head, request, 424);
	AT(head, reload, 464);
	AT(head, reloads, 480);
	AT(head, reload_status, 504);
	AT(head, reload_message, 512);
	SIZE(pool, 256);
	AT(pool, size, 128);
	AT(pool, full, 176);
	AT(pool, flags, 208);
	AT(pool, parts, 216);
	SIZE(rule, 288);
	AT(rule, sizes, 192);
	AT(rule, allocations, 128);
	SIZE(tag, 128);
	AT(tag, blocks, 64);
	SIZE(thread, 4248);
	AT(thread, name, 16);
	AT(thread, rule, 32);
	AT(thread, deferred, 160);
	AT(thread, allocations, 184);
	AT(thread, minor_faults, 232);
	AT(thread, waits, 248);
	AT(thread, system_calls, 264);
	AT(thread, alloc_ticks, 272);
	AT(thread, free_ticks, 2256);
	AT(thread, lock_calls, 4240);
}

static void buckets(void)
{
	unsigned last = 0;

	for (uint64_t v = 0; v < 100000; v++) {
		unsigned b = rtmem_stats_bucket(v);

		expect(b == last || b == last + 1, "bucket %u follows %u", b, last);
		expect(v <= rtmem_stats_bucket_top(b), "%lu is above its bucket", v);
		expect(b == 0 || v > rtmem_stats_bucket_top(b - 1),
			"%lu belongs below its bucket", v);
		last = b;
	}
	expect(rtmem_stats_bucket((1ULL << 34) - 1) == RTMEM_STATS_BUCKETS - 1,
		"the last bucket ends at 2^34");
	expect(rtmem_stats_bucket(UINT64_MAX) == RTMEM_STATS_BUCKETS - 1,
		"what exceeds the last bucket is in it");
	expect(rtmem_stats_bucket_top(RTMEM_STATS_BUCKETS - 1) == (1ULL << 34) - 1,
		"the last bucket's top");
}

static void sizes(void)
{
	for (unsigned b = 0; b < RTMEM_STATS_SIZES - 1; b++) {
		expect(rtmem_stats_size_bucket((16u << b) - 1) == b,
			"%u is the last of bucket %u", (16u << b) - 1, b);
		expect(rtmem_stats_size_bucket(16u << b) == b + 1,
			"%u is the first of bucket %u", 16u << b, b + 1);
	}
	expect(rtmem_stats_size_bucket(0) == 0, "nothing is the smallest size");
	expect(rtmem_stats_size_bucket(UINT64_MAX) == RTMEM_STATS_SIZES - 1,
		"the last bucket holds the rest");
}

int main(void)
{
	layout();
	sizes();
	buckets();
	return expected();
}
