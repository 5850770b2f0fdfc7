/* SPDX-License-Identifier: MIT */
/* survive_mlockall.c [LIMIT-KIB] - a program that locks itself, unlocks itself and takes
 * away its own limit goes on, and a pool stays locked through munlockall() */
#include <sys/mman.h>
#include <sys/resource.h>

#include "victim.h"

/* Does the kernel count the page of p as locked? */
static bool is_locked(void *p)
{
	unsigned long lo, hi;
	char line[512];
	bool here = false, locked = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2 &&
			strchr(line, '-') < line + 17)
			here = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		else if (here && !strncmp(line, "VmFlags:", 8))
			locked = strstr(line, " lo") != NULL;
	}
	if (f)
		fclose(f);
	return locked;
}

static void churn(void)
{
	for (size_t n = 1; n < 1000000; n = n * 3 + 1) {
		char *p = malloc(n);

		CHECK(p);
		fill(p, n, 1);
		p = realloc(p, n * 2);
		CHECK(p && filled(p, n, 1));
		free(p);
	}
}

static void *thread(void *arg)
{
	churn();
	return arg;
}

static void threads(void)
{
	pthread_t t[4];
	int made = 0;

	for (int i = 0; i < 4; i++)
		made += pthread_create(&t[made], NULL, thread, NULL) == 0;
	CHECK_EQ(made, 4);
	while (made > 0)
		pthread_join(t[--made], NULL);
}

int main(int argc, char **argv)
{
	rlim_t limit = argc > 1 ? strtoul(argv[1], NULL, 10) << 10 : RLIM_INFINITY;
	struct rlimit r = {limit, limit};
	void *block = malloc(5000);
	bool pooled = in_pool(block);

	expect_here();
	if (argc > 1)
		CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &r), 0);
	churn();
	if (argc == 1) {
		if (pooled)
			CHECK(is_locked(block));
		CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
		churn();
		threads();
		CHECK(is_locked(block));
		CHECK_EQ(munlockall(), 0);
		CHECK_EQ(is_locked(block), pooled);
	} else {
		/* may fail; must not hurt */
		mlockall(MCL_CURRENT);
		munlockall();
	}
	churn();
	threads();
	expect_here();
	free(block);
	return FAILED;
}
