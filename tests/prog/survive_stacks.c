/* SPDX-License-Identifier: MIT */
/* survive_stacks.c - threads with the smallest stack there is, 3000 threads one after
 * another, 300 at once: all of them allocate */
#include <limits.h>

#include "victim.h"

static pthread_barrier_t all_here;

static void churn(void)
{
	for (size_t n = 1; n < 200000; n = n * 4 + 1) {
		char *p = malloc(n);

		p[0] = p[n - 1] = 1;
		p = realloc(p, n + 100);
		free(p);
		free(calloc(2, n));
	}
}

static void *small(void *arg)
{
	expect_here();
	churn();
	return arg;
}

static void *one_of_many(void *arg)
{
	void *p = malloc(3000);

	memset(p, 1, 3000);
	pthread_barrier_wait(&all_here);
	free(p);
	return arg;
}

static void check_small(size_t size)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstacksize(&attr, size), 0);
	for (int i = 0; i < 50; i++) {
		if (pthread_create(&t, &attr, small, NULL)) {
			CHECK(!"a thread with a small stack can be made");
			return;
		}
		pthread_join(t, NULL);
	}
	pthread_attr_destroy(&attr);
}

int main(void)
{
	static pthread_t t[300];

	check_small((size_t)PTHREAD_STACK_MIN);
	for (int i = 0; i < 3000; i++) {
		if (pthread_create(&t[0], NULL, small, NULL)) {
			CHECK(!"thread after thread can be made");
			break;
		}
		pthread_join(t[0], NULL);
	}
	pthread_barrier_init(&all_here, NULL, 300);
	for (int i = 0; i < 300; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, one_of_many, NULL), 0);
	for (int i = 0; i < 300; i++)
		pthread_join(t[i], NULL);
	return FAILED;
}
