/* SPDX-License-Identifier: MIT */
/* Prints figures of the default pool; with an argument also what forcing a lock on a pool
 * of 1 MiB returns. */
/* libs: -Lbuild -lrtpreload */
#include <rtmem.h>

#include "api_check.h"

int main(int argc, char **argv)
{
	rtm_pool *pool = NULL;
	struct rtm_stats st;

	CHECK(rtm_free(rtm_alloc(NULL, 100)) == B_OK);
	CHECK(rtm_get_stats(NULL, &st, sizeof(st)) == B_OK);
	printf("size %zu\nlocked %zu\n", st.size, st.locked);
	(void)argv;
	if (argc > 1)
		printf("forced %d\n", (int)rtm_create_pool_etc(
					      &pool, 1 << 20, "f", B_RTM_FORCE_LOCKED));
	return api_failed;
}
