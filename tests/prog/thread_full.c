/* SPDX-License-Identifier: MIT */
/* thread_full.c MIB - takes MIB MiB in blocks of 1 KiB, then prints how many of them came
 * from a pool, from jemalloc, or not at all; in small steps, so that a pool may grow
 * meanwhile */
#include "victim.h"

int main(int argc, char **argv)
{
	int count = (argc > 1 ? atoi(argv[1]) : 1) * 1024, pool = 0, base = 0, none = 0;
	void **p = calloc((size_t)count, sizeof(*p));

	for (int i = 0; i < count; i++) {
		errno = 0;
		p[i] = malloc(1000);
		if (!p[i]) {
			CHECK_EQ(errno, ENOMEM);
			none++;
		} else {
			memset(p[i], i, 1000);
			in_pool(p[i]) ? pool++ : base++;
		}
		if (i % 256 == 0)
			usleep(10000);
	}
	for (int i = 0; i < count; i++)
		free(p[i]);
	printf("pool %d base %d none %d\n", pool >> 10, base >> 10, none >> 10);
	/* and it is there again */
	printf("again %s\n", where());
	return FAILED;
}
