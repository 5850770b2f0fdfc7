/* SPDX-License-Identifier: MIT */
/*
 * reload_churn.c THREADS - so many threads, four at a time, that allocate, hand blocks to
 * each other, and end; some realtime, some by name "rt" or "rt2". After each forty a
 * child is forked beside them, which frees what there is and makes a thread, too.
 */
#include <sched.h>
#include <sys/wait.h>

#include "victim.h"

static void *table[64];

__attribute__((noinline)) static void *one(size_t size)
{
	void *p = malloc(size);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

static void step(unsigned r)
{
	size_t size = 1 + (r >> 8) % (r & 15 ? 300 : 60000);
	void *p = r & 16 ? one(size) : malloc(size), *old;

	CHECK(p);
	memset(p, 1, size);
	old = __atomic_exchange_n(&table[(r >> 4) % 64], p, __ATOMIC_ACQ_REL);
	if (old && r & 32)
		old = realloc(old, size);
	free(old);
}

static void *work(void *arg)
{
	struct sched_param param = {.sched_priority = 10};
	long k = (long)arg;
	unsigned r = (unsigned)k * 2654435761u;

	pthread_setname_np(pthread_self(), k & 1 ? "rt" : "rt2");
	if (k % 3 == 0)
		pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	for (int i = 0; i < 2000; i++) {
		r = r * 1103515245 + 12345;
		step(r);
	}
	return NULL;
}

static void child(void)
{
	pthread_t t;

	for (int i = 0; i < 64; i++)
		free(__atomic_exchange_n(&table[i], NULL, __ATOMIC_ACQ_REL));
	pthread_create(&t, NULL, work, (void *)7L);
	pthread_join(t, NULL);
	_exit(FAILED);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 400;
	pthread_t t[4];
	int status;
	pid_t pid;

	for (long k = 0; k < n;) {
		for (int i = 0; i < 4; i++)
			CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)++k), 0);
		if (k % 40 == 0) {
			pid = fork();
			if (pid == 0)
				child();
			CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		}
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
	}
	return FAILED;
}
