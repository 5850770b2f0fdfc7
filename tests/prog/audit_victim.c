/* SPDX-License-Identifier: MIT */
/*
 * audit_victim.c - a FIFO thread with known numbers of allocations in known functions
 *
 *   audit_victim          small_blocks(): 1000 of 100 bytes, freed at once;
 *                         large_blocks(): 50 of 5000 bytes, alive together, then freed by
 *                         the main thread; the main thread: 500 of its own
 *   audit_victim plain    the same without a realtime class
 *   audit_victim kill     then ends by SIGKILL
 *   audit_victim stay     then stays until it is ended
 *   audit_victim wait     is there, has a block, and begins at the end of its standard
 *                         input; then says "through" and stays
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *kept[50];

__attribute__((noinline)) static void small_blocks(void)
{
	for (int i = 0; i < 1000; i++) {
		void *volatile p = malloc(100);

		free(p);
	}
}

__attribute__((noinline)) static void large_blocks(void)
{
	for (int i = 0; i < 50; i++)
		kept[i] = malloc(5000);
}

static bool waits;

static void *worker(void *plain)
{
	struct sched_param param = {.sched_priority = 5};

	prctl(PR_SET_NAME, "audio-victim");
	if (!plain && sched_setscheduler(0, SCHED_FIFO, &param) != 0) {
		perror("sched_setscheduler");
		exit(3);
	}
	if (waits) {
		void *volatile before = malloc(3000);

		while (read(0, &(char){0}, 1) > 0)
			;
		free(before);
	}
	small_blocks();
	large_blocks();
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pthread_t t;

	waits = !strcmp(how, "wait");
	pthread_create(&t, NULL, worker, strcmp(how, "plain") ? NULL : &t);
	pthread_join(t, NULL);
	for (int i = 0; i < 500; i++) {
		void *volatile p = malloc(77);

		free(p);
	}
	for (int i = 0; i < 50; i++)
		free(kept[i]);
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (waits && write(1, "through\n", 8) != 8)
		return 3;
	if (!strcmp(how, "stay") || waits)
		pause();
	return 0;
}
