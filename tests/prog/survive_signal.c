/* SPDX-License-Identifier: MIT */
/* survive_signal.c - a handler that allocates, on an alternate stack, run 2000 times
 * while its thread computes: nothing hangs, nothing is lost */
#include <signal.h>

#include "victim.h"

static int handled, stop;

static void handler(int sig)
{
	char *p = malloc((size_t)(handled * 37 % 3000) + 1);

	(void)sig;
	if (p)
		p[0] = 1;
	free(p);
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static void *body(void *arg)
{
	static char alternate[65536];
	stack_t st = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	volatile double x = 1;

	expect_here();
	CHECK_EQ(sigaltstack(&st, NULL), 0);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		x = x * 1.0000001 + 1;
	return arg;
}

int main(void)
{
	struct sigaction sa = {
		.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
	pthread_t t;

	alarm(30);
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, body, NULL);
	usleep(10000);
	for (int i = 0; i < 2000; i++) {
		int before = __atomic_load_n(&handled, __ATOMIC_RELAXED);

		pthread_kill(t, SIGUSR1);
		while (__atomic_load_n(&handled, __ATOMIC_RELAXED) == before)
			free(malloc(100));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	CHECK_EQ(handled, 2000);
	return FAILED;
}
