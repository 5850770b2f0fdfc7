/* SPDX-License-Identifier: MIT */
/* Every call of the native API and every failure it documents. Linked with the library.
 */
/* libs: -Lbuild -lrtpreload */
#include <errno.h>
#include <pthread.h>
#include <rtmem.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_check.h"

#define KIB 1024UL
#define MIB (1024 * KIB)

static int foreign_static;

static void pools(void)
{
	rtm_pool *p = NULL, *same = (rtm_pool *)&foreign_static;
	char name[200];

	CHECK(rtm_create_pool(&same, 0, "none") == B_BAD_VALUE);
	CHECK(rtm_create_pool(&same, SIZE_MAX, "huge") == B_NO_MEMORY);
	CHECK(rtm_create_pool(&same, (4UL << 30) - 64 * KIB + 1, "huge") == B_NO_MEMORY);
	CHECK(same == (rtm_pool *)&foreign_static);
	CHECK(rtm_create_pool(&p, 1, NULL) == B_OK && p);
	CHECK(strcmp(rtm_pool_name(p), "") == 0);
	CHECK(rtm_delete_pool(p) == B_OK);
	CHECK(rtm_delete_pool(p) == B_BAD_VALUE);
	CHECK(rtm_delete_pool(NULL) == B_BAD_VALUE);
	CHECK(rtm_delete_pool((rtm_pool *)&foreign_static) == B_BAD_VALUE);
	CHECK(rtm_delete_pool((rtm_pool *)(uintptr_t)8) == B_BAD_VALUE);

	memset(name, 'n', sizeof(name));
	name[199] = '\0';
	CHECK(rtm_create_pool(&p, 64 * KIB, name) == B_OK);
	CHECK(strlen(rtm_pool_name(p)) == 63 && !strncmp(rtm_pool_name(p), name, 63));
	name[63] = '\0';
	CHECK(rtm_pool_named(name) == p);
	CHECK(rtm_delete_pool(p) == B_OK);
	CHECK(rtm_pool_named(name) == NULL && rtm_pool_named(NULL) == NULL);
	CHECK(rtm_pool_name((rtm_pool *)&foreign_static) == NULL);
}

/* One block of the whole total fits, at any total, and then nothing of that size. */
static void whole_total(void)
{
	static const size_t total[] = {1, 15, 16, 17, 4095, 4096, 4097, 65535, 65536,
		65537, 1000003, 3 * MIB, 5 * MIB + 1};

	for (size_t i = 0; i < sizeof(total) / sizeof(*total); i++) {
		rtm_pool *p = NULL;
		void *b;

		CHECK(rtm_create_pool(&p, total[i], "whole") == B_OK);
		b = rtm_alloc(p, total[i]);
		CHECK(b && rtm_size_for(b) == (ssize_t)total[i]);
		if (b)
			memset(b, 1, total[i]);
		CHECK(rtm_free(b) == B_OK);
		b = rtm_alloc(p, total[i]);
		CHECK(b && rtm_get_pool(NULL, b) == p);
		CHECK(rtm_delete_pool(p) == B_OK);
	}
}

static void flags(void)
{
	rtm_pool *p = NULL;
	struct rtm_stats st;

	CHECK(rtm_create_pool_etc(&p, MIB, "l",
		      B_RTM_FORCE_LOCKED | B_RTM_FORCE_UNLOCKED) == B_BAD_VALUE);
	CHECK(rtm_create_pool_etc(&p, MIB, "l", 4) == B_BAD_VALUE);
	CHECK(rtm_create_pool_etc(&p, MIB, "l", 0x80000000u) == B_BAD_VALUE);
	CHECK(p == NULL);
	CHECK(rtm_create_pool_etc(&p, MIB, "l", B_RTM_FORCE_LOCKED) == B_OK);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK);
	CHECK(st.committed >= MIB && st.locked == st.committed && st.lock_error == 0);
	CHECK(rtm_delete_pool(p) == B_OK);
	CHECK(rtm_create_pool_etc(&p, MIB, "l", B_RTM_FORCE_UNLOCKED) == B_OK);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK);
	CHECK(st.committed >= MIB && st.locked == 0 && st.pinned == 0);
	CHECK(rtm_delete_pool(p) == B_OK);
	CHECK(rtm_create_pool_etc(&p, MIB, "l", 0) == B_OK);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK && st.locked == st.committed);
	CHECK(rtm_delete_pool(p) == B_OK);
}

