/* SPDX-License-Identifier: MIT */
/* thread_born.c - threads that are realtime from birth: by attribute, by inheritance; and
 * the ones that are not, because their parent said so */
#include <sched.h>

#include "victim.h"

static const char *expected;

static void *body(void *arg)
{
	/* the very first allocation */
	void *p = malloc(100);

	if (strcmp(in_pool(p) ? "pool" : "base", expected)) {
		dprintf(2, "%s: expected blocks from %s\n", (char *)arg, expected);
		CHECK(!"as expected");
	}
	free(p);
	return NULL;
}

static void check(const pthread_attr_t *attr, const char *from, char *what)
{
	pthread_t t;

	expected = from;
	CHECK_EQ(pthread_create(&t, attr, body, what), 0);
	pthread_join(t, NULL);
}

static void set_main(int policy, int priority)
{
	struct sched_param p = {priority};

	CHECK_EQ(sched_setscheduler(0, policy, &p), 0);
}

int main(void)
{
	struct sched_param p = {20};
	pthread_attr_t fifo, other;

	pthread_attr_init(&fifo);
	pthread_attr_setinheritsched(&fifo, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&fifo, SCHED_FIFO);
	pthread_attr_setschedparam(&fifo, &p);
	pthread_attr_init(&other);
	pthread_attr_setinheritsched(&other, PTHREAD_EXPLICIT_SCHED);
	for (int i = 0; i < 20; i++) {
		check(NULL, "base", "plain");
		check(&fifo, "pool", "attribute");
	}
	set_main(SCHED_RR, 5);
	CHECK(!strcmp(where(), "pool"));
	check(NULL, "pool", "inherited");
	check(&other, "base", "explicitly ordinary");
	set_main(SCHED_RR | SCHED_RESET_ON_FORK, 5);
	CHECK(!strcmp(where(), "pool"));
	check(NULL, "base", "reset on fork");
	set_main(SCHED_OTHER, 0);
	CHECK(!strcmp(where(), "base"));
	check(NULL, "base", "plain again");
	return FAILED;
}
