/* SPDX-License-Identifier: MIT */
/*
 * probe_victim.c - a thread that is named "rt", prints its number, asks for 2 MiB, and
 * then takes and gives back 12345 bytes each millisecond, saying where they were, and
 * meanwhile more than a thread keeps for itself
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *rt(void *arg)
{
	(void)arg;
	printf("tid %ld\n", (long)syscall(SYS_gettid));
	pthread_setname_np(pthread_self(), "rt");
	free(malloc(2UL << 20));
	for (int i = 0; i < 30000; i++) {
		void *p = malloc(12345);

		printf("block %p\n", p);
		fflush(stdout);
		free(malloc(100000));
		free(p);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return NULL;
}

int main(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, rt, NULL) || pthread_join(t, NULL);
}
