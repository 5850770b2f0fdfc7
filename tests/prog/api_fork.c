/* SPDX-License-Identifier: MIT */
/* A child goes on with its parent's pools: old blocks can be read, sized, resized and
 * freed, new ones come from a pool of the child's own. The parent notices nothing. */
/* libs: -Lbuild -lrtpreload */
#include <rtmem.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_check.h"

static void generation(rtm_pool *pool, char *old, int depth)
{
	void *data = old;
	char *b;
	pid_t pid;

	CHECK(!strcmp(old, "from the parent"));
	CHECK(rtm_size_for(old) == 100 && rtm_phys_size_for(old) >= 100);
	CHECK(rtm_available(pool) >= 65536);
	b = rtm_alloc(pool, 50000);
	CHECK(b != NULL);
	memset(b, 1, 50000);
	CHECK(rtm_size_for(b) == 50000);
	CHECK(rtm_alloc(NULL, 10) != NULL);
	CHECK(rtm_realloc(&data, 200) == B_OK && !strcmp(data, "from the parent"));
	CHECK(rtm_free(data) == B_OK && rtm_free(b) == B_OK);
	CHECK(rtm_enter(pool) == B_OK);
	b = strdup("x");
	CHECK(rtm_get_pool(NULL, b) != NULL);
	CHECK(rtm_leave() == B_OK);
	if (depth > 0) {
		pid = fork();
		if (pid == 0) {
			generation(pool, old, depth - 1);
			_exit(api_failed);
		}
		int status = 1;

		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	CHECK(rtm_delete_pool(pool) == B_OK);
	CHECK(rtm_delete_pool(pool) == B_BAD_VALUE);
}

int main(void)
{
	rtm_pool *pool = NULL;
	int status = 1;
	char *old;
	pid_t pid;

	CHECK(rtm_create_pool(&pool, 65536, "fork") == B_OK);
	CHECK(rtm_alloc(NULL, 1) != NULL);
	old = rtm_alloc(pool, 100);
	strcpy(old, "from the parent");
	pid = fork();
	if (pid == 0) {
		generation(pool, old, 1);
		_exit(api_failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(!strcmp(old, "from the parent") && rtm_size_for(old) == 100);
	CHECK(rtm_free(old) == B_OK);
	CHECK(rtm_delete_pool(pool) == B_OK);
	return api_failed;
}
