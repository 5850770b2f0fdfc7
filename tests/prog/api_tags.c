/* SPDX-License-Identifier: MIT */
/* Tags of rtmem.h: blocks are booked on one, and off it on whatever way they go back.
 * "matched": the same from a thread of a rule, in the rule's own pool. "nowait": where
 * any system call kills. */
/* libs: -Lbuild -lrtpreload */
#include <errno.h>
#include <libkern/OSMalloc.h>
#include <malloc.h>
#include <pthread.h>
#include <rtmem.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_check.h"
#include "api_strict.h"

#define MIB (1UL << 20)

static rtm_tag *tag;
static rtm_pool *pool;

static struct rtm_tag_stats figures(const rtm_tag *t)
{
	struct rtm_tag_stats s = {0};

	CHECK(rtm_get_tag_stats(t, &s, sizeof(s)) == B_OK);
	return s;
}

/* Is exactly this booked? */
static int booked(uint64_t blocks, uint64_t bytes)
{
	struct rtm_tag_stats s = figures(tag);

	return s.blocks == blocks && s.bytes == bytes;
}

/* Is it a block whose maker named no tag? */
static int untagged(const void *p)
{
	const char *name = rtm_tag_name(rtm_tag_of(p));

	return name && strcmp(name, "(untagged)") == 0;
}

static void making(void)
{
	rtm_tag *a = rtm_tag_create("twin"), *b = rtm_tag_create("twin"), *c;
	char name[100];

	CHECK(a && b && a != b && !strcmp(rtm_tag_name(a), "twin"));
	CHECK(rtm_tag_delete(a) == B_OK && rtm_tag_delete(a) == B_BAD_VALUE);
	CHECK(rtm_tag_name(a) == NULL && rtm_tag_delete(b) == B_OK);
	memset(name, 'n', 99);
	name[99] = '\0';
	c = rtm_tag_create(name);
	CHECK(c && strlen(rtm_tag_name(c)) == 63 && rtm_tag_delete(c) == B_OK);
	c = rtm_tag_create(NULL);
	CHECK(c && !*rtm_tag_name(c) && rtm_tag_delete(c) == B_OK);
}

