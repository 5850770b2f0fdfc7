/* SPDX-License-Identifier: MIT */
/*
 * stats_columns.c - the columns of the tables: titles, widths and meanings, once
 *
 * The most important first: what does not fit a narrow screen is cut from the right.
 */
#include "stats_view.h"

const struct view_column view_columns[VIEW_TABLES][VIEW_COLUMNS] = {
	[VIEW_PROCESSES] =
		{
			{"PID", 7, false, "number of the process"},
			{"PROGRAM", 15, true, "its executable"},
			{"POOLS", 5, false, "pools that exist now"},
			{"LOCKED", 6, false, "bytes of them that are locked"},
			{"THREADS", 7, false, "threads of a rule / threads known"},
			{"FULL", 6, false, "requests that a pool could not serve"},
			{"POLICY", 28, true,
				"the last policy file read, or why there "
				"are no figures",
				true},
			{"RELOAD", 6, false, "times another policy took over"},
		},
	[VIEW_POOLS] =
		{
			{"POOL", 13, true, "name of the pool"},
			{"FILL", 12, true, "used # and peak - of its size, as a bar"},
			{"USED", 6, false, "bytes in blocks"},
			{"PEAK", 6, false, "highest of USED"},
			{"SIZE", 6, false, "memory it has now"},
			{"MAX", 6, false, "what it may grow to"},
			{"FULL", 6, false, "requests it could not serve"},
			{"UNLOCK", 6, false,
				"bytes that could not be locked; - when "
				"none are to be"},
			{"LARGEST", 7, false, "largest request it would serve now"},
			{"PINNED", 6, false, "bytes that also stay where they are"},
			{"GROWN", 5, false, "times it was grown"},
			{"PARTS", 5, false, "parts that are nobody's / all of them"},
			{"RULE", 15, true, "the last rule that names it"},
		},
	[VIEW_THREADS] =
		{
			{"TID", 7, false, "number of the thread"},
			{"THREAD", 15, true, "its name"},
			{"CLASS", 7, true, "scheduling class and priority"},
			{"RULE", 10, true, "the rule of its pool; - when none matches"},
			{"ALLOC/s", 7, false, "allocations a second"},
			{"FREE/s", 7, false, "frees a second"},
			{"P99", 6, false, "99 of 100 allocations were as fast"},
			{"MAX", 6, false, "the slowest allocation or free"},
			{"FULL", 6, false, "its requests that the pool could not serve"},
			{"BYTES/s", 7, false, "bytes asked for a second"},
			{"SLOW", 6, false, "calls that went past its cache"},
			{"DEFER", 6, false, "frees left to the helper thread"},
			{"FAULTS", 6, false, "page faults of the whole thread"},
			{"WAITS", 6, false, "times the whole thread lost its processor"},
			{"INTR", 5, false, "calls during which it did"},
			{"SYSC", 5, false, "system calls within its calls"},
			{"POOL", 13, true, "the pool of its cache"},
		},
	[VIEW_RULES] =
		{
			{"RULE", 15, true, "name of the rule"},
			{"POOL", 13, true, "its pool, or jemalloc"},
			{"THREADS", 7, false,
				"threads with a cache of its pool because of it"},
			{"CALLS/s", 7, false, "allocations it decided a second"},
			{"BYTES/s", 7, false, "bytes of those"},
			{"CALLS", 7, false, "allocations since counting began"},
			{"BYTES", 7, false, "bytes of those"},
			{"MEAN", 6, false, "mean size"},
			{"SIZES", 11, true,
				"from the smallest to the largest, to powers of two"},
		},
	[VIEW_TAGS] =
		{
			{"TAG", 30, true, "name of the tag"},
			{"KIND", 7, true, "rule, program or library"},
			{"BLOCKS", 7, false, "live blocks booked on it"},
			{"USED", 6, false,
				"bytes of those: as asked for; of a rule, as they take"},
			{"PEAK", 6, false, "highest of USED; of a rule, of those seen"},
		},
	[VIEW_REPORT] =
		{
			{"THREAD", 15, true, "its name"},
			{"CLASS", 7, true, "scheduling class and priority"},
			{"RULE", 10, true, "the rule of its pool"},
			{"ALLOCS", 6, false, "allocations"},
			{"FREES", 6, false, "frees"},
			{"P50", 6, false, "half of the allocations were as fast"},
			{"P99", 6, false, "99 of 100 allocations were as fast"},
			{"P99.9", 6, false, "999 of 1000 allocations were as fast"},
			{"MAX", 6, false, "the slowest allocation or free"},
			{"FULL", 6, false, "its requests that the pool could not serve"},
			{"SLOW", 6, false, "calls that went past its cache"},
			{"DEFER", 6, false, "frees left to the helper thread"},
			{"FAULTS", 6, false, "page faults of the whole thread"},
			{"WAITS", 6, false, "times the whole thread lost its processor"},
			{"INTR", 5, false, "calls during which it did"},
			{"SYSC", 5, false, "system calls within its calls"},
		},
};
