/* SPDX-License-Identifier: MIT */
/*
 * pool_native.c - the heap of a pool of the API is as large as its size says, in steps,
 * and not as large as its pages
 */
#include "check.h"
#include "engine/pools.h"

static size_t span(const struct pool *p)
{
	struct heap_stats st;

	heap_stats(p->heap, &st);
	return st.span;
}

int main(void)
{
	const struct pool_attr attr = {
		.name = "native", .size = 10000, .max = 70001, .native = true};
	struct pool *p = pools_create(&attr, NULL);
	void *all;

	CHECK(p != NULL);
	if (!p)
		return 1;
	CHECK(span(p) >= heap_span_for(10000) && span(p) < heap_span_for(10000) + 4096);
	while (p->area.committed < p->area.reserved)
		CHECK(pool_grow(p, 8192) == 0);
	CHECK(pool_grow(p, 8192) < 0);
	CHECK(span(p) == heap_span_for(70001));
	CHECK(pool_available(p) == heap_span_for(70001) - HEAP_RUN_ENDS);
	all = pool_alloc(p, 70001, 0);
	CHECK(all && pool_available(p) == 0 && pool_check(p, NULL));
	CHECK(pool_free(p, all) == HEAP_OK && pool_check(p, NULL));
	pools_delete(p);
	return failures != 0;
}