static void bad_input(void)
{
	struct rtm_tag_stats s;
	rtm_tag *stale = rtm_tag_create("stale");
	char local[256];
	void *p;

	CHECK(rtm_tag_delete(stale) == B_OK);
	CHECK(rtm_tag_delete(NULL) == B_BAD_VALUE);
	CHECK(rtm_tag_delete((rtm_tag *)(void *)local) == B_BAD_VALUE);
	CHECK(rtm_tag_delete((rtm_tag *)((char *)tag + 8)) == B_BAD_VALUE);
	CHECK(!rtm_tag_name(NULL) && !rtm_tag_name((rtm_tag *)(void *)local));
	CHECK(rtm_get_tag_stats(NULL, &s, sizeof(s)) == B_BAD_VALUE);
	CHECK(rtm_get_tag_stats(tag, NULL, sizeof(s)) == B_BAD_VALUE);
	CHECK(rtm_get_tag_stats(tag, &s, 0) == B_BAD_VALUE);
	errno = 0;
	CHECK(!rtm_tag_alloc(NULL, pool, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_tag_alloc(stale, pool, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_tag_alloc(tag, (rtm_pool *)(void *)local, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_tag_alloc_nowait(stale, pool, 1) && errno == EINVAL);
	errno = 0;
	CHECK(!rtm_tag_alloc_nowait(tag, (rtm_pool *)(void *)local, 1) &&
		errno == EINVAL);
	for (size_t size = 2 * MIB; size >= 2 * MIB; size = size << 3 | 7) {
		errno = 0;
		CHECK(!rtm_tag_alloc(tag, pool, size) && errno == ENOMEM);
		errno = 0;
		CHECK(!rtm_tag_alloc_nowait(tag, pool, size) && errno == ENOMEM);
		if (size == SIZE_MAX)
			break;
	}
	CHECK(!rtm_tag_of(NULL) && !rtm_tag_of(local) && !rtm_tag_of((void *)16));
	p = rtm_alloc(pool, 100);
	memset(p, 0xff, 100);
	CHECK(untagged(p) && !rtm_tag_of((char *)p + 16) && !rtm_tag_of((char *)p + 1));
	CHECK(rtm_free(p) == B_OK && !rtm_tag_of(p) && booked(0, 0));
}

/* What is told of a block is as of any other, and all of it is the program's. */
static void blocks(void)
{
	for (size_t size = 0; size < 70000; size = size * 2 + 1) {
		char *p = rtm_tag_alloc(tag, pool, size);

		CHECK(p && (uintptr_t)p % 16 == 0 && rtm_tag_of(p) == tag);
		CHECK(booked(1, size) && rtm_size_for(p) == (ssize_t)size);
		CHECK(rtm_phys_size_for(p) >= (ssize_t)size &&
			rtm_get_pool(NULL, p) == pool);
		CHECK(rtm_tag_delete(tag) == -EBUSY);
		memset(p, 0xa5, malloc_usable_size(p));
		CHECK(rtm_tag_of(p) == tag && rtm_free(p) == B_OK && booked(0, 0));
		/* what follows in its place is not born with its tag */
		p = rtm_alloc(pool, size);
		CHECK(p && untagged(p) && rtm_free(p) == B_OK);
		p = rtm_tag_alloc_nowait(tag, pool, size);
		CHECK(rtm_tag_of(p) == tag && booked(1, size));
		free(p);
		CHECK(booked(0, 0));
	}
	CHECK(figures(tag).peak >= 65535);
}

static int filled(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 'x')
			return 0;
	return 1;
}

/* Growing into what is free, moving past what is not, shrinking; both kinds of realloc.
 */
static void resizing(int by_realloc)
{
	static const size_t sizes[] = {
		100, 101, 112, 113, 5000, 4999, 60000, 16, 0, 33, 300000, 1};
	void *p = rtm_tag_alloc(tag, pool, 50), *wall = NULL;
	size_t had = 50;

	memset(p, 'x', had);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t size = sizes[i];

		if (size == 0 && rtm_realloc(&p, 1) == B_OK)
			size = 1; /* 0 would free */
		if (i % 3 == 0) {
			rtm_free(wall);
			wall = rtm_alloc(pool, 64);
		}
		if (by_realloc)
			p = realloc(p, size);
		else
			CHECK(rtm_realloc(&p, size) == B_OK);
		CHECK(p && filled(p, size < had ? size : had));
		CHECK(rtm_tag_of(p) == tag && booked(1, size));
		CHECK(rtm_size_for(p) == (ssize_t)size);
		memset(p, 'x', malloc_usable_size(p));
		CHECK(rtm_tag_of(p) == tag);
		had = size;
	}
	rtm_free(wall);
	if (!by_realloc) {
		CHECK(rtm_realloc(&p, 3 * MIB) == B_NO_MEMORY && booked(1, had));
		CHECK(rtm_realloc(&p, 0) == B_OK && !p);
	} else {
		CHECK(realloc(p, 0) == NULL);
	}
	CHECK(booked(0, 0));
}

static void *free_it(void *arg)
{
	free(arg);
	return NULL;
}

static void other_ways_back(void)
{
	OSMallocTag os = OSMalloc_Tagalloc("os", OSMT_DEFAULT);
	rtm_pool *gone = NULL;
	pthread_t t;
	void *p = rtm_tag_alloc(tag, pool, 1000);

	pthread_create(&t, NULL, free_it, p);
	pthread_join(t, NULL);
	CHECK(booked(0, 0));
	p = rtm_tag_alloc(tag, NULL, 100); /* the default pool */
	CHECK(p && rtm_get_pool(NULL, p) == rtm_default_pool() && booked(1, 100));
	CHECK(rtm_free(p) == B_OK && booked(0, 0));
	CHECK(rtm_create_pool(&gone, MIB, "gone") == B_OK);
	for (int i = 0; i < 100; i++)
		CHECK(rtm_tag_alloc(tag, gone, 10) && rtm_alloc(gone, 10));
	CHECK(booked(100, 1000) && rtm_delete_pool(gone) == B_OK && booked(0, 0));
	/* one mechanism: the other family's tags and blocks are these */
	p = OSMalloc(500, os);
	CHECK(rtm_tag_of(p) == (rtm_tag *)(void *)os);
	free(p);
	CHECK(figures((rtm_tag *)(void *)os).blocks == 0);
	p = rtm_tag_alloc((rtm_tag *)(void *)os, pool, 77);
	OSFree(p, 77, os);
	p = OSMalloc(77, (OSMallocTag)(void *)tag);
	CHECK(booked(1, 77) && rtm_free(p) == B_OK && booked(0, 0));
	CHECK(rtm_tag_delete((rtm_tag *)(void *)os) == B_OK);
}

static void children(void)
{
	void *p = rtm_tag_alloc(tag, pool, 100), *q;
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(booked(0, 0) && rtm_tag_of(p) == tag);
		CHECK(rtm_free(p) == B_OK && booked(0, 0));
		q = rtm_tag_alloc(tag, pool, 50);
		CHECK(q && booked(1, 50) && rtm_free(q) == B_OK && booked(0, 0));
		CHECK(rtm_realloc(&p, 200) == B_OK && booked(1, 200));
		_exit(api_failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(booked(1, 100) && rtm_free(p) == B_OK && booked(0, 0));
}

static void *exchange[64];

/* Each frees what others allocated, by whatever call. */
static void *hammer(void *arg)
{
	for (unsigned i = 0; i < 40000; i++) {
		void **at = &exchange[i * 7 % 64], *p = rtm_tag_alloc(tag, pool, i % 300);

		if (i % 5 == 0 && p)
			p = realloc(p, 1 + i % 500);
		p = __atomic_exchange_n(at, p, __ATOMIC_ACQ_REL);
		if (i & 1)
			free(p);
		else if (p)
			CHECK(rtm_free(p) == B_OK);
	}
	return arg;
}

static void threads(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, hammer, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 64; i++)
		free(exchange[i]);
	CHECK(booked(0, 0));
}

/* A thread of a rule: its own pool's blocks go through its cache. */
static void *matched(void *arg)
{
	pthread_setname_np(pthread_self(), "matched");
	free(malloc(1));
	pool = rtm_pool_named("mine");
	CHECK(pool != NULL);
	blocks();
	resizing(0);
	resizing(1);
	threads();
	return arg;
}

static void nowait(void)
{
	void *held[64] = {NULL};
	unsigned long got = 0;

	CHECK(only_write_and_exit() == 0);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned at = i % 64;

		if (i & 64)
			free(held[at]);
		else if (held[at])
			rtm_free(held[at]);
		held[at] = rtm_tag_alloc_nowait(tag, pool, at * 100);
		got += rtm_tag_of(held[at]) == tag;
	}
	if (got == 100000 && !rtm_tag_alloc_nowait(tag, pool, 8 * MIB) &&
		write(1, "kept\n", 5) == 5)
		syscall(SYS_exit, 0);
	syscall(SYS_exit, 1);
}

int main(int argc, char **argv)
{
	pthread_t t;

	tag = rtm_tag_create("mine");
	CHECK(rtm_create_pool(&pool, MIB, "native") == B_OK);
	if (argc > 1 && !strcmp(argv[1], "nowait")) {
		rtm_free(rtm_alloc(pool, 1));
		nowait();
	}
	if (argc > 1) {
		pthread_create(&t, NULL, matched, NULL);
		pthread_join(t, NULL);
		return api_failed;
	}
	making();
	bad_input();
	blocks();
	resizing(0);
	resizing(1);
	other_ways_back();
	children();
	threads();
	CHECK(rtm_delete_pool(pool) == B_OK && rtm_tag_delete(tag) == B_OK);
	return api_failed;
}
