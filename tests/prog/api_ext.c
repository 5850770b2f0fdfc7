/* SPDX-License-Identifier: MIT */
/* Every call of rtmem.h and every failure it documents. Linked with the library. */
/* libs: -Lbuild -lrtpreload */
#include <errno.h>
#include <pthread.h>
#include <rtmem.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/machine.h"
#include "api_check.h"

#define KIB 1024UL
#define MIB (1024 * KIB)

static int foreign_static;
#define NO_POOL ((rtm_pool *)&foreign_static)

static void attributes(void)
{
	struct rtm_pool_attr a = RTM_POOL_ATTR_INIT;
	struct {
		struct rtm_pool_attr a;
		char later[64];
	} newer = {.a = RTM_POOL_ATTR_INIT};
	rtm_pool *p = NULL;
	struct rtm_stats st;

	CHECK(rtm_pool_create(&p, NULL) == B_BAD_VALUE);
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE); /* size 0 */
	a.size = MIB;
	CHECK(rtm_pool_create(NULL, &a) == B_BAD_VALUE);
	a.attr_size = 0;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.attr_size = sizeof(a);
	a.lock = (enum rtm_lock)4;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.lock = RTM_LOCK_REQUIRE;
	a.when_full = (enum rtm_full)2;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.when_full = RTM_FULL_FAIL;
	a.fork = (enum rtm_fork)2;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.fork = RTM_FORK_COW;
	a.address = (void *)0x10001;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.address = NULL;
	a.share = (enum rtm_share)3;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.share = RTM_SHARE_NO;
	a.phys_align = 4096; /* of what is not contiguous */
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.contiguous = 1;
	a.phys_align = 4097;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.phys_align = 0;
	a.share = RTM_SHARE_READ;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.share = RTM_SHARE_NO;
	a.lock = RTM_LOCK_NO;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.lock = RTM_LOCK_REQUIRE;
	a.phys_low = 2;
	a.phys_high = 1;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.phys_low = a.phys_high = 0;
	a.max = 2 * MIB;
	CHECK(rtm_pool_create(&p, &a) == B_BAD_VALUE);
	a.contiguous = 0;
	a.max = 5UL << 30;
	CHECK(rtm_pool_create(&p, &a) == B_NO_MEMORY);
	a.max = 0;
	CHECK(p == NULL);
	a.name = "attributes";
	CHECK(rtm_pool_create(&p, &a) == B_OK);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK);
	CHECK(st.size == MIB && st.max == MIB && st.locked == st.committed &&
		st.pinned == 0);
	CHECK(rtm_pool_named("attributes") == p);
	CHECK(rtm_delete_pool(p) == B_OK);

	/* a caller compiled against a later header */
	newer.a.attr_size = sizeof(newer);
	newer.a.size = MIB;
	CHECK(rtm_pool_create(&p, &newer.a) == B_OK && rtm_delete_pool(p) == B_OK);
	newer.later[63] = 1;
	CHECK(rtm_pool_create(&p, &newer.a) == B_BAD_VALUE);
}

