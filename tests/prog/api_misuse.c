/* SPDX-License-Identifier: MIT */
/* One misuse of a block per argument; the library has to say so and abort. */
/* libs: -Lbuild -lrtpreload */
#include <rtmem.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	rtm_pool *pool = NULL;
	char *b;

	if (rtm_create_pool(&pool, 1 << 20, "misuse") != B_OK)
		return 2;
	b = rtm_alloc(pool, 1000);
	memset(b, 0, 1000);
	if (!strcmp(how, "double")) {
		rtm_free(b);
		rtm_free(b);
	} else if (!strcmp(how, "double-by-free")) {
		free(b);
		free(b);
	} else if (!strcmp(how, "double-mixed")) {
		rtm_free(b);
		free(b);
	} else if (!strcmp(how, "middle")) {
		rtm_free(b + 64);
	} else if (!strcmp(how, "odd")) {
		rtm_free(b + 1);
	} else if (!strcmp(how, "underrun")) {
		memset(b - 8, 0x55, 8);
		rtm_free(b);
	}
	return 0;
}
