/* SPDX-License-Identifier: MIT */
/*
 * stats_fields.c - the fields of each record: their names, kinds and meanings, once
 */
#include <string.h>

#include "stats_fields.h"
#include "stats_view.h"

#define GAUGE		 FIELD_GAUGE
#define COUNTER		 FIELD_COUNTER
#define F(record, field) offsetof(struct rtmem_stats_##record, field)

const struct stats_field stats_field_process[] = {
	{"known_threads", GAUGE, U32, F(head, threads), "Threads the library knows."},
	{"matched_threads", GAUGE, U32, F(head, matched), "Threads of a rule."},
	{"ended_threads", COUNTER, U32, F(head, ended),
		"Threads of a rule that have ended."},
	{"watched_seconds", COUNTER, NS, F(head, watched),
		"Time during which calls were counted."},
	{"policy_reloads", COUNTER, U64, F(head, reloads),
		"Times a changed policy took over."},
	{"policy_reload_failures", COUNTER, U64, F(head, reload_failures),
		"Times it did not, for an error in it."},
	{"jemalloc_allocated_bytes", GAUGE, U64, F(head, base_allocated),
		"Bytes in blocks of jemalloc."},
	{"jemalloc_active_bytes", GAUGE, U64, F(head, base_active),
		"Bytes in pages with such blocks."},
	{"jemalloc_resident_bytes", GAUGE, U64, F(head, base_resident),
		"Bytes jemalloc keeps in memory."},
	{"jemalloc_mapped_bytes", GAUGE, U64, F(head, base_mapped),
		"Bytes jemalloc has mapped."},
	{0},
};
const struct stats_field stats_field_pool[] = {
	{"size_bytes", GAUGE, U64, F(pool, size), "Memory the pool has."},
	{"max_bytes", GAUGE, U64, F(pool, max), "What it may grow to."},
	{"used_bytes", GAUGE, U64, F(pool, used), "Bytes in blocks."},
	{"peak_bytes", GAUGE, U64, F(pool, peak), "Highest of used_bytes."},
	{"largest_free_bytes", GAUGE, U64, F(pool, largest_free),
		"Largest request it would serve."},
	{"growths", COUNTER, U64, F(pool, growths), "Times it was grown."},
	{"full", COUNTER, U64, F(pool, full), "Requests it could not serve."},
	{"locked_bytes", GAUGE, U64, F(pool, locked), "Bytes that are locked."},
	{"unlocked_bytes", GAUGE, U64, F(pool, not_locked), "Bytes that are not."},
	{"pinned_bytes", GAUGE, U64, F(pool, pinned), "Bytes that are pinned."},
	{"parts", GAUGE, U32, F(pool, parts), "Parts that threads take for themselves."},
	{"free_parts", GAUGE, U32, F(pool, free_parts), "Parts that are nobody's."},
	{0},
};
const struct stats_field stats_field_rule[] = {
	{"threads", GAUGE, U32, F(rule, threads), "Threads whose first rule it is."},
	{"allocations", COUNTER, U64, F(rule, allocations),
		"Allocations it decided while watched."},
	{"allocated_bytes", COUNTER, U64, F(rule, bytes), "Bytes of those."},
	{0},
};
const struct stats_field stats_field_tag[] = {
	{"blocks", GAUGE, U64, F(tag, blocks), "Live blocks of the tag."},
	{"used_bytes", GAUGE, U64, F(tag, bytes), "Bytes of those."},
	{"peak_bytes", GAUGE, U64, F(tag, peak), "Highest of used_bytes."},
	{0},
};
const struct stats_field stats_field_thread[] = {
	{"fallbacks", COUNTER, U64, F(thread, fallbacks),
		"Requests its pool was too full for."},
	{"slow_paths", COUNTER, U64, F(thread, slow),
		"Calls that went past its cache to the pool."},
	{"deferred_frees", COUNTER, U64, F(thread, deferred),
		"Frees left to the helper thread."},
	{"allocations", COUNTER, U64, F(thread, allocations),
		"Allocations while watched."},
	{"frees", COUNTER, U64, F(thread, frees), "Frees while watched."},
	{"allocated_bytes", COUNTER, U64, F(thread, bytes),
		"Bytes asked for while watched."},
	{"largest_bytes", GAUGE, U64, F(thread, largest),
		"Largest request while watched."},
	{"slowest_allocation_seconds", GAUGE, TICKS, F(thread, worst_alloc),
		"Slowest allocation while watched."},
	{"slowest_free_seconds", GAUGE, TICKS, F(thread, worst_free),
		"Slowest free while watched."},
	{"minor_faults", COUNTER, U64, F(thread, minor_faults),
		"Page faults of the whole thread while watched."},
	{"major_faults", COUNTER, U64, F(thread, major_faults),
		"Those that waited for a disk."},
	{"involuntary_waits", COUNTER, U64, F(thread, waits),
		"Times the whole thread lost its processor while watched."},
	{"interrupted_calls", COUNTER, U64, F(thread, interrupted),
		"Allocations and frees during which it did."},
	{"system_calls", COUNTER, U64, F(thread, system_calls),
		"System calls within allocations and frees."},
	{"lock_calls", COUNTER, U64, F(thread, lock_calls),
		"Of those, to wait for a lock of a pool, or to wake who does."},
	{0},
};

const double stats_field_quantile[STATS_QUANTILES] = {0.5, 0.9, 0.99, 0.999, 0.9999};

void stats_field_put(FILE *to, const struct stats_page *p, const struct stats_field *f,
	const void *record)
{
	uint64_t v = 0;
	uint32_t narrow;

	if (f->kind == U32) {
		memcpy(&narrow, (const char *)record + f->at, sizeof(narrow));
		v = narrow;
	} else {
		memcpy(&v, (const char *)record + f->at, sizeof(v));
	}
	if (f->kind == TICKS)
		fprintf(to, "%.10g",
			p->head.tick_hz ? (double)v / (double)p->head.tick_hz : 0.0);
	else if (f->kind == NS)
		fprintf(to, "%.10g", (double)v / 1e9);
	else
		fprintf(to, "%lu", v);
}

double stats_field_seconds(
	const struct stats_page *p, const uint32_t *ticks, uint64_t worst, double q)
{
	return p->head.tick_hz ? (double)view_percentile(ticks, q, worst) /
					 (double)p->head.tick_hz
			       : 0;
}
