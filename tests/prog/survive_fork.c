/* SPDX-License-Identifier: MIT */
/* cflags: -Wno-infinite-recursion */
/* survive_fork.c - forks while four threads allocate: the child finds its blocks as they
 * were, allocates, frees and resizes them, makes threads, and forks again */
#include <sys/wait.h>

#include "victim.h"

#define BLOCKS 64

static int stop;
static char *block[BLOCKS];

static void *noise(void *arg)
{
	void *p[32] = {0};

	for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		free(p[i % 32]);
		p[i % 32] = malloc(i * 37 % 5000);
	}
	for (int i = 0; i < 32; i++)
		free(p[i]);
	return arg;
}

static void *child_thread(void *arg)
{
	for (size_t i = 1; i < 500; i++) {
		char *p = calloc(1, i * 31);

		fill(p, i * 31, 1);
		p = realloc(p, i * 40);
		CHECK(filled(p, i * 31, 1));
		free(p);
	}
	return arg;
}

static void wait_for(pid_t pid, const char *what)
{
	int status = -1;

	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (status) {
		dprintf(2, "%s: status 0x%x\n", what, status);
		CHECK(!"child ended well");
	}
}

static void child(int depth)
{
	pthread_t t[3];
	pid_t pid;

	alarm(30); /* a lock held by a thread that is not here */
	for (int i = 0; i < BLOCKS; i++) {
		size_t n = (size_t)i * 100 + 1;

		CHECK(filled(block[i], n, (unsigned char)i));
		block[i] = realloc(block[i], n * 2);
		CHECK(filled(block[i], n, (unsigned char)i));
		if (i % 2) {
			free(block[i]);
			block[i] = malloc(n);
			fill(block[i], n, (unsigned char)i);
		}
	}
	child_thread(NULL);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, child_thread, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	if (depth > 0) {
		pid = fork();
		if (pid == 0)
			child(depth - 1);
		wait_for(pid, "grandchild");
	}
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	if (depth % 2)
		_exit(FAILED);
	exit(FAILED);
}

static void forks(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child(i % 4);
		wait_for(pid, "child");
	}
	for (int i = 0; i < BLOCKS; i++)
		CHECK(filled(block[i], (size_t)i * 100 + 1, (unsigned char)i));
}

static void *fork_thread(void *arg)
{
	expect_here();
	forks(10);
	return arg;
}

int main(void)
{
	pthread_t t[4], forker;

	expect_here();
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = malloc((size_t)i * 100 + 1);
		fill(block[i], (size_t)i * 100 + 1, (unsigned char)i);
	}
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, noise, NULL);
	forks(10);
	pthread_create(&forker, NULL, fork_thread, NULL);
	pthread_join(forker, NULL);
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return FAILED;
}
