/* SPDX-License-Identifier: MIT */
/*
 * recycle_frames.c - a realtime thread allocates and frees frames that its pool cannot
 * hold
 *
 * Prints the page faults of 50 frames after the first few, and whether a frame came back.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FRAME (3UL << 20)

static long faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_THREAD, &r);
	return r.ru_minflt;
}

static void *player(void *arg)
{
	void *first = NULL, *again = NULL;
	long before = 0;

	(void)arg;
	for (int i = 0; i < 60; i++) {
		void *p = malloc(FRAME);

		if (i == 10) {
			before = faults();
			first = p;
		}
		memset(p, i, FRAME);
		free(p);
		usleep(1000);
		again = p;
	}
	printf("faults %ld same %d\n", faults() - before, first == again);
	return NULL;
}

int main(void)
{
	struct sched_param param = {.sched_priority = 10};
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	if (pthread_create(&t, &attr, player, NULL) != 0)
		return 1;
	pthread_join(t, NULL);
	return 0;
}
