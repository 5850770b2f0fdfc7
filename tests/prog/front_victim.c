/* SPDX-License-Identifier: MIT */
/*
 * front_victim.c - allocates in every way, in two threads and in a child, starts another
 * program, and says what became of it, where its second thread's blocks came from, and
 * which year it is
 */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "victim.h"
#include "rtmem.h"

static void *work(void *arg)
{
	static __thread void *keep[100];
	void *p;

	for (int turn = 0; turn < 20; turn++) {
		for (int i = 0; i < 100; i++)
			CHECK((keep[i] = malloc(16 + 37 * (size_t)i)));
		for (int i = 0; i < 100; i++)
			CHECK((keep[i] = realloc(keep[i], 90 * (size_t)i + 1)));
		for (int i = 0; i < 100; i++)
			free(keep[i]);
		free(strdup("x"));
		CHECK(posix_memalign(&p, 64, 333) == 0);
		free(p);
		free(aligned_alloc(32, 64));
	}
	p = malloc(100);
	keep[0] = rtm_get_pool && rtm_get_pool(NULL, p) ? "pool" : "base";
	free(p);
	return keep[0];
}

int main(void)
{
	time_t now;
	pthread_t t;
	void *where;
	int status;
	pid_t pid;

	work(NULL);
	CHECK(pthread_create(&t, NULL, work, NULL) == 0);
	CHECK(pthread_join(t, &where) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		work(NULL);
		_exit(5);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
	CHECK(system("true") == 0);
	time(&now);
	printf("ok %s, year %d\n", (char *)where, 1900 + gmtime(&now)->tm_year);
	return 0;
}
