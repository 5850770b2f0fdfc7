/* SPDX-License-Identifier: MIT */
/* A player's thread that allocates, writes and frees frames of 1 to 4 MiB. Prints how
 * many page faults the last 500 frames of each size took, and whether they were locked
 * pages. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "api_check.h"

static void *player(void *arg)
{
	struct rusage before, after;
	long faults = 0;
	int locked = 1;

	(void)arg;
	pthread_setname_np(pthread_self(), "player");
	for (size_t mib = 1; mib <= 4; mib *= 2)
		for (int i = 0; i < 510; i++) {
			char *frame;

			getrusage(RUSAGE_THREAD, &before);
			frame = malloc(mib << 20);
			memset(frame, i, mib << 20);
			getrusage(RUSAGE_THREAD, &after);
			if (i == 100)
				locked = locked && locked_around(frame) > 0;
			free(frame);
			if (i >= 10)
				faults += after.ru_minflt - before.ru_minflt;
		}
	printf("faults %ld locked %d\n", faults, locked);
	return NULL;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, player, NULL);
	pthread_join(t, NULL);
	return 0;
}