static void address(void)
{
	struct rtm_pool_attr a = RTM_POOL_ATTR_INIT;
	rtm_pool *p = NULL, *second = NULL;
	char *at = mmap(NULL, 8 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *b;

	munmap(at, 8 * MIB);
	a.size = MIB;
	a.address = at;
	CHECK(rtm_pool_create(&p, &a) == B_OK);
	b = rtm_alloc(p, 1);
	CHECK(b >= at && b <= at + 64 * KIB);
	CHECK(rtm_pool_create(&second, &a) == B_NO_MEMORY && second == NULL);
	CHECK(rtm_delete_pool(p) == B_OK);
}

static void allocations(void)
{
	rtm_pool *p = NULL;
	unsigned char *b;

	CHECK(rtm_create_pool(&p, 4 * MIB, "ext") == B_OK);
	for (size_t align = 1; align <= MIB; align *= 2)
		for (size_t size = 0; size < 100000; size = size * 3 + 1) {
			b = rtm_memalign(p, align, size);
			CHECK(b && (uintptr_t)b % align == 0 && (uintptr_t)b % 16 == 0);
			CHECK(rtm_size_for(b) == (ssize_t)size);
			memset(b, 1, size);
			CHECK(rtm_free(b) == B_OK);
		}
	errno = 0;
	CHECK(!rtm_memalign(p, 0, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_memalign(p, 48, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_memalign(p, 1UL << 63, 1) && errno == ENOMEM);
	errno = 0;
	CHECK(!rtm_memalign(NO_POOL, 64, 1) && errno == EINVAL);

	b = rtm_alloc(p, 3 * MIB);
	memset(b, 0xff, 3 * MIB);
	rtm_free(b);
	b = rtm_calloc(p, 3, MIB);
	CHECK(b && rtm_size_for(b) == 3 * MIB);
	for (size_t i = 0; b && i < 3 * MIB; i++)
		if (b[i]) {
			CHECK(!"calloc gives zeroes");
			break;
		}
	CHECK(rtm_free(b) == B_OK);
	errno = 0;
	CHECK(!rtm_calloc(p, SIZE_MAX / 2, 3) && errno == ENOMEM);
	b = rtm_calloc(p, 0, 8);
	CHECK(b && rtm_size_for(b) == 0 && rtm_free(b) == B_OK);

	b = rtm_alloc_nowait(p, 1234);
	CHECK(b && rtm_size_for(b) == 1234 && (uintptr_t)b % 16 == 0 &&
		rtm_free(b) == B_OK);
	b = rtm_alloc_nowait(p, 0);
	CHECK(b && rtm_size_for(b) == 0 && rtm_free(b) == B_OK);
	errno = 0;
	CHECK(!rtm_alloc_nowait(p, 8 * MIB) && errno == ENOMEM);
	errno = 0;
	CHECK(!rtm_alloc_nowait(NO_POOL, 8) && errno == EINVAL);
	CHECK(rtm_delete_pool(p) == B_OK);
}

static void figures(void)
{
	rtm_pool *p = NULL;
	struct rtm_stats st;
	struct {
		struct rtm_stats st;
		char later[64];
	} newer;
	void *b;

	CHECK(rtm_create_pool(&p, MIB, "figures") == B_OK);
	CHECK(rtm_get_stats(NO_POOL, &st, sizeof(st)) == B_BAD_VALUE);
	CHECK(rtm_get_stats(p, NULL, sizeof(st)) == B_BAD_VALUE);
	CHECK(rtm_get_stats(p, &st, 0) == B_BAD_VALUE);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK);
	CHECK(st.used == 0 && st.full_events == 0 && st.largest_free >= MIB);
	b = rtm_alloc(p, st.largest_free);
	CHECK(b != NULL);
	CHECK(rtm_alloc(p, MIB) == NULL);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK);
	CHECK(st.used >= MIB && st.peak == st.used && st.full_events == 1);
	CHECK(st.available == rtm_available(p) && st.available < 64 * KIB);
	rtm_free(b);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK && st.used == 0 &&
		st.peak >= MIB);

	/* older and newer callers */
	memset(&newer, 0xff, sizeof(newer));
	CHECK(rtm_get_stats(p, &newer.st, sizeof(size_t)) == B_OK);
	CHECK(newer.st.size == MIB && newer.st.max == SIZE_MAX);
	CHECK(rtm_get_stats(p, &newer.st, sizeof(newer)) == B_OK);
	CHECK(newer.st.max == MIB && newer.later[0] == 0 && newer.later[63] == 0);
	CHECK(rtm_delete_pool(p) == B_OK);
}

static void in_ram(void)
{
	struct rtm_pool_attr a = RTM_POOL_ATTR_INIT;
	rtm_pool *p = NULL;
	uint64_t phys = 0, other = 0;
	char *b;

	a.size = MIB;
	a.contiguous = 1;
	a.phys_low = 1 << 20;
	a.phys_align = 1 << 16;
	if (rtm_pool_create(&p, &a) != B_OK) {
		CHECK(!machine_pins() || !machine_has_thp());
		return;
	}
	b = rtm_alloc(p, MIB);
	CHECK(b && rtm_physical_address(b, &phys) == B_OK && phys > 1 << 20);
	CHECK((phys - (uint64_t)rtm_offset_of(b)) % (1 << 16) == 0);
	for (size_t i = 0; i < MIB; i += 4096)
		CHECK(rtm_physical_address(b + i, &other) == B_OK && other == phys + i);
	CHECK(rtm_physical_address(b, NULL) == B_BAD_VALUE);
	CHECK(rtm_physical_address((void *)16, &phys) == B_BAD_VALUE);
	CHECK(rtm_pool_descriptor(p) == B_BAD_VALUE);
	CHECK(rtm_pool_descriptor(NO_POOL) == B_BAD_VALUE);
	CHECK(rtm_pool_descriptor(NULL) == B_BAD_VALUE);
	CHECK(rtm_delete_pool(p) == B_OK);
	a.phys_low = 1ULL << 51;
	p = NULL;
	CHECK(rtm_pool_create(&p, &a) == B_NO_MEMORY && !p);
}

