/* SPDX-License-Identifier: MIT */
/*
 * stats_closer.c - closes every descriptor it can name, again and again, while a thread
 * "rt" allocates; leaves a forked child beside it. Ends by itself after 10 minutes.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void *steady(void *arg)
{
	pthread_setname_np(pthread_self(), "rt");
	for (;;) {
		free(malloc(64));
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, steady, NULL);
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sleep(600);
		_exit(0);
	}
	for (int i = 0; i < 6000; i++) {
		for (int fd = 0; fd < 1024; fd++)
			close(fd);
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	return 0;
}
