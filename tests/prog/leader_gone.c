/* SPDX-License-Identifier: MIT */
/*
 * leader_gone.c - the main thread leaves by pthread_exit(3), and a realtime thread plays
 * on
 *
 * leader_gone SECONDS [THREAD]: it is called THREAD; with "daemon" for THREAD the process
 * is one that two forks have made, in a session of its own, and the thread comes after a
 * while. Prints its process number once it is realtime.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int seconds;

static void *play(void *name)
{
	struct sched_param sp = {.sched_priority = 10};

	usleep(300000); /* the main thread has left by then */
	pthread_setname_np(pthread_self(), name);
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &sp);
	printf("%d\n", getpid());
	fflush(stdout);
	for (int i = 0; i < seconds * 100; i++) {
		void *volatile p = malloc(300);

		free(p);
		usleep(10000);
	}
	exit(0);
}

static void become_daemon(void)
{
	if (fork() > 0)
		_exit(0);
	setsid();
	if (fork() > 0)
		_exit(0);
}

int main(int argc, char **argv)
{
	static char name[] = "player";
	pthread_t t;

	seconds = atoi(argv[1]);
	if (argc > 2 && strcmp(argv[2], "daemon") == 0)
		become_daemon();
	pthread_create(&t, NULL, play, argc > 2 ? argv[2] : name);
	pthread_exit(NULL);
}