/* Grown ahead of need: sixteen times what it began with can be had in the end. */
static void grows(void)
{
	struct rtm_pool_attr a = RTM_POOL_ATTR_INIT;
	struct rtm_stats st;
	rtm_pool *p = NULL;
	int n = 0;

	a.size = MIB;
	a.max = 16 * MIB;
	CHECK(rtm_pool_create(&p, &a) == B_OK);
	for (int tries = 0; tries < 10000 && n < 15 * 16; tries++) {
		if (rtm_alloc(p, 64 * KIB))
			n++;
		else
			usleep(1000);
	}
	CHECK(n == 15 * 16);
	CHECK(rtm_get_stats(p, &st, sizeof(st)) == B_OK);
	CHECK(st.growths > 0 && st.committed > 15 * MIB && st.committed == st.locked);
	CHECK(rtm_delete_pool(p) == B_OK);
	/* made and deleted while the library's thread looks at pools */
	for (int i = 0; i < 200; i++)
		CHECK(rtm_pool_create(&p, &a) == B_OK && rtm_delete_pool(p) == B_OK);
}

static void seen(rtm_pool *pool, void *arg)
{
	rtm_pool **want = arg;

	for (int i = 0; i < 2; i++)
		if (want[i] == pool)
			want[i] = NULL;
}

static void each(void)
{
	rtm_pool *p[2] = {NULL, NULL}, *left[2];

	CHECK(rtm_create_pool(&p[0], MIB, "twin") == B_OK);
	CHECK(rtm_create_pool(&p[1], MIB, "twin") == B_OK);
	CHECK(p[0] != p[1] && rtm_pool_named("twin") == p[0]);
	memcpy(left, p, sizeof(p));
	rtm_each_pool(seen, left);
	CHECK(!left[0] && !left[1]);
	rtm_each_pool(NULL, NULL);
	CHECK(rtm_delete_pool(p[0]) == B_OK);
	CHECK(rtm_pool_named("twin") == p[1]);
	CHECK(rtm_delete_pool(p[1]) == B_OK);
}

/* In the pool or not: what malloc gives inside and outside of rtm_enter(). */
static rtm_pool *where(void)
{
	char *b = strdup("where"); /* code of libc, never recompiled */
	rtm_pool *p = rtm_get_pool(NULL, b);

	free(b);
	return p;
}

static void *other_thread(void *arg)
{
	CHECK(where() == NULL);
	free(arg);
	return NULL;
}

