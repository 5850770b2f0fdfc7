/* SPDX-License-Identifier: MIT */
/*
 * promoted.c - makes itself SCHED_FIFO, keeps argv[1] KiB alive in 4 KiB blocks that come
 * 1 ms apart, and says how much memory is locked
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct sched_param param = {.sched_priority = 10};
	long blocks = argc > 1 ? atol(argv[1]) / 4 : 0;
	char line[128];

	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0) {
		perror("sched_setscheduler");
		return 1;
	}
	for (long i = 0; i < blocks; i++) {
		memset(malloc(4096), 1, 4096);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmLck:", 6) == 0 || strncmp(line, "VmPin:", 6) == 0)
			fputs(line, stdout);
	return 0;
}
