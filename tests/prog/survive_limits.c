/* SPDX-License-Identifier: MIT */
/* survive_limits.c - a thread named "rt" uses 4 MiB of small blocks; then prints where
 * its blocks came from and how much of the process is locked */
#include "victim.h"

#define BLOCKS 4096

static void *body(void *arg)
{
	static char *p[BLOCKS];

	pthread_setname_np(pthread_self(), "rt");
	for (int i = 0; i < BLOCKS; i++) {
		p[i] = malloc(1024);
		CHECK(p[i]);
		memset(p[i], i, 1024);
	}
	printf("%s\n", in_pool(p[0]) ? "pool" : "base");
	for (int i = 0; i < BLOCKS; i++)
		free(p[i]);
	return arg;
}

int main(void)
{
	char line[256];
	pthread_t t;
	FILE *f;

	pthread_create(&t, NULL, body, NULL);
	pthread_join(t, NULL);
	f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "VmLck:", 6))
			printf("locked %ld\n", strtol(line + 6, NULL, 10));
	}
	usleep(200000);
	return FAILED;
}