static void default_pool(void)
{
	void *b;
	struct rtm_stats st;

	CHECK(rtm_default_pool() == NULL);
	CHECK(rtm_available(NULL) == 0);
	CHECK(rtm_get_stats(NULL, &st, sizeof(st)) == B_BAD_VALUE);
	errno = 0;
	CHECK(rtm_alloc_nowait(NULL, 1) == NULL && errno == ENOMEM);
	CHECK(rtm_create_pool(NULL, 0, NULL) == B_BAD_VALUE &&
		rtm_default_pool() == NULL);
	b = rtm_alloc(NULL, 100);
	CHECK(b && rtm_default_pool() && rtm_get_pool(NULL, b) == rtm_default_pool());
	CHECK(rtm_get_stats(NULL, &st, sizeof(st)) == B_OK && st.size == MIB);
	CHECK(rtm_create_pool(NULL, MIB, "again") == -EALREADY);
	CHECK(rtm_create_pool_etc(NULL, MIB, "again", B_RTM_FORCE_UNLOCKED) == -EALREADY);
	CHECK(rtm_delete_pool(rtm_default_pool()) == B_BAD_VALUE);
	CHECK(rtm_available(NULL) > MIB - 64 * KIB);
	CHECK(rtm_free(b) == B_OK);
}

