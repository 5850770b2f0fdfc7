/* SPDX-License-Identifier: MIT */
/*
 * survive_atfork.c - handlers of fork() that were registered before any constructor ran,
 * and allocate: in prepare, in the parent, in the child, where they also find what was
 * allocated before as it was
 */
#include <sys/wait.h>

#include "victim.h"

#define KEPT 200

static struct kept {
	void (*reset)(struct kept *);
	struct kept *next;
	unsigned char rest[200];
} * head;
static int resets, handled[3];

static void reset(struct kept *k)
{
	resets += filled(k->rest, sizeof(k->rest), 5);
}

static void keep_some(void)
{
	for (int i = 0; i < KEPT; i++) {
		struct kept *k = malloc(sizeof(*k));

		*k = (struct kept){.reset = reset, .next = head};
		fill(k->rest, sizeof(k->rest), 5);
		head = k;
	}
}

static void churn(void)
{
	char *p[64];

	for (size_t i = 0; i < 64; i++) {
		p[i] = malloc(i * i * 10 + 1);
		fill(p[i], i * i * 10 + 1, (unsigned char)i);
	}
	for (size_t i = 0; i < 64; i++) {
		p[i] = realloc(p[i], i * i * 20 + 1);
		CHECK(filled(p[i], i * i * 10 + 1, (unsigned char)i));
		free(p[i]);
	}
}

static void before(void)
{
	handled[0]++;
	churn();
}

static void in_parent(void)
{
	handled[1]++;
	churn();
}

static void in_child(void)
{
	alarm(20); /* a lock that is held by who is not here */
	handled[2]++;
	for (struct kept *k = head; k; k = k->next) {
		if (!k->reset) {
			dprintf(2, "child handler: a block holds zeros\n");
			_exit(9);
		}
		k->reset(k);
	}
	churn();
}

static void first_of_all(void)
{
	pthread_atfork(before, in_parent, in_child);
}

__attribute__((section(".preinit_array"), used)) static void (*const early)(
	void) = first_of_all;

static void forks(void)
{
	for (int i = 0; i < 5; i++) {
		int status = -1, expected = resets + KEPT * (head ? 1 : 0);
		pid_t pid = fork();

		if (pid == 0)
			_exit(resets == expected && handled[2] == 1 ? FAILED : 8);
		waitpid(pid, &status, 0);
		CHECK_EQ(status, 0);
	}
}

static bool stop;

static void *allocate_often(void *arg)
{
	pthread_setname_np(pthread_self(), "rt-churn");
	expect_here();
	keep_some();
	__atomic_store_n((bool *)arg, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		churn();
	return NULL;
}

int main(void)
{
	static bool ready;
	pthread_t t;

	forks(); /* alone */
	pthread_create(&t, NULL, allocate_often, &ready);
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		usleep(1000);
	forks();
	CHECK_EQ(handled[0], 10);
	CHECK_EQ(handled[1], 10);
	stop = true;
	pthread_join(t, NULL);
	return FAILED;
}
