/* SPDX-License-Identifier: MIT */
/* A pool's total size is the most that is handed out of it, however it is asked for, and
 * one block of all of it fits. Linked with the library. */
/* libs: -Lbuild -lrtpreload */
#include <rtmem.h>
#include <stdlib.h>

#include "api_check.h"

#define BLOCKS 512

/* The largest block up to `most` that can be had now. */
static size_t largest(rtm_pool *p, size_t most, void **out)
{
	for (; most > 0; most--) {
		*out = rtm_alloc(p, most);
		if (*out)
			break;
	}
	return most;
}

static void free_all(void **block, int n)
{
	while (n-- > 0)
		CHECK(rtm_free(block[n]) == B_OK);
}

/* One block of `first` bytes, and as many more as there can be, largest first. */
static void after_a_block(rtm_pool *p, size_t total, size_t first)
{
	void *block[BLOCKS];
	size_t sum = first, most = total, got;
	int n = 0;

	block[n] = rtm_alloc(p, first);
	CHECK(block[n] != NULL);
	for (n = 1; n < BLOCKS && (got = largest(p, most, &block[n])) > 0; n++)
		sum += most = got;
	CHECK(sum <= total);
	free_all(block, n);
}

/* Beside a block of `had` bytes there is one of the rest, but for its header, at most. */
static void rest(rtm_pool *p, size_t total, size_t had)
{
	void *two = rtm_alloc(p, total - had + 1);
	size_t n = total > had + 64 ? total - had - 64 : 1;

	CHECK(two == NULL);
	two = rtm_alloc(p, n);
	if (!two)
		return;
	while (rtm_realloc(&two, n + 1) == B_OK)
		n++;
	CHECK(had + n <= total);
	CHECK(rtm_free(two) == B_OK);
}

/* As far as it can grow, and no further. */
static void resized(rtm_pool *p, size_t total, size_t first)
{
	void *one = rtm_alloc(p, first), *was = one;
	ssize_t phys = rtm_phys_size_for(one);

	CHECK(one && phys >= (ssize_t)first && (size_t)phys <= total);
	CHECK(rtm_realloc(&one, (size_t)phys) == B_OK && one == was);
	CHECK(rtm_phys_size_for(one) == phys);
	CHECK(rtm_realloc(&one, total + 1) == B_NO_MEMORY && one == was);
	rest(p, total, (size_t)phys);
	CHECK(rtm_realloc(&one, first) == B_OK && one == was);
	CHECK(rtm_size_for(one) == (ssize_t)first);
	rest(p, total, first);
	CHECK(rtm_free(one) == B_OK);
}

static void whole(rtm_pool *p, size_t total)
{
	struct rtm_stats st;
	void *one;

	CHECK(rtm_available(p) == total);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK && st.largest_free == total &&
		st.available == total);
	CHECK(rtm_alloc(p, total + 1) == NULL && rtm_alloc_nowait(p, total + 1) == NULL);
	CHECK(rtm_memalign(p, 16, total + 1) == NULL);
	CHECK(rtm_calloc(p, 1, total + 1) == NULL);
	one = rtm_alloc_nowait(p, total);
	CHECK(one && rtm_size_for(one) == (ssize_t)total);
	CHECK(rtm_alloc(p, 1) == NULL && rtm_alloc(p, 0) == NULL);
	CHECK(rtm_free(one) == B_OK);
	one = rtm_alloc(p, total);
	CHECK(one && rtm_phys_size_for(one) == (ssize_t)total);
	CHECK(rtm_free(one) == B_OK);
}

static void tagged(rtm_pool *p, size_t total)
{
	rtm_tag *tag = rtm_tag_create("total");
	void *one = total > 8 ? rtm_tag_alloc(tag, p, total - 8) : NULL;

	CHECK(tag && rtm_tag_alloc(tag, p, total + 1) == NULL);
	if (one) {
		CHECK(rtm_phys_size_for(one) <= (ssize_t)total);
		CHECK(rtm_realloc(&one, total + 1) == B_NO_MEMORY);
		CHECK(rtm_free(one) == B_OK);
	}
	CHECK(rtm_tag_delete(tag) == B_OK);
}

/* Blocks of one size, until there is no room. */
static void filled(rtm_pool *p, size_t total, size_t size)
{
	static void *block[70000];
	size_t n = 0;

	while (n < 70000 && (block[n] = rtm_alloc(p, size)))
		n++;
	CHECK(n * size <= total);
	while (n-- > 0)
		rtm_free(block[n]);
}

static void pool_of(size_t total, int attributes)
{
	struct rtm_pool_attr attr = RTM_POOL_ATTR_INIT;
	rtm_pool *p = NULL;

	attr.size = total;
	CHECK((attributes ? rtm_pool_create(&p, &attr)
			  : rtm_create_pool(&p, total, NULL)) == B_OK);
	whole(p, total);
	tagged(p, total);
	if (total <= 100) {
		for (size_t first = 1; first <= total; first++) {
			after_a_block(p, total, first);
			resized(p, total, first);
		}
	} else {
		for (size_t size = 1; size < total; size += size / 2 + 1)
			filled(p, total, size);
		for (size_t less = 0; less < 40; less++)
			resized(p, total, (total - less) / 2);
	}
	CHECK(rtm_delete_pool(p) == B_OK);
}

int main(void)
{
	static const size_t large[] = {139, 140, 4000, 4047, 4048, 4095, 4096, 4097, 8192,
		65537, 100003, 1048576, 1000009, 1000015};

	for (size_t total = 1; total <= 100; total++)
		pool_of(total, total % 2);
	for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++)
		pool_of(large[i], i % 2);
	return api_failed;
}
