/* SPDX-License-Identifier: MIT */
/*
 * fork_beside.c - a thread "rt-writer" writes to 2 MiB of its own memory each millisecond
 * and keeps a stream open, while main forks 20 times and each child reads both
 *
 * Prints "F faults per fork, C children fine".
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE  (2UL << 20)
#define FORKS 20

static unsigned char *block;
static FILE *stream;
static int ready, stop, rounds;
static long faults;

static void *write_often(void *unused)
{
	struct rusage before, after;

	prctl(PR_SET_NAME, "rt-writer");
	free(malloc(1));
	block = malloc(SIZE);
	memset(block, 7, SIZE);
	stream = fopen("/dev/null", "w");
	getrusage(RUSAGE_THREAD, &before);
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		for (size_t at = 0; at < SIZE; at += 4096)
			block[at]++;
		__atomic_add_fetch(&rounds, 1, __ATOMIC_RELEASE);
		usleep(1000);
	}
	getrusage(RUSAGE_THREAD, &after);
	faults = after.ru_minflt - before.ru_minflt;
	fclose(stream);
	return unused;
}

static int child(void)
{
	for (size_t at = 1; at < SIZE; at += 4096)
		if (block[at] != 7)
			return 1;
	if (fputs("from the child", stream) < 0 || fclose(stream) != 0)
		return 2;
	memset(block, 1, SIZE);
	free(block);
	return 0;
}

/* One that has begun by now is not enough: the next is whole. */
static void await_rounds(void)
{
	int now = __atomic_load_n(&rounds, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&rounds, __ATOMIC_ACQUIRE) < now + 2)
		usleep(1000);
}

int main(void)
{
	int status, fine = 0;
	pthread_t t;

	pthread_create(&t, NULL, write_often, NULL);
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		usleep(1000);
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(child());
		await_rounds();
		waitpid(pid, &status, 0);
		fine += status == 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	printf("%ld faults per fork, %d children fine\n", faults / FORKS, fine);
	return fine != FORKS;
}
