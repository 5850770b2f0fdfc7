/* SPDX-License-Identifier: MIT */
/* survive_thread_exit.c - malloc and free in everything that runs while a thread ends:
 * key destructors to the last round, __cxa_thread_atexit, cleanup handlers, cancellation
 */
#include <limits.h>

#include "victim.h"

static pthread_key_t key;
static int rounds, cleanups, atexits;

extern void *__dso_handle;
int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);

static void *churn(void *keep)
{
	for (size_t n = 1; n < 100000; n = n * 5 + 1) {
		char *p = malloc(n);

		memset(p, 1, n);
		free(p);
	}
	free(keep);
	return calloc(1, 700);
}

static void key_gone(void *p)
{
	__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
	p = churn(p);
	/* asks for another round, until libc gives up: then this block leaks */
	pthread_setspecific(key, p);
}

static void cleanup(void *p)
{
	__atomic_fetch_add(&cleanups, 1, __ATOMIC_RELAXED);
	free(churn(p));
}

static void thread_atexit(void *p)
{
	__atomic_fetch_add(&atexits, 1, __ATOMIC_RELAXED);
	free(churn(p));
}

static void *body(void *arg)
{
	void *mine = malloc(2000);

	pthread_setspecific(key, malloc(10));
	__cxa_thread_atexit_impl(thread_atexit, malloc(20), &__dso_handle);
	pthread_cleanup_push(cleanup, malloc(30));
	memset(mine, 3, 2000);
	if (arg) {
		for (;;)
			usleep(1000);
	}
	pthread_exit(mine);
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	enum { COUNT = 40 };
	void *result;
	pthread_t t;

	pthread_key_create(&key, key_gone);
	for (int i = 0; i < COUNT; i++) {
		pthread_create(&t, NULL, body, i % 4 ? NULL : &t);
		if (i % 4 == 0) {
			usleep(1000);
			pthread_cancel(t);
		}
		pthread_join(t, &result);
		if (result != PTHREAD_CANCELED)
			free(result); /* of a thread that is gone */
	}
	CHECK_EQ(rounds, COUNT * PTHREAD_DESTRUCTOR_ITERATIONS);
	CHECK_EQ(cleanups, COUNT);
	CHECK_EQ(atexits, COUNT);
	fflush(stdout);
	pthread_create(&t, NULL, body, NULL);
	pthread_detach(t);
	if (FAILED)
		return 1;
	pthread_exit(NULL); /* the main thread leaves first; the process ends with 0 */
}
