/* SPDX-License-Identifier: MIT */
/*
 * pool_misuse.c - damage that the library finds by itself, each in a child that must end
 * by SIGABRT with one line that names the pool and the block
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache_unit.h"

/* Coverage of a child that aborts, when it is counted. */
extern void __gcov_dump(void) __attribute__((weak));

static void aborted(int sig)
{
	if (__gcov_dump)
		__gcov_dump();
	_exit(77);
}

static void child(void (*fn)(void), int to)
{
	lock_tid_forget();
	signal(SIGABRT, aborted);
	dup2(to, STDERR_FILENO);
	fn();
	_exit(0);
}

static void dies(const char *name, void (*fn)(void), const char *say)
{
	char said[512] = "";
	int status = 0, pipes[2];
	pid_t pid;

	if (pipe(pipes))
		exit(2);
	pid = fork();
	if (pid == 0)
		child(fn, pipes[1]);
	close(pipes[1]);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(read(pipes[0], said, sizeof(said) - 1) >= 0);
	close(pipes[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77 && strstr(said, say) &&
		strstr(said, "in pool \"test\""))
		return;
	printf("%s: status %x, said: %s\n", name, status, said);
	failures++;
}

/* ---- the shared heap ---- */

static char *a, *b;

static void two(void)
{
	a = pool_alloc(pool, 100, 0);
	b = pool_alloc(pool, 100, 0);
	pool_alloc(pool, 100, 0);
}

static void returned_link(void)
{
	two();
	pool_return(pool, a);
	pool_return(pool, b);
	memset(b, 'x', 4);
	pool_take_returned(pool, 10);
}

static void returned_header(void)
{
	two();
	pool_return(pool, a);
	memset(a - 8, 'x', 8);
	pool_take_returned(pool, 10);
}

static void returned_size(void)
{
	two();
	pool_return(pool, a);
	a[-8] ^= 0x40;
	pool_tend(pool);
}

static void free_links(void)
{
	two();
	pool_free(pool, a);
	memset(a, 'x', 4);
	pool_alloc(pool, 100, 0);
}

static void free_beside(void)
{
	two();
	pool_free(pool, a);
	memset(a, 'x', 8);
	pool_free(pool, b);
}

static void free_header(void)
{
	two();
	pool_free(pool, a); /* the only block of its class */
	a[-8] &= (char)~BLOCK_FREE;
	pool_alloc(pool, 100, 0);
}

static void free_size(void)
{
	two();
	pool_free(pool, a);
	a[-8] ^= 0x40;
	pool_alloc(pool, 100, 0);
}

static void free_end(void)
{
	two();
	pool_free(pool, a);
	memset(b - 16, 'x', 8);
	pool_free(pool, b);
}

static void resized_beside(void)
{
	two();
	pool_free(pool, b);
	memset(b, 'x', 8);
	pool_resize(pool, pool->heap, a, 150);
}

static void resized_interior(void)
{
	two();
	pool_resize(pool, NULL, a + 16, 200);
}

/* ---- a thread's own ---- */

static void own_links(void)
{
	a = take(3000);
	b = take(3000);
	take(100);
	heap_free(cache_heap(cache), a);
	memset(a, 'x', 8);
	take(2900);
}

static void own_returned(void)
{
	a = take(3000);
	pool_return(pool, a);
	a[-7] ^= 1;
	take(3000);
}

/* A neighbour's overflow into one that rests in the cache. */
static void cached_header(void)
{
	a = take(100);
	CHECK(give(a) == HEAP_OK);
	a[-1] ^= 1;
	cache_flush(cache);
}

static void cached_size(void)
{
	a = take(100);
	CHECK(give(a) == HEAP_OK);
	a[-8] = 0;
	take(SIZE_MAX / 4);
	take(1UL << 20); /* nothing is left: what is cached is given up */
}

static void named_by_hand(void)
{
	two();
	pool_free(pool, a);
	pool_misuse(pool, a, pool_free(pool, a));
}

static void no_start(void)
{
	two();
	pool_misuse(pool, a + 4, pool_return(pool, a + 4));
}

#define DIES(fn, say) dies(#fn, fn, say)

int main(void)
{
	static const char data[] = "overwritten heap data beside a block: 0x";

	unit_begin(512UL << 10);
	DIES(returned_link, data);
	DIES(returned_header, data);
	DIES(returned_size, data);
	DIES(free_links, data);
	DIES(free_beside, data);
	DIES(free_header, data);
	DIES(free_size, data);
	DIES(free_end, data);
	DIES(resized_beside, data);
	DIES(resized_interior, "invalid free (not the start of a block): 0x");
	DIES(own_links, data);
	DIES(own_returned, data);
	DIES(named_by_hand, "double free: 0x");
	DIES(no_start, "invalid free (not the start of a block): 0x");
	DIES(cached_header, data);
	DIES(cached_size, data);
	everything_back();
	return unit_end();
}
