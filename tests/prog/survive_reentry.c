/* SPDX-License-Identifier: MIT */
/*
 * survive_reentry.c - a signal handler allocates from the native pool whose lock the
 * thread that it interrupted may hold, and gives back what it got the time before
 *
 * It gets a block or NULL; blocks of both keep what was written into them, and afterwards
 * the pool is as empty as it was.
 */
#include <signal.h>
#include <sys/time.h>

#include "victim.h"

#define HITS  20000
#define TURNS 20000000UL /* where the timer is slow: enough of them */
#define KEPT  32
#define BLOCK 200

static rtm_pool *pool;
static volatile int hits;

static struct kept {
	unsigned char *block[KEPT];
	int at;
} by_handler, by_main;

static void turn(struct kept *k, unsigned char with)
{
	unsigned char **at = &k->block[k->at++ % KEPT];

	if (*at) {
		CHECK(filled(*at, BLOCK, with));
		rtm_free(*at);
	}
	*at = rtm_alloc(pool, BLOCK);
	if (*at)
		fill(*at, BLOCK, with);
}

static void on_alarm(int sig)
{
	turn(&by_handler, 9);
	hits++;
	(void)sig;
}

static void give_back(struct kept *k)
{
	for (int i = 0; i < KEPT; i++)
		if (k->block[i])
			rtm_free(k->block[i]);
}

int main(void)
{
	const struct itimerval often = {{0, 20}, {0, 20}}, never = {{0, 0}, {0, 0}};
	size_t before;

	if (!rtm_create_pool)
		return FAILED;
	CHECK_EQ(rtm_create_pool(&pool, 1 << 20, "reentry"), 0);
	rtm_free(rtm_alloc(pool, BLOCK));
	before = rtm_available(pool);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned long i = 0; hits < HITS && i < TURNS; i++)
		turn(&by_main, 3);
	setitimer(ITIMER_REAL, &never, NULL);
	give_back(&by_main);
	give_back(&by_handler);
	rtm_free(rtm_alloc(pool, BLOCK)); /* what was returned is taken */
	CHECK_EQ(rtm_available(pool), before);
	return FAILED;
}
