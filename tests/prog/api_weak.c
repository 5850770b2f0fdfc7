/* SPDX-License-Identifier: MIT */
/* A program that uses pools when the library was preloaded, and malloc when not. It is
 * linked with nothing. Says which of the two it did. */
#define RTM_WEAK
#include <rtmem.h>
#include <stdlib.h>
#include <string.h>

#include "api_check.h"

int main(void)
{
	/* by its address, too */
	void *(*take)(rtm_pool *, size_t) = rtm_alloc;
	rtm_pool *pool = NULL;
	char *b;

	if (rtm_loaded())
		CHECK(rtm_create_pool(&pool, 65536, "weak") == B_OK);
	b = (char *)(rtm_loaded() ? take(pool, 100) : malloc(100));
	CHECK(b != NULL);
	memset(b, 1, 100);
	puts(rtm_loaded() && rtm_get_pool(NULL, b) == pool ? "pool" : "malloc");
	free(b);
	if (rtm_loaded())
		CHECK(rtm_delete_pool(pool) == B_OK);
	return api_failed;
}
