/* SPDX-License-Identifier: MIT */
/*
 * survive_limit.c THREADS [KIB] - so many threads at once, each with blocks of its own,
 * of 16 to 9,916 bytes or of KIB each; says how many threads there were, and how many
 * allocations failed. Fails only where a block is not what was asked for.
 */
#include "victim.h"

#define BLOCKS 100

static pthread_barrier_t all_there;
static int failed;   /* atomic */
static size_t fixed; /* bytes of each block, or 0 */

static size_t size_of(int i)
{
	return fixed ? fixed : 16 + 100 * (size_t)i;
}

static void *work(void *arg)
{
	unsigned char *p[BLOCKS];

	for (int turn = 0; turn < 20; turn++) {
		for (int i = 0; i < BLOCKS; i++) {
			p[i] = malloc(size_of(i));
			if (p[i])
				memset(p[i], i, size_of(i));
			else
				__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
		}
		for (int i = 0; i < BLOCKS; i++) {
			CHECK(!p[i] || p[i][size_of(i) - 1] == i);
			free(p[i]);
		}
	}
	if (arg)
		pthread_barrier_wait(&all_there);
	return NULL;
}

int main(int argc, char **argv)
{
	int want = argc > 1 ? atoi(argv[1]) : 1, n = 0;
	pthread_attr_t attr;
	pthread_t t[64];

	fixed = argc > 2 ? (size_t)atoi(argv[2]) << 10 : 0;
	pthread_barrier_init(&all_there, NULL, (unsigned)want + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	work(NULL);
	while (n < want && pthread_create(&t[n], &attr, work, &all_there) == 0)
		n++;
	dprintf(1, "%d threads", n);
	if (n < want) {
		dprintf(1, "\n");
		_exit(FAILED);
	}
	pthread_barrier_wait(&all_there);
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	dprintf(1, ", %d failed\n", failed);
	return FAILED;
}
