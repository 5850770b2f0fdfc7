/* SPDX-License-Identifier: MIT */
/*
 * example_control_node.c - threads as a ROS 2 control node has them: the update loop at
 * SCHED_FIFO 50, a bus master at 85, an executor; prints the pool each allocates from
 */
#include <sched.h>

#include "victim.h"

#include "rtmem.h"

static const char *pool_of(size_t size)
{
	void *p = malloc(size);
	rtm_pool *pool = rtm_get_pool ? rtm_get_pool(NULL, p) : NULL;
	const char *name = pool ? rtm_pool_name(pool) : "none";

	free(p);
	return name;
}

static void *update(void *arg)
{
	(void)arg;
	printf("update loop: %s, an image: %s\n", pool_of(800), pool_of(2 << 20));
	return NULL;
}

static void *bus(void *arg)
{
	(void)arg;
	printf("bus master: %s\n", pool_of(1500));
	return NULL;
}

static void *executor(void *arg)
{
	(void)arg;
	printf("executor: %s\n", pool_of(1500));
	return NULL;
}

static void run(void *(*fn)(void *), int priority)
{
	struct sched_param param = {.sched_priority = priority};
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	if (priority) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &param);
	}
	CHECK_EQ(pthread_create(&t, &attr, fn, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	pthread_attr_destroy(&attr);
}

int main(void)
{
	run(update, 50);
	run(bus, 85);
	run(executor, 0);
	return FAILED;
}
