/* SPDX-License-Identifier: MIT */
/*
 * debug_rules.c [HOW] - what MALLOC_DEBUG does in a pool that a rule gives a thread
 *
 * Says which byte new and freed blocks have; with
 * HOW "overrun" writes behind a block first.
 */
/* cflags: -Wno-unused-parameter */
#include <malloc.h>

#include "victim.h"

static const char *how = "";

static void *work(void *arg)
{
	unsigned char *p, *q;

	pthread_setname_np(pthread_self(), "rt-1");
	p = malloc(100);
	q = malloc(100);
	CHECK(in_pool(p) && in_pool(q));
	printf("new %02x", p[60]);
	if (!strcmp(how, "overrun")) {
		for (int i = 0; i < 24; i++)
			p[malloc_usable_size(p) + (size_t)i] = 0x41;
		fflush(stdout);
		q = malloc(5000); /* looks at all that there is */
		puts(", not noticed");
		return q;
	}
	free(p);
	printf(", freed %02x", p[60]);
	p = realloc(q, 3000);
	printf(", moved %02x %02x\n", p[60], p[2000]);
	q = calloc(1, 2000);
	CHECK(q[0] == 0 && !memcmp(q, q + 1, 1999));
	free(p);
	free(q);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc > 1)
		how = argv[1];
	CHECK_EQ(pthread_create(&t, NULL, work, NULL), 0);
	pthread_join(t, NULL);
	return FAILED;
}