static void blocks(void)
{
	rtm_pool *p = NULL;
	void *b, *c;
	size_t before;

	CHECK(rtm_create_pool(&p, MIB, "blocks") == B_OK);
	before = rtm_available(p);
	CHECK(before >= MIB);
	for (size_t n = 0; n < 3000; n += n < 300 ? 1 : 97) {
		errno = 77;
		b = rtm_alloc(p, n);
		CHECK(b && (uintptr_t)b % 16 == 0 && errno == 77);
		CHECK(rtm_size_for(b) == (ssize_t)n);
		CHECK(rtm_phys_size_for(b) >= (ssize_t)n);
		memset(b, 0xee, n);
		CHECK(rtm_free(b) == B_OK && errno == 77);
	}
	b = rtm_alloc(p, 0);
	c = rtm_alloc(p, 0);
	CHECK(b && c && b != c && rtm_get_pool(p, c) == p);
	CHECK(rtm_free(b) == B_OK && rtm_free(c) == B_OK);
	CHECK(rtm_available(p) == before);

	errno = 0;
	CHECK(rtm_alloc(p, 2 * MIB) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(rtm_alloc(p, SIZE_MAX) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(rtm_alloc((rtm_pool *)&foreign_static, 1) == NULL && errno == EINVAL);
	CHECK(rtm_available((rtm_pool *)&foreign_static) == 0);
	CHECK(rtm_delete_pool(p) == B_OK);
}

/* What no pool owns is refused and left alone. */
static void foreign(void)
{
	char stack[64];
	void *heap = malloc(100), *kept = heap;
	rtm_pool *p = NULL;
	char *b;

	memset(stack, 5, sizeof(stack));
	memset(heap, 5, 100);
	void *bad[] = {NULL, stack + 16, heap, &foreign_static, (void *)16, (void *)-16L};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		void *data = bad[i];

		CHECK(rtm_free(bad[i]) == B_BAD_VALUE);
		CHECK(rtm_size_for(bad[i]) == B_BAD_VALUE);
		CHECK(rtm_phys_size_for(bad[i]) == B_BAD_VALUE);
		CHECK(rtm_get_pool(NULL, bad[i]) == NULL);
		if (!data)
			continue;
		CHECK(rtm_realloc(&data, 10) == B_BAD_VALUE && data == bad[i]);
		CHECK(rtm_realloc(&data, 0) == B_BAD_VALUE && data == bad[i]);
	}
	for (size_t i = 0; i < sizeof(stack); i++)
		CHECK(stack[i] == 5);
	CHECK(heap == kept && ((char *)heap)[99] == 5);
	free(heap);

	/* the middle of a block is no block */
	CHECK(rtm_create_pool(&p, MIB, "foreign") == B_OK);
	b = rtm_alloc(p, 1000);
	memset(b, 0, 1000);
	for (size_t i = 1; i < 900; i += 13) {
		void *data = b + i;

		CHECK(rtm_size_for(b + i) == B_BAD_VALUE);
		CHECK(rtm_phys_size_for(b + i) == B_BAD_VALUE);
		CHECK(rtm_realloc(&data, 2000) == B_BAD_VALUE && data == b + i);
		CHECK(rtm_get_pool(NULL, b + i) == p);
	}
	CHECK(rtm_free(b) == B_OK);
	CHECK(rtm_size_for(b) == B_BAD_VALUE);
	CHECK(rtm_delete_pool(p) == B_OK);
	CHECK(rtm_size_for(b) == B_BAD_VALUE && rtm_free(b) == B_BAD_VALUE);
	CHECK(rtm_get_pool(NULL, b) == NULL);
}

static void resize(void)
{
	rtm_pool *p = NULL;
	void *data = NULL, *was, *wall;
	ssize_t phys;

	CHECK(rtm_realloc(NULL, 10) == B_BAD_VALUE);
	CHECK(rtm_realloc(&data, 10) == B_OK && data);
	CHECK(rtm_get_pool(NULL, data) == rtm_default_pool() && rtm_size_for(data) == 10);
	CHECK(rtm_realloc(&data, 0) == B_OK && data == NULL);
	errno = 77;
	CHECK(rtm_realloc(&data, SIZE_MAX) == B_NO_MEMORY && data == NULL && errno == 77);
	CHECK(rtm_realloc(&data, 0) == B_OK && data && rtm_size_for(data) == 0);
	CHECK(rtm_free(data) == B_OK);

	CHECK(rtm_create_pool(&p, MIB, "resize") == B_OK);
	data = was = rtm_alloc(p, 1000);
	memset(data, 0x42, 1000);
	/* the pool is empty behind it: it may grow to nearly all in place */
	phys = rtm_phys_size_for(data);
	CHECK(phys >= (ssize_t)(MIB - 64 * KIB));
	CHECK(rtm_realloc(&data, (size_t)phys) == B_OK && data == was);
	CHECK(rtm_size_for(data) == phys && rtm_phys_size_for(data) == phys);
	CHECK(rtm_realloc(&data, 1000) == B_OK && data == was &&
		rtm_size_for(data) == 1000);
	for (int i = 0; i < 1000; i++)
		CHECK(((unsigned char *)data)[i] == 0x42);
	wall = rtm_alloc(p, 16);
	phys = rtm_phys_size_for(data);
	for (ssize_t n = 1; n <= phys; n++)
		CHECK(rtm_realloc(&data, (size_t)n) == B_OK && data == was &&
			rtm_size_for(data) == n);
	memset(data, 0x43, (size_t)phys);
	CHECK(rtm_realloc(&data, 200 * KIB) == B_OK && data != was);
	CHECK(rtm_get_pool(NULL, data) == p && rtm_size_for(data) == 200 * KIB);
	for (ssize_t i = 0; i < phys; i++)
		CHECK(((unsigned char *)data)[i] == 0x43);
	/* too large: nothing is touched */
	was = data;
	errno = 77;
	CHECK(rtm_realloc(&data, 2 * MIB) == B_NO_MEMORY && data == was && errno == 77);
	CHECK(rtm_realloc(&data, SIZE_MAX) == B_NO_MEMORY && data == was);
	CHECK(rtm_size_for(data) == 200 * KIB && ((unsigned char *)data)[5] == 0x43);
	CHECK(rtm_realloc(&data, 0) == B_OK && data == NULL);
	CHECK(rtm_free(wall) == B_OK);
	CHECK(rtm_delete_pool(p) == B_OK);
}

/* Blocks of pools in the hands of libc's names. */
static void libc_names(void)
{
	rtm_pool *p = NULL;
	char *b;
	size_t before;

	CHECK(rtm_create_pool(&p, MIB, "libc") == B_OK);
	before = rtm_available(p);
	b = rtm_alloc(p, 100);
	strcpy(b, "text");
	b = realloc(b, 5000);
	CHECK(b && !strcmp(b, "text"));
	free(b);
	b = rtm_alloc(p, 100);
	free(b);
	CHECK(rtm_available(p) == before);
	CHECK(rtm_delete_pool(p) == B_OK);
}

int main(void)
{
	CHECK(rtm_loaded());
	CHECK(rtm_version()[0]);
	default_pool();
	pools();
	whole_total();
	flags();
	blocks();
	foreign();
	resize();
	libc_names();
	return api_failed;
}
