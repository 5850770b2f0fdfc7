/* SPDX-License-Identifier: MIT */
/*
 * survive_churn.c TIMES KIB - allocates that often a block of KIB and frees the one
 * before the last three; says how many allocations failed
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	long times = argc > 2 ? atol(argv[1]) : 1000, failed = 0;
	size_t bytes = argc > 2 ? (size_t)atol(argv[2]) << 10 : 4096;
	char *kept[4] = {NULL};

	for (long i = 0; i < times; i++) {
		free(kept[i % 4]);
		kept[i % 4] = malloc(bytes);
		if (kept[i % 4])
			kept[i % 4][bytes - 1] = 1;
		else
			failed++;
	}
	printf("%ld failed\n", failed);
	return 0;
}