static void sections(void)
{
	rtm_pool *a = NULL, *b = NULL;
	pthread_t t;
	void *block, *kept;
	size_t before;
	int n;

	CHECK(rtm_create_pool(&a, MIB, "a") == B_OK &&
		rtm_create_pool(&b, MIB, "b") == B_OK);
	before = rtm_available(a);
	CHECK(rtm_leave() == B_BAD_VALUE);
	CHECK(rtm_enter(NO_POOL) == B_BAD_VALUE);
	CHECK(where() == NULL);
	CHECK(rtm_enter(a) == B_OK);
	CHECK(where() == a);
	CHECK(rtm_enter(b) == B_OK);
	CHECK(where() == b);
	CHECK(rtm_leave() == B_OK);
	CHECK(where() == a);
	block = malloc(300);
	CHECK(rtm_size_for(block) == 300);
	kept = block;
	block = calloc(10, 100);
	CHECK(rtm_get_pool(NULL, block) == a && ((char *)block)[999] == 0);
	block = realloc(block, 5000);
	CHECK(rtm_get_pool(NULL, block) == a);
	CHECK(rtm_free(block) == B_OK);
	CHECK(posix_memalign(&block, 4096, 100) == 0 && rtm_get_pool(NULL, block) == a);
	CHECK((uintptr_t)block % 4096 == 0);
	free(block);
	/* full: the program goes on */
	block = malloc(2 * MIB);
	CHECK(block && rtm_get_pool(NULL, block) == NULL);
	free(block);
	CHECK(rtm_leave() == B_OK);
	CHECK(where() == NULL);
	/* another thread frees what this one took; it is in no pool itself */
	CHECK(pthread_create(&t, NULL, other_thread, kept) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(rtm_available(a) == before);
	CHECK(rtm_leave() == B_BAD_VALUE);
	CHECK(rtm_enter(NULL) == B_OK && where() == rtm_default_pool() &&
		rtm_leave() == B_OK);
	for (n = 0; n < 100 && rtm_enter(a) == B_OK; n++)
		;
	CHECK(n == 8 && rtm_enter(a) == B_NO_MEMORY);
	while (n--)
		CHECK(rtm_leave() == B_OK);
	CHECK(where() == NULL && rtm_leave() == B_BAD_VALUE);
	CHECK(rtm_delete_pool(a) == B_OK && rtm_delete_pool(b) == B_OK);
}

/* when_full = fail inside a section: NULL and ENOMEM, as the attribute says. */
static void full_fails(void)
{
	struct rtm_pool_attr a = RTM_POOL_ATTR_INIT;
	rtm_pool *p = NULL;
	void *b;

	a.size = MIB;
	a.when_full = RTM_FULL_FAIL;
	CHECK(rtm_pool_create(&p, &a) == B_OK && rtm_enter(p) == B_OK);
	errno = 0;
	b = malloc(2 * MIB);
	CHECK(!b && errno == ENOMEM);
	CHECK(rtm_leave() == B_OK && rtm_delete_pool(p) == B_OK);
}

/* The same memory without a pool. */
static void contiguous_alone(void)
{
	size_t size = 100000;
	char *b = rtm_contiguous_alloc(size, 1 << 20, 0, 65536), *c;
	uint64_t phys = 0, other = 0;

	CHECK(b || !machine_pins() || !machine_has_thp());
	if (b) {
		CHECK(rtm_physical_address(b, &phys) == B_OK);
		CHECK(phys > 1 << 20 && phys % 65536 == 0);
	}
	for (size_t i = 0; b && i < size; i += 4096) {
		CHECK(rtm_physical_address(b + i, &other) == B_OK && other == phys + i);
		CHECK(b[i] == 0);
		b[i] = 1;
	}
	CHECK(rtm_contiguous_free(b + 4096) == B_BAD_VALUE);
	CHECK(rtm_contiguous_free(b) == (b ? B_OK : B_BAD_VALUE));
	CHECK(rtm_contiguous_free(b) == B_BAD_VALUE);
	CHECK(rtm_contiguous_free(NULL) == B_BAD_VALUE);
	errno = 0;
	CHECK(!rtm_contiguous_alloc(0, 0, 0, 0) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_contiguous_alloc(1, 0, 0, 100) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_contiguous_alloc(1, 2, 1, 0) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_contiguous_alloc(SIZE_MAX, 0, 0, 0) && errno == ENOMEM);
	errno = 0;
	CHECK(!rtm_contiguous_alloc(4096, 1ull << 51, 1ull << 52, 0) && errno == ENOMEM);
	errno = 7;
	c = rtm_contiguous_alloc(1, 0, 0, 0);
	CHECK(c ? errno == 7 : errno == ENOMEM && !machine_pins());
	CHECK(rtm_contiguous_free(c) == (c ? B_OK : B_BAD_VALUE));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "unprivileged")) {
		errno = 0;
		CHECK(!rtm_contiguous_alloc(3 << 20, 0, 0, 0) && errno == EPERM);
		return api_failed;
	}
	attributes();
	address();
	in_ram();
	contiguous_alone();
	grows();
	allocations();
	figures();
	each();
	sections();
	full_fails();
	return api_failed;
}
