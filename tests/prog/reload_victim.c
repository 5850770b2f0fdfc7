/* SPDX-License-Identifier: MIT */
/*
 * reload_victim.c [fork | late FILE | strict | own] - a thread "rt" that says on standard
 * output which pool its blocks come from, each time that has changed: of a small block,
 * of a big one, and of blocks that one() and around() ask for. All kinds of blocks are
 * kept, checked and freed later, whatever the policy has become meanwhile. Ends when
 * standard input does.
 *
 * fork: as soon as a pool is named "second", a child is made, whose thread "rt" says the
 * same, with "child" before it, and ends.
 * late: there is one thread until FILE is there.
 * own: it also makes a pool that may grow, with a call of its own.
 * strict: one() and around() are called as fast as can be, and what one() gets must be in
 * a pool whose name begins with "one", what around() gets in one that begins with "two".
 */
#include <poll.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"
#include "rtmem.h"

#define KEPT 40

static struct {
	unsigned char *p;
	size_t size;
} kept[KEPT];
static unsigned turn;
static int second; /* atomic: a pool of that name was seen */

__attribute__((noinline)) static void *one(size_t size)
{
	void *p = malloc(size);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

__attribute__((noinline)) static void *two(size_t size)
{
	void *p = malloc(size);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

/* Two frames above malloc. */
__attribute__((noinline)) static void *around(size_t size)
{
	void *p = two(size);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

/* The name of the pool p is in; p is kept for a while. */
static const char *pool_of(void *p, size_t size)
{
	rtm_pool *pool = rtm_get_pool ? rtm_get_pool(NULL, p) : NULL;
	unsigned i = turn++ % KEPT;

	if (kept[i].p)
		CHECK(filled(kept[i].p, kept[i].size, (unsigned char)i));
	free(kept[i].p);
	kept[i].p = p;
	kept[i].size = size;
	CHECK(p);
	fill(p, size, (unsigned char)i);
	return pool ? rtm_pool_name(pool) : "jemalloc";
}

static void look(const char *who)
{
	static char said[200];
	char line[200];
	const char *small = pool_of(malloc(48), 48);
	const char *big = pool_of(malloc(50000), 50000);
	const char *from_one = pool_of(one(100), 100);
	const char *from_two = pool_of(around(100), 100);

	snprintf(line, sizeof(line), "%ssmall=%s big=%s one=%s two=%s", who, small, big,
		from_one, from_two);
	if (strcmp(line, said) != 0) {
		puts(line);
		fflush(stdout);
		strcpy(said, line);
	}
	if (strcmp(small, "second") == 0)
		__atomic_store_n(&second, 1, __ATOMIC_RELEASE);
}

static bool named(void *p, const char *begins)
{
	return strncmp(pool_of(p, 100), begins, 3) == 0;
}

static void *strict(void *arg)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};

	(void)arg;
	pthread_setname_np(pthread_self(), "rt");
	while (!named(one(100), "one") || !named(around(100), "two"))
		usleep(1000);
	puts("strict");
	fflush(stdout);
	while (!FAILED && poll(&in, 1, 0) == 0) {
		for (int i = 0; i < 1000; i++) {
			CHECK(named(one(100), "one"));
			CHECK(named(around(100), "two"));
		}
	}
	return NULL;
}

static void *rt(void *arg)
{
	bool child = arg == &second;
	struct pollfd in = {.fd = 0, .events = POLLIN};

	pthread_setname_np(pthread_self(), "rt");
	for (int i = 0; child ? i < 20 : poll(&in, 1, 0) == 0; i++) {
		look(child ? "child " : "");
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	return NULL;
}

static void make_child(void)
{
	pthread_t t;
	pid_t pid;

	while (!__atomic_load_n(&second, __ATOMIC_ACQUIRE))
		usleep(1000);
	pid = fork();
	if (pid == 0) {
		memset(kept, 0, sizeof(kept));
		pthread_create(&t, NULL, rt, &second);
		pthread_join(t, NULL);
		exit(FAILED);
	}
	CHECK(pid > 0 && waitpid(pid, &victim_failed, 0) == pid);
}

static void own_pool(void)
{
	struct rtm_pool_attr attr = RTM_POOL_ATTR_INIT;
	rtm_pool *pool;

	attr.name = "own";
	attr.size = 1 << 20;
	attr.max = 4 << 20;
	CHECK_EQ(rtm_pool_create(&pool, &attr), B_OK);
}

int main(int argc, char **argv)
{
	pthread_t t;

	while (argc > 2 && access(argv[2], F_OK) != 0)
		usleep(1000);
	pthread_create(
		&t, NULL, argc > 1 && strcmp(argv[1], "strict") == 0 ? strict : rt, NULL);
	if (argc > 1 && strcmp(argv[1], "own") == 0)
		own_pool();
	if (argc > 1 && strcmp(argv[1], "fork") == 0)
		make_child();
	pthread_join(t, NULL);
	return FAILED;
}
