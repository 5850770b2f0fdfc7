/* SPDX-License-Identifier: MIT */
/* A player's thread that allocates, writes and frees frames of 1 to 4 MiB. Prints, of the
 * last 500 frames of each size: page faults, how many were at another address than the
 * one before, whether all of a frame was in locked pages, and how often the program
 * became smaller. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "api_check.h"

/* Is every mapping that the frame lies in locked? */
static int all_locked(const char *frame, size_t size)
{
	unsigned long lo, hi;
	char line[512];
	int here = 0, locked = 1;
	long kib = 0;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2 &&
			strchr(line, '-') < line + 17)
			here = (uintptr_t)frame < hi && (uintptr_t)frame + size > lo;
		else if (here && sscanf(line, "Locked: %ld kB", &kib) == 1)
			locked = locked && kib > 0;
	}
	if (f)
		fclose(f);
	return locked;
}

static long mapped(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages;
}

static void *player(void *arg)
{
	struct rusage before, after;
	long faults = 0, moved = 0, went = 0;
	int locked = 1;

	(void)arg;
	pthread_setname_np(pthread_self(), "player");
	for (size_t mib = 1; mib <= 4; mib *= 2) {
		long pages = 0;
		char *last = NULL;

		for (int i = 0; i < 510; i++) {
			char *frame;

			getrusage(RUSAGE_THREAD, &before);
			frame = malloc(mib << 20);
			memset(frame, i, mib << 20);
			getrusage(RUSAGE_THREAD, &after);
			if (i == 100)
				locked = locked && all_locked(frame, mib << 20);
			if (i == 10)
				pages = mapped();
			free(frame);
			if (i >= 10)
				faults += after.ru_minflt - before.ru_minflt;
			moved += i > 10 && frame != last;
			last = frame;
		}
		went += mapped() < pages;
	}
	printf("faults %ld moved %ld locked %d munmap %ld\n", faults, moved, locked,
		went);
	return NULL;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, player, NULL);
	pthread_join(t, NULL);
	return 0;
}
