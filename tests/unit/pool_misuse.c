/* SPDX-License-Identifier: MIT */
/*
 * pool_misuse.c - damage that the library finds by itself, each in a child that must end
 * by SIGABRT
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "cache_inline.h"
#include "heap_private.h"
#include "pools.h"

static struct pool *pool;
static struct cache *cache;

/* Coverage of a child that aborts, when it is counted. */
extern void __gcov_dump(void) __attribute__((weak));

static void aborted(int sig)
{
	if (__gcov_dump)
		__gcov_dump();
	_exit(77);
}

static void dies(void (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		lock_tid_forget();
		cache->tid = lock_tid();
		signal(SIGABRT, aborted);
		close(2);
		fn();
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
}

static void returned_link(void)
{
	void *a = pool_alloc(pool, 100, 0), *b = pool_alloc(pool, 100, 0);

	pool_return(pool, a);
	pool_return(pool, b);
	memset(b, 'x', 8);
	pool_take_returned(pool, 10);
}

static void returned_header(void)
{
	char *a = pool_alloc(pool, 100, 0);

	pool_return(pool, a);
	memset(a - 8, 'x', 8);
	pool_take_returned(pool, 10);
}

static void free_links(void)
{
	char *a = pool_alloc(pool, 100, 0);

	pool_alloc(pool, 100, 0);
	pool_free(pool, a);
	memset(a, 'x', 8);
	pool_alloc(pool, 100, 0);
}

static void free_links_cache(void)
{
	char *a = cache_alloc_slow(cache, 100);

	cache_alloc_slow(cache, 100);
	pool_free(pool, a);
	memset(a, 'x', 8);
	cache_alloc_slow(cache, 100);
}

static void free_header(void)
{
	char *a = pool_alloc(pool, 100, 0);

	pool_alloc(pool, 100, 0);
	pool_free(pool, a); /* the only block of its class */
	a[-8] &= (char)~HEAP_F_FREE;
	pool_alloc(pool, 100, 0);
}

static void resized_interior(void)
{
	char *a = pool_alloc(pool, 100, 0);

	pool_resize(pool, a + 16, 200);
}

static void boxed_header(void)
{
	char *a = pool_alloc(pool, 100, 0);

	pool_return(pool, a);
	cache_stock(pool, true);
	a[-1] ^= 1;
	pool_take_box(pool, DEPOT_CLASSES);
}

static void stocked_header(void)
{
	char *a = pool_alloc(pool, 100, 0);

	pool_return(pool, a);
	memset(a - 8, 'x', 8);
	cache_stock(pool, true);
}

static void stocked_link(void)
{
	char *a = pool_alloc(pool, 100, 0), *b = pool_alloc(pool, 100, 0);

	pool_return(pool, a);
	pool_return(pool, b);
	memset(b, 'x', 8);
	cache_stock(pool, true);
}

/* Of a size that has no boxes. */
static void stocked_beside(void)
{
	char *a = pool_alloc(pool, 60000, 0), *b = pool_alloc(pool, 200, 0);

	pool_alloc(pool, 100, 0);
	pool_free(pool, b);
	memset(b, 'x', 8);
	pool_return(pool, a);
	cache_stock(pool, true);
}

static void cached_header(void)
{
	char *a = cache_alloc_slow(cache, 100);

	CHECK(cache_free_slow(cache, a) == HEAP_OK);
	a[-1] ^= 1;
	cache_flush(cache);
}

static void misuse(void)
{
	dies(returned_link);
	dies(returned_header);
	dies(free_links);
	dies(free_links_cache);
	dies(free_header);
	dies(resized_interior);
	dies(boxed_header);
	dies(stocked_header);
	dies(stocked_link);
	dies(stocked_beside);
	dies(cached_header);
}

int main(void)
{
	const struct pool_attr attr = {.name = "misuse", .size = 512UL << 10};

	pool = pools_create(&attr, NULL);
	cache = calloc(1, sizeof(*cache));
	if (!pool || !cache)
		return 1;
	cache_attach(cache, pool, lock_tid(), NULL);
	misuse();
	return failures != 0;
}
